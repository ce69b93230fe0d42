"""Calls to Ramp's API: addresses, bodies, pages, and every failure as one of our errors."""

import json
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from connections.ramp import errors
from connections.ramp.auth import is_token_request
from connections.ramp.errors import SchemaSurprise
from connections.ramp.pages import Page
from connections.ramp.rate_limit import LANE, WAITED, Lane
from connections.ramp.refusals import error_for, trace_id
from connections.ramp.schemas import Schema

Model = TypeVar("Model", bound=Schema)

PAGE_SIZE = 100
_ROOT = "/developer/v1"
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success, and what Ramp's support finds it by."""

    body: bytes
    status: int
    trace_id: str

    def read(self, model: type[Model]) -> Model:
        """The body as one object.

        :raises SchemaSurprise: if it is not as the contract says
        """
        with self.blamed():
            return model.parse(self.body)

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Puts the trace id on what goes wrong while this answer is read."""
        try:
            yield
        except SchemaSurprise as error:
            error.status, error.trace_id = self.status, self.trace_id
            raise


class Api:
    """Ramp's API on one host, with the credentials of one connection."""

    def __init__(
        self, *, base_url: str, auth: httpx.Auth, http: httpx.Client, lane: Lane = Lane.ORDINARY
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._auth = auth
        self._http = http
        self._lane = lane
        self.calls = 0
        """Requests sent, whatever became of them."""
        self.waited = 0.0
        """Seconds that they waited for leave, where they were answered."""
        self.last_trace_id = ""
        """Of the newest answer, also of a refusal: what Ramp's support finds it by."""

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, object] | None = None,
        body: Mapping[str, object] | bytes | None = None,
    ) -> Answer:
        """Send one request, once.

        Everything but a GET is a change and carries a JSON body, because Ramp asks for one even
        where there is nothing to say. Bytes are sent as they are.
        """
        changes = method != "GET"
        request = self._http.build_request(
            method,
            f"{self.base_url}{_ROOT}/{path}",
            params=_query(params or {}),
            content=_body(body) if changes else None,
            headers={"Content-Type": "application/json"} if changes else None,
            extensions={LANE: self._lane},
        )
        response = self._send(request, changes=changes)
        answer = Answer(response.content, response.status_code, trace_id(response))
        self.last_trace_id = answer.trace_id
        log.debug("%s %s: %s, trace %s", method, path, answer.status, answer.trace_id)
        if not response.is_success:
            raise error_for(response, changes=changes)
        return answer

    def pages(
        self,
        path: str,
        model: type[Model],
        params: Mapping[str, object],
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> Iterator[tuple[Page[Model], Answer]]:
        """The pages of a list, each asked for when it is wanted.

        :raises SchemaSurprise: if the pages lead in a circle, after those that came before
        """
        seen: set[str] = set()
        while True:
            paging = {"page_size": page_size, "start": start}
            answer = self.call("GET", path, params={**params, **paging})
            with answer.blamed():
                page = Page.read(answer.body, model, base_url=self.base_url)
            yield page, answer
            if page.next_cursor is None:
                return
            if page.next_cursor in seen or page.next_cursor == start:
                with answer.blamed():
                    raise SchemaSurprise("The pages of Ramp's list lead in a circle.")
            seen.add(page.next_cursor)
            start = page.next_cursor

    def everything(
        self,
        path: str,
        model: type[Model],
        params: Mapping[str, object],
        *,
        start: str | None = None,
    ) -> Iterator[Model]:
        """The objects of a list that is only of use when it is complete, or is from `start` on.

        :raises SchemaSurprise: if one of them is malformed
        """
        for page, answer in self.pages(path, model, params, start=start):
            for malformed in page.malformed:
                with answer.blamed():
                    raise SchemaSurprise(f"{model.__name__} {malformed.id}: {malformed.reason}")
            yield from page.items

    def _send(self, request: httpx.Request, *, changes: bool) -> httpx.Response:
        self.calls += 1
        try:
            response = self._http.send(request, auth=self._auth)
        except httpx.DecodingError as error:
            raise SchemaSurprise("Ramp's answer cannot be unpacked.") from error
        except httpx.TransportError as error:
            raise _lost(error, changes=changes) from error
        self.waited += response.extensions.get(WAITED, 0.0)
        return response


def segment(value: object) -> str:
    """An id as one part of a path, whatever it is made of."""
    return quote(str(value), safe="")


def _lost(error: httpx.TransportError, *, changes: bool) -> errors.RampUnreachable:
    """A request that was never sent has changed nothing; nor has a token asked for before it."""
    message = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if not changes or isinstance(error, _NOT_SENT) or is_token_request(error.request):
        return errors.RampUnreachable(message)
    return errors.OutcomeUnknown(message)


def _query(params: Mapping[str, object]) -> dict[str, Any]:
    """What is None is left out; moments are written in full, as Ramp wants them."""
    return {
        name: value.isoformat() if isinstance(value, datetime) else _plain(value)
        for name, value in params.items()
        if value is not None
    }


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | str) else str(value)


def _body(body: Mapping[str, object] | bytes | None) -> bytes:
    if isinstance(body, bytes):
        return body
    return json.dumps(body or {}, ensure_ascii=False, separators=(",", ":"), default=str).encode()
