"""JSON-RPC to one Tryton database: sessions, time-outs, and errors in our words."""

from __future__ import annotations

import base64
import itertools
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from connections.erp.adapters.tryton import wire
from connections.erp.adapters.tryton.errors import (
    ERP,
    complaint_from_error,
    error_from,
    error_from_status,
)
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.refusals import refusal

# A login waits 30 s for a connection to the database before Tryton says that there is none.
TIMEOUT = httpx.Timeout(connect=5, read=35, write=10, pool=5)

_HUNG_UP = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
"""No answer, because the connection had ended: a server closes one that nobody has used for a
while, at times in the very moment in which it is used again."""

LOGIN_PAUSE = 300.0
"""Seconds for which a refused password is not tried again: Tryton slows down and locks out."""


@dataclass(frozen=True, slots=True)
class Account:
    """Which database, and as whom."""

    url: str
    database: str
    login: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in that Tryton has accepted."""

    user: int
    authorization: str = field(repr=False)
    context: Mapping[str, Any]


class TrytonRpc:
    """Calls to one database as one user. Threads share it, and its session."""

    def __init__(self, account: Account, http: httpx.Client) -> None:
        self.account = account
        self._http = http
        self._ids = itertools.count(1)
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._refused: tuple[float, ErpError] | None = None

    def call(
        self,
        method: str,
        *params: Any,
        write: bool = False,
        context: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call a method, e.g. `model.party.party.search`. `context` is added to the user's own.

        :raises ErpError: with outcome UNKNOWN only for a `write` whose fate nobody knows
        """
        session = self.session()
        try:
            return self._call(session, method, params, context or {}, write=write)
        except ErpError as error:
            if error.code != Code.AUTH_EXPIRED:
                raise
        # Sessions end, and posting wants one younger than five minutes. Once; it did nothing yet.
        self._forget(session)
        return self._call(self.session(), method, params, context or {}, write=write)

    def read(
        self,
        model: str,
        domain: Sequence[Any],
        fields: Sequence[str],
        *,
        limit: int | None = None,
        order: Sequence[Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Search and read in one call."""
        rows: list[dict[str, Any]] = self.call(
            f"model.{model}.search_read", domain, 0, limit, order, list(fields), context=context
        )
        return rows

    def server_version(self) -> str:
        """Tryton's series, e.g. "8.0"; asks without signing in."""
        return str(self._send("/rpc/", "common.server.version", [], headers={}, write=False))

    def session(self) -> Session:
        """The present session, or a new one.

        :raises ErpError: AUTH_EXPIRED when the password is refused, also for a while afterwards
            without asking again
        """
        with self._lock:
            if self._session is None:
                if self._refused and time.monotonic() - self._refused[0] < LOGIN_PAUSE:
                    raise self._refused[1]
                self._session = self._sign_in()
            return self._session

    def forgive(self) -> None:
        """Let a password that was refused be tried again, because a person asks for it."""
        with self._lock:
            self._refused = None

    def _forget(self, session: Session) -> None:
        with self._lock:
            if self._session is session:
                self._session = None

    def _sign_in(self) -> Session:
        account = self.account
        try:
            user, token, *_ = self._send(
                self._path,
                "common.db.login",
                [account.login, {"password": account.password}, "en"],
                headers={},
                write=False,
            )
        except ErpError as error:
            if error.code == Code.AUTH_EXPIRED:
                self._refused = (time.monotonic(), error)
            raise
        credentials = f"{account.login}:{user}:{token}".encode()
        headers = {"Authorization": "Session " + base64.b64encode(credentials).decode()}
        preferences = self._send(
            self._path, "model.res.user.get_preferences", [True, {}], headers=headers, write=False
        )
        # Whatever language the user prefers: errors are told apart by their English text.
        context = {**preferences, "language": "en"}
        return Session(user=user, authorization=headers["Authorization"], context=context)

    @property
    def _path(self) -> str:
        return f"/{self.account.database}/rpc/"

    def _call(
        self,
        session: Session,
        method: str,
        params: Sequence[Any],
        context: Mapping[str, Any],
        *,
        write: bool,
    ) -> Any:
        return self._send(
            self._path,
            method,
            [*params, {**session.context, **context}],
            headers={"Authorization": session.authorization},
            write=write,
        )

    def _send(
        self,
        path: str,
        method: str,
        params: Sequence[Any],
        *,
        headers: Mapping[str, str],
        write: bool,
    ) -> Any:
        body = wire.dumps({"id": next(self._ids), "method": method, "params": params})
        try:
            response = self._post(path, body, headers, write=write)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # Not a byte has left.
            raise _unreachable(Code.ERP_UNAVAILABLE, error, Outcome.NOT_POSTED) from error
        except httpx.RequestError as error:
            outcome = Outcome.UNKNOWN if write else Outcome.NOT_POSTED
            raise _unreachable(Code.TIMEOUT, error, outcome) from error
        return _result(response, write=write)

    def _post(
        self, path: str, body: bytes, headers: Mapping[str, str], *, write: bool
    ) -> httpx.Response:
        """Post it; a read a second time, on another connection, if the server hangs up on it."""
        request = self._http.build_request(
            "POST", path, content=body, headers={**headers, "Content-Type": "application/json"}
        )
        try:
            return self._http.send(request)
        except _HUNG_UP:
            if write:  # nobody knows whether it was carried out
                raise
            return self._http.send(request)


def _result(response: httpx.Response, *, write: bool) -> Any:
    if response.status_code != httpx.codes.OK:
        raise error_from_status(
            response.status_code, response.text, _retry_after(response), write=write
        )
    try:
        answer = wire.loads(response.content)
    except ValueError as error:
        # Some gateway answered in Tryton's place.
        raise refusal(
            Code.UNKNOWN,
            erp=ERP,
            outcome=Outcome.UNKNOWN if write else Outcome.NOT_POSTED,
            erp_message=response.text[:500],
        ) from error
    if "error" in answer:
        raise error_from(complaint_from_error(answer["error"]), write=write)
    return answer["result"]


def _retry_after(response: httpx.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


def _unreachable(code: Code, error: httpx.RequestError, outcome: Outcome) -> ErpError:
    return refusal(
        code, erp=ERP, outcome=outcome, erp_code=type(error).__name__, erp_message=str(error)
    )
