"""Ramp's API, one method per endpoint, in its own words."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

import httpx

from connections.ramp.api import Api, segment
from connections.ramp.bodies import CodingSelection, ConnectionSettings
from connections.ramp.chart import Chart
from connections.ramp.chart_pages import ChartPages
from connections.ramp.errors import InvalidRequest, SchemaSurprise
from connections.ramp.inactive import InactiveChart
from connections.ramp.lists import Lists
from connections.ramp.payees import Payees
from connections.ramp.rate_limit import Lane
from connections.ramp.schemas import (
    AccountingConnection,
    Business,
    ConnectionList,
    Entity,
    SyncAccepted,
    Verified,
    Webhook,
    decode,
)


@dataclass(frozen=True, slots=True)
class SyncResult:
    """Ramp took a report."""

    sync_id: str
    trace_id: str


class RampClient(Chart, ChartPages, Lists, Payees):
    """Speaks to Ramp for one business. Every method returns a schema or raises a `RampError`.

    It does not retry, and does not wait for anything but its turn at the rate limit.
    """

    def __init__(
        self, *, base_url: str, auth: httpx.Auth, http: httpx.Client, lane: Lane = Lane.ORDINARY
    ) -> None:
        super().__init__(Api(base_url=base_url, auth=auth, http=http, lane=lane))

    @property
    def last_trace_id(self) -> str:
        """What Ramp's support finds the newest call of this client by."""
        return self._api.last_trace_id

    @property
    def calls(self) -> int:
        """Requests that this client has sent."""
        return self._api.calls

    @property
    def waited(self) -> float:
        """Seconds that they waited for their turn at the rate limit."""
        return self._api.waited

    def for_inactive(self, connection_id: UUID) -> InactiveChart:
        """The chart of a connection that is not active yet.

        What it offers can be said of an inactive connection, and nothing leaves it that does not
        say which one.
        """
        return InactiveChart(self._api, connection_id)

    def business(self) -> Business:
        return self._api.call("GET", "business").read(Business)

    def entities(self) -> Iterator[Entity]:
        return self._api.everything("entities", Entity, {})

    def all_connections(self) -> Sequence[AccountingConnection]:
        """Every connection the business ever had; see `AccountingConnection.is_live`."""
        answer = self._api.call("GET", "accounting/all-connections")
        return answer.read(ConnectionList).connections

    def create_connection(
        self,
        *,
        remote_provider_name: str,
        settings: ConnectionSettings | None = None,
        is_active: bool = True,
    ) -> AccountingConnection:
        """Take the seat. Compare the name in the answer: Ramp returns an incumbent all the same."""
        body: dict[str, object] = {"remote_provider_name": remote_provider_name}
        if settings:
            body["settings"] = settings
        if not is_active:  # a key of the newest guide only, so left out where it says nothing
            body["is_active"] = False
        answer = self._api.call("POST", "accounting/connection", body=body)
        return answer.read(AccountingConnection)

    def connection(self, connection_id: UUID) -> AccountingConnection:
        answer = self._api.call("GET", f"accounting/connection/{segment(connection_id)}")
        return answer.read(AccountingConnection)

    def update_connection(
        self, connection_id: UUID, settings: ConnectionSettings
    ) -> AccountingConnection:
        path = f"accounting/connection/{segment(connection_id)}"
        return self._api.call("PATCH", path, body={"settings": settings}).read(AccountingConnection)

    def delete_connection(self) -> None:
        """Give up the active connection. It stays listed, unlinked."""
        self._api.call("DELETE", "accounting/connection")

    def reactivate_connection(self, connection_id: UUID) -> AccountingConnection:
        path = f"accounting/connection/{segment(connection_id)}/reactivate"
        return self._api.call("POST", path).read(AccountingConnection)

    def mark_ready_to_migrate(self, connection_id: UUID) -> AccountingConnection:
        """Offer an inactive connection to the customer under Switch Providers (contract 3).

        :raises InvalidRequest: if one of Ramp's four conditions is not met. What it says is not
            documented; tell the conditions from `all_connections`
        """
        path = f"accounting/connection/{segment(connection_id)}/ready-to-migrate"
        return self._api.call("POST", path).read(AccountingConnection)

    def post_syncs(self, body: bytes | Mapping[str, object]) -> SyncResult:
        """Report what was booked, or why not. Bytes go out exactly as they were frozen.

        All or nothing. A `SchemaSurprise` here means that Ramp did take the report.
        """
        answer = self._api.call("POST", "accounting/syncs", body=body)
        return SyncResult(answer.read(SyncAccepted).sync_id, answer.trace_id)

    def ready_to_sync(
        self, object_ids: Sequence[UUID], *, object_type: str = "TRANSACTION"
    ) -> None:
        """Mark up to 500 objects ready. One that cannot be marked refuses them all."""
        ids = [str(object_id) for object_id in object_ids]
        body = {"object_type": object_type, "object_ids": ids}
        self._api.call("POST", "accounting/ready-to-sync", body=body)

    def code_object(
        self,
        object_id: UUID,
        selections: Sequence[CodingSelection],
        *,
        object_type: str = "TRANSACTION",
    ) -> None:
        """Write codings onto an object, such as the vendor that was just made for it (R-38).

        The list has two names in Ramp's documents, so the second is tried when the first is
        refused (contract C12).

        :raises InvalidRequest: if Ramp refuses the codings under either name
        """
        try:
            self._code("accounting_field_selections", object_id, selections, object_type)
        except InvalidRequest as error:
            if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
                raise
            self._code("accounting_coding_selections", object_id, selections, object_type)

    def _code(
        self,
        name: str,
        object_id: UUID,
        selections: Sequence[CodingSelection],
        object_type: str,
    ) -> None:
        body = {"object_type": object_type, "object_id": str(object_id), name: list(selections)}
        self._api.call("POST", "accounting/codings", body=body)

    def create_webhook(
        self,
        *,
        endpoint_url: str,
        event_types: Sequence[str],
        additional_headers: Mapping[str, str] | None = None,
    ) -> Webhook:
        """Subscribe. The secret comes in this answer only; the challenge may come before it."""
        body: dict[str, object] = {"endpoint_url": endpoint_url, "event_types": list(event_types)}
        if additional_headers:
            body["additional_headers"] = dict(additional_headers)
        return self._api.call("POST", "webhooks", body=body).read(Webhook)

    def verify_webhook(self, webhook_id: str, *, challenge: str) -> None:
        """Answer the challenge, which makes the subscription active."""
        path = f"webhooks/{segment(webhook_id)}/verify"
        answer = self._api.call("POST", path, body={"challenge": challenge})
        if not answer.read(Verified).success:
            raise SchemaSurprise(
                "Ramp did not accept the challenge.", status=answer.status, trace_id=answer.trace_id
            )

    def webhooks(self) -> Sequence[Webhook]:
        answer = self._api.call("GET", "webhooks")
        with answer.blamed():
            rows = decode(answer.body)
            if not isinstance(rows, list):
                raise SchemaSurprise("The answer is not a list of webhooks.")
            return [Webhook.read(row) for row in rows]

    def delete_webhook(self, webhook_id: str) -> None:
        self._api.call("DELETE", f"webhooks/{segment(webhook_id)}")
