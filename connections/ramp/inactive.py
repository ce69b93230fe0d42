"""The chart of a connection that is not active yet, and a line that carries nothing else (R-95).

Whatever does not say which connection it means is for the active one, which is another provider's
and in daily use. So this chart has a line of its own to Ramp, and the line looks at each request
when all of it is made and only the sending is left. It does not matter which method made it, nor
whether that method existed when this was written.
"""

import json
import re
from collections.abc import Set
from uuid import UUID

import httpx

from connections.ramp.api import Api
from connections.ramp.chart import Chart
from connections.ramp.errors import RampError
from connections.ramp.refusals import trace_id

KEY = "accounting_connection_id"
_NAMED = re.compile(rb'"accounting_connection_id"\s*:\s*"([^"]*)"')
_OPTION = re.compile(r"/developer/v1/accounting/field-options/[^/]+")
_CHANGES_OPTION = frozenset({"PATCH", "PUT"})


class NamesAnother(Exception):
    """A request was not sent, because it does not name the inactive connection: our mistake."""


class AnswersForAnother(RampError):
    """Ramp was asked about one connection and has answered about another: we go no further."""


class InactiveChart(Chart):
    """The chart of one inactive connection; `RampClient.for_inactive` makes it.

    What fills a connection beside the active one takes this type and no other `Chart`, so that the
    type checker refuses whoever hands it the active connection's.

    :raises NamesAnother: from every method whose request does not name the connection; it is not
        sent then
    :raises AnswersForAnother: from every method to which Ramp answers about another connection
    """

    def __init__(self, behind: Api, connection_id: UUID) -> None:
        self._api: Api
        super().__init__(_InactiveLine(behind, connection_id), connection_id=connection_id)
        self.connection_id = connection_id

    @property
    def last_trace_id(self) -> str:
        """What Ramp's support finds the newest call of this chart by."""
        return self._api.last_trace_id

    @property
    def calls(self) -> int:
        """Requests that were sent for this chart."""
        return self._api.calls


class _InactiveLine(Api):
    """The same host, credentials and lane as the client's own, for one inactive connection."""

    def __init__(self, behind: Api, connection_id: UUID) -> None:
        parts = (behind._auth, behind._http, behind._lane)  # noqa: SLF001  of its own kind
        auth, http, lane = parts
        super().__init__(base_url=behind.base_url, auth=auth, http=http, lane=lane)
        self._connection_id = str(connection_id)

    def _send(self, request: httpx.Request, *, changes: bool) -> httpx.Response:
        if not _is_exempt(request) and _named_by(request) != {self._connection_id}:
            raise NamesAnother(
                f"{request.method} {request.url.path} does not name the connection"
                f" {self._connection_id}, so it would change or read the active one."
            )
        response = super()._send(request, changes=changes)
        others = _named_in(response.content) - {self._connection_id}
        if response.is_success and others:
            raise AnswersForAnother(
                f"its answer is about the connection {min(others)}, not about"
                f" {self._connection_id}. Nothing more is sent.",
                status=response.status_code,
                trace_id=trace_id(response),
            )
        return response


def _is_exempt(request: httpx.Request) -> bool:
    """A change of one option by Ramp's id of it, and that alone.

    Its schema has no key for a connection, and Ramp refuses keys that it does not know. The id
    leaves no doubt: an option belongs to one field of one connection, and we know none but those
    that this connection gave us (`ramp_side.start_over` forgets all others).
    """
    is_option = _OPTION.fullmatch(request.url.path) is not None
    return is_option and request.method in _CHANGES_OPTION


def _named_by(request: httpx.Request) -> Set[object]:
    """The connections that a request names where Ramp looks for it: query of a GET, else body."""
    if request.method == "GET":
        return set(request.url.params.get_list(KEY))
    try:
        body = json.loads(request.content)
    except ValueError:
        return set()
    named = body.get(KEY) if isinstance(body, dict) else None
    return {named} if isinstance(named, str) else set()


def _named_in(content: bytes) -> Set[str]:
    """The connections that an answer is about, wherever in it they stand."""
    return {one.decode(errors="replace").lower() for one in _NAMED.findall(content)}
