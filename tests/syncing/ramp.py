"""One customer between a pretend Ramp and an ERP in memory, all in this process."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

import httpx
from django.utils import timezone

from connections.erp.records import Idempotency
from connections.mappings import EntityTarget
from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.faults import Fault
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Transaction
from syncing import outbox, polling
from syncing.engine import post_due_items
from syncing.models import AckBatch, ItemEvent, Schedule, SyncItem, SyncRun
from tests.syncing.world import (
    World,
    connection_with_schedule,
    let_snapshots_age,
    let_time_pass,
    mapping_set,
)

BASE_URL = "http://ramp.test"


class Row(Protocol):
    """Whatever the pretend Ramp has under an id."""

    @property
    def id(self) -> str: ...


SCOPES = (
    "accounting:read",
    "accounting:write",
    "bills:read",
    "business:read",
    "cards:read",
    "cashbacks:read",
    "entities:read",
    "receipts:read",
    "reimbursements:read",
    "statements:read",
    "transactions:read",
    "transfers:read",
    "vendors:read",
)
ACCOUNTS = [
    {"id": code, "code": code, "name": f"Account {code}", "classification": "EXPENSE"}
    for code in ("6100", "6200", "6300", "6400", "6999")
]


def pretend_ramp() -> Simulator:
    """A Ramp with businesses and no spend yet."""
    return Simulator.with_scenario("empty", rate_limit=False)


Intercept = Callable[[httpx.Request], httpx.Response | None]


class _Wire(httpx.WSGITransport):
    """Keeps the body of every report that goes out, and may answer in Ramp's place."""

    def __init__(self, sim: Simulator) -> None:
        super().__init__(app=sim.wsgi)
        self.reports: list[bytes] = []
        self.intercept: Intercept = lambda _: None

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/accounting/syncs"):
            self.reports.append(request.read())
        return self.intercept(request) or super().handle_request(request)


class Customer:
    """A business of the pretend Ramp, our connection to it, and its ERP."""

    def __init__(
        self,
        key: str = "harbor-coffee",
        *,
        sim: Simulator | None = None,
        idempotency: Idempotency = Idempotency.UNIQUE_KEY,
        types: Sequence[str] = ("transaction",),
    ) -> None:
        """`types` are the lists that are switched on, as `Connection.object_types` names them."""
        self.sim = sim or pretend_ramp()
        self.business: BusinessHandle = self.sim.business(key)
        self.business.upload_chart(accounts=ACCOUNTS)
        self.connection = connection_with_schedule(
            ramp_business_id=self.business.id, object_types=list(types)
        )
        self.wire = _Wire(self.sim)
        self.http = httpx.Client(transport=self.wire)
        self.ramp = self._client()
        self.world = World(idempotency, connection=self.connection)
        entities = {
            entity.id: EntityTarget(entity.id, "", is_mapped=True)
            for entity in self.sim.world.entities.of(key)
        }
        self.world.mappings = replace(mapping_set(), entities=entities)

    def _client(self) -> RampClient:
        auth = ClientCredentials(
            base_url=BASE_URL,
            client_id=self.business.client_id,
            client_secret=self.business.client_secret,
            scopes=SCOPES,
            store=MemoryTokenStore(),
            clock=timezone.now,
        )
        return RampClient(base_url=BASE_URL, auth=auth, http=self.http)

    @property
    def sent(self) -> list[bytes]:
        """Every report that went out, as it was sent."""
        return self.wire.reports

    # -- what people do in Ramp

    def spend(self, minor: int = 1234, account: str = "6200", **details: Any) -> Transaction:
        """Something is bought, coded and marked ready."""
        details = {"memo": "design seats"} | details
        return self.business.create_transaction(
            minor=minor, account_code=account, ready=True, **details
        )

    def fault(self, kind: str, operation: str, **details: Any) -> Fault:
        return self.sim.fault(kind, operation, **details)

    def told(self, transaction: Transaction) -> list[tuple[str, str]]:
        """What Ramp was told of a transaction: outcome, and reference or message."""
        row = self.business.transaction(transaction.id)
        return [
            (commit.outcome, commit.reference_id or commit.message or "") for commit in row.commits
        ]

    # -- what our workers do

    def pull(self, *, trigger: str = "poll") -> SyncRun:
        self.connection.refresh_from_db()  # and forgets the schedule it has read before
        let_snapshots_age(1)  # inside one transaction the database's clock stands still
        run = polling.pull(
            self.connection, self.ramp, trigger=trigger, now=timezone.now(), jitter=0.5
        )
        assert run is not None
        return run

    def post(self) -> int:
        return post_due_items(self.world.worker)

    def report(self) -> int:
        self.connection.refresh_from_db()
        return outbox.report_results(self.connection, lambda: self.ramp, jitter=0.5)

    def report_until_quiet(self, rounds: int = 12) -> int:
        """Report as the sweep would, with time passing in between. Returns the batches sent."""
        sent = 0
        for _ in range(rounds):
            now = self.report()
            sent += now
            let_time_pass(3600)
            if not now and not AckBatch.objects.filter(state="open").exists():
                return sent
        return sent

    def go_through(self) -> None:
        """From ready in Ramp to reported back, without any fault."""
        self.pull()
        self.post()
        self.report()

    # -- what became of it

    def item(self, row: Row, phase: int = 0) -> SyncItem:
        return SyncItem.objects.get(connection=self.connection, ramp_id=row.id, phase=phase)

    def state(self, row: Row, phase: int = 0) -> str:
        return self.item(row, phase).state

    def timeline(self, row: Row, phase: int = 0) -> list[str]:
        events = ItemEvent.objects.filter(item=self.item(row, phase)).order_by("id")
        return list(events.values_list("kind", flat=True))

    @property
    def schedule(self) -> Schedule:
        return Schedule.objects.get(pk=self.connection.pk)

    @property
    def documents(self) -> int:
        return len(self.world.erp.books.entries)

    def calls(self, operation: str) -> int:
        return self.sim.calls[operation]


Rewrite = Callable[[dict[str, Any]], None]


def rewritten(
    rewrite: Rewrite, of: Sequence[str] = ("transactions",)
) -> Callable[[httpx.Response], None]:
    """A response hook that changes what lists say whose paths end like this."""

    def change(response: httpx.Response) -> None:
        response.read()
        if response.is_success and response.request.url.path.endswith(
            tuple(f"/{name}" for name in of)
        ):
            document = json.loads(response.content)
            rewrite(document)
            response._content = json.dumps(document).encode()

    return change
