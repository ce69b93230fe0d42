"""Access tokens: mint one with the client's id and secret, keep it, renew it once when refused."""

import base64
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock
from typing import Protocol

import httpx

from connections.ramp.errors import ForeignAddress
from connections.ramp.refusals import error_for, is_token_refused
from connections.ramp.schemas import MintedToken

TOKEN_PATH = "/developer/v1/token"  # noqa: S105 - a path
_EARLY = timedelta(minutes=1)  # renewed before it runs out under a request on its way


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A bearer token and what Ramp said of it. Never shown by `repr`."""

    value: str = field(repr=False)
    scopes: frozenset[str]
    """What Ramp granted: it leaves out scopes it refuses, without an error."""
    minted_at: datetime
    expires_at: datetime

    def is_good(self, *, now: datetime) -> bool:
        return now < self.expires_at - _EARLY


class TokenStore(Protocol):
    """Where the token of one connection is kept for all processes."""

    def load(self) -> AccessToken | None:
        """The newest token, good or not."""

    def save(self, token: AccessToken) -> None:
        """Keep it in place of the one before."""

    def lock(self) -> AbstractContextManager[object]:
        """Held while a token is minted, so that of many who find it expired one asks Ramp.

        A call to Ramp happens inside, so it must be neither a transaction nor a row lock.
        """


class MemoryTokenStore:
    """A store for one process: commands and tests."""

    def __init__(self) -> None:
        self._token: AccessToken | None = None
        self._lock = Lock()

    def load(self) -> AccessToken | None:
        return self._token

    def save(self, token: AccessToken) -> None:
        self._token = token

    def lock(self) -> AbstractContextManager[object]:
        return self._lock


class ClientCredentials(httpx.Auth):
    """Signs requests to one host with the token of one connection.

    Raises the client's errors if Ramp gives no token. A token that is refused is renewed once per
    request; if the new one is refused too, that answer stands.
    """

    def __init__(
        self,
        *,
        base_url: str,
        client_id: str,
        client_secret: str,
        scopes: tuple[str, ...],
        store: TokenStore,
        clock: Callable[[], datetime],
    ) -> None:
        self._token_url = httpx.URL(base_url.rstrip("/") + TOKEN_PATH)
        basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
        self._basic = f"Basic {basic}"
        self._scopes = scopes
        self._store = store
        self._clock = clock
        self._token: AccessToken | None = None  # a client lives for one task, and asks once

    def sync_auth_flow(
        self, request: httpx.Request
    ) -> Generator[httpx.Request, httpx.Response, None]:
        if _origin(request.url) != _origin(self._token_url):
            raise ForeignAddress("The credentials of Ramp are not sent to another host.")
        token = self._token or self._store.load()
        if token is None or not token.is_good(now=self._clock()):
            token = yield from self._renew(request, refused=token)
        self._token = token
        response = yield _with_token(request, token)
        if response.status_code in (401, 404):
            response.read()
            if is_token_refused(response):
                self._token = token = yield from self._renew(request, refused=token)
                yield _with_token(request, token)

    def _renew(
        self, request: httpx.Request, *, refused: AccessToken | None
    ) -> Generator[httpx.Request, httpx.Response, AccessToken]:
        with self._store.lock():
            theirs = self._store.load()
            if theirs and theirs != refused and theirs.is_good(now=self._clock()):
                return theirs  # someone else has just renewed it
            response = yield self._token_request(request)
            response.read()
            token = self._minted(response)
            self._store.save(token)
            return token

    def _token_request(self, request: httpx.Request) -> httpx.Request:
        return httpx.Request(
            "POST",
            self._token_url,
            data={"grant_type": "client_credentials", "scope": " ".join(self._scopes)},
            headers={
                "Authorization": self._basic,
                "User-Agent": request.headers.get("User-Agent", ""),
                "Accept": "application/json",
            },
            extensions=request.extensions,  # the time limits and the lane of the request at hand
        )

    def _minted(self, response: httpx.Response) -> AccessToken:
        if not response.is_success:
            raise error_for(response, changes=False)
        minted = MintedToken.parse(response.content)
        now = self._clock()
        return AccessToken(
            value=minted.access_token.get_secret_value(),
            scopes=frozenset(minted.scope.split()),
            minted_at=now,
            expires_at=now + timedelta(seconds=minted.expires_in),
        )


def is_token_request(request: httpx.Request) -> bool:
    """Whether a request asks for a token rather than for what the caller wanted."""
    return request.url.path == TOKEN_PATH


def _with_token(request: httpx.Request, token: AccessToken) -> httpx.Request:
    request.headers["Authorization"] = f"Bearer {token.value}"
    return request


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
