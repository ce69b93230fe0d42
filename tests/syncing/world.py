"""A small world for engine tests: one customer, its ERP in memory, objects as Ramp lists them."""

import json
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.db import connection as database

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.records import Idempotency
from connections.mappings import EntityTarget, MappingSet, Profile, Target
from connections.models import Connection, Entity
from connections.ramp.pages import TransactionPage
from connections.ramp.schemas import Transaction
from syncing import claims, in_hand, poll_schedule, snapshots
from syncing.dispatch import Worker
from syncing.kinds.transactions import TRANSACTION
from syncing.models import Schedule, SyncItem

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ENTITY = uuid.UUID("00000000-0000-4000-8000-0000000000e1")
CARD = "2150"


def connection_with_schedule(**changes: Any) -> Connection:
    """A live customer whose single entity is mapped."""
    values = {
        "slug": f"customer-{uuid.uuid4().hex[:8]}",
        "name": "Harbor Coffee Roasters",
        "stage": Connection.Stage.LIVE,
        "ramp_business_id": uuid.uuid4(),
        "ramp_provider_name": "rampbridge",
        "erp_kind": "ledger",
        "erp_name": "Ledger",
    }
    connection = Connection.objects.create(**values | changes)
    Entity.objects.create(
        connection=connection, ramp_id=ENTITY, name="Harbor", currency="USD", is_mapped=True
    )
    Schedule.objects.create(connection=connection, next_poll_at=NOON)
    return connection


def mapping_set() -> MappingSet:
    """Mappings onto the demo chart of the ERP in memory, where ids are codes."""
    accounts = {code: Target(code, code) for code in ("6100", "6200", "6300", "6400", "6999")}
    options = {("department", code): Target(code, code) for code in ("ENG", "SAL", "OPS")}
    return MappingSet(
        accounts=accounts,
        options=options,
        fields={"department": "Department"},
        entities={str(ENTITY): EntityTarget("Harbor", "", is_mapped=True)},
        profiles={"": Profile(card_liability_account=CARD)},
    )


def coding(account: str) -> dict[str, Any]:
    """A GL account selection as Ramp writes it."""
    return {
        "id": str(uuid.uuid4()),
        "external_id": account,
        "external_code": account,
        "name": account,
        "type": "GL_ACCOUNT",
        "category_info": {
            "id": str(uuid.uuid4()),
            "external_id": "Category",
            "name": "Category",
            "type": "GL_ACCOUNT",
        },
    }


def transaction_body(
    cents: int = 1234, account: str | None = "6200", **changes: Any
) -> dict[str, Any]:
    """A card transaction of one line as Ramp lists it."""
    body = {
        "id": str(uuid.uuid4()),
        "amount": cents / 100,
        "currency_code": "USD",
        "minor_unit_conversion_rate": 100,
        "state": "CLEARED",
        "sync_status": "SYNC_READY",
        "accounting_date": "2026-11-05T00:00:00+00:00",
        "user_transaction_time": "2026-11-04T09:30:00+00:00",
        "entity_id": str(ENTITY),
        "merchant_name": "Figma",
        "memo": "design seats",
        "card_holder": {"first_name": "Ada", "last_name": "Byron"},
        "line_items": [
            {
                "amount": {
                    "amount": cents,
                    "currency_code": "USD",
                    "minor_unit_conversion_rate": 100,
                },
                "accounting_field_selections": [coding(account)] if account else [],
            }
        ],
        "accounting_field_selections": [],
    }
    return body | changes


def list_ready(connection: Connection, *bodies: dict[str, Any]) -> list[SyncItem]:
    """What a pull of these objects leaves behind: items in READY, in the order given."""
    raw = json.dumps({"data": list(bodies), "page": {"next": None}}).encode()
    page = TransactionPage.read(raw, Transaction, base_url="http://ramp.test")
    snapshots.store_page(
        connection,
        page.storable,
        [(TRANSACTION, TRANSACTION.snapshot(one)) for one in page.transactions],
        listed_at=snapshots.database_now(),
    )
    ids = [uuid.UUID(body["id"]) for body in bodies]
    found = {item.ramp_id: item for item in SyncItem.objects.filter(ramp_id__in=ids)}
    return [found[ramp_id] for ramp_id in ids]


def begin_pull(connection: Connection) -> None:
    """A worker begins to pull, and has broken off by now."""
    with poll_schedule.only_poller(connection) as lease:
        assert lease is not None


def poll_is_due(connection: Connection) -> bool:
    """Whether somebody who is rung now pulls."""
    return in_hand.take(connection.pk).rang is not None


def end_turn(connection: Connection) -> None:
    """A worker looked at what is due and goes."""
    with claims.only_worker(connection.pk) as lease:
        assert lease is not None
        poll_schedule.end_turn(lease)


def may_post(connection: Connection) -> bool:
    """Whether a worker that comes now may post."""
    return _circuit(connection).may_post


def is_probing(connection: Connection) -> bool:
    """Whether a worker that comes now sends a single item first."""
    return _circuit(connection).is_probing


def _circuit(connection: Connection) -> claims.WorkLease:
    with claims.only_worker(connection.pk) as lease:
        assert lease is not None
    return lease


_TIMES = {
    "syncing_syncitem": "due_at lease_until may_be_in_erp_until intended_at posted_at acked_at"
    " error_at",
    "syncing_schedule": "resume_at work_lease_until poll_lease_until rung_at next_poll_at"
    " fetch_due_at last_pull_started_at",
    "syncing_ackbatch": "due_at lease_until",
    "syncing_syncrequest": "received_at stop_at ends_at",
    "syncing_pause": "canary_due_at",
    "syncing_databaseidentity": "changed_at suspect_until",
}


def let_time_pass(seconds: float) -> None:
    """Move every time that is compared with the database's clock into the past.

    Snapshots stay as young as they are: see `let_snapshots_age`.
    """
    with database.cursor() as cursor:
        for table, columns in _TIMES.items():
            changes = ", ".join(
                f"{column} = {column} - %(span)s::interval" for column in columns.split()
            )
            cursor.execute(f"UPDATE {table} SET {changes}", {"span": f"{seconds} seconds"})


def let_snapshots_age(seconds: float) -> None:
    """Let it be so long ago that items were read from Ramp."""
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE syncing_syncitem SET snapshot_at = snapshot_at - %s::interval,"
            " seen_ready_at = seen_ready_at - %s::interval",
            [f"{seconds} seconds"] * 2,
        )


def wait_until_someone_waits() -> None:
    """Return once another connection to the database waits for a lock of ours.

    Of ours: on the same server other processes run tests of their own, which wait for each other.
    """
    with database.cursor() as cursor:
        for _ in range(3000):
            cursor.execute(
                "SELECT count(*) FROM pg_locks"
                " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
            )
            (waiting,) = cursor.fetchone()
            if waiting:
                return
            cursor.execute("SELECT pg_sleep(0.02)")
    raise AssertionError("Nobody came to wait for a lock.")


@dataclass
class World:
    """One customer with its ERP, and a worker on them."""

    idempotency: Idempotency = Idempotency.UNIQUE_KEY
    settle: float = 0
    connection: Connection = field(default_factory=connection_with_schedule)
    erp: InMemoryErp = field(init=False)
    mappings: MappingSet = field(default_factory=mapping_set)

    def __post_init__(self) -> None:
        self.erp = InMemoryErp(idempotency=self.idempotency, settle=self.settle)

    @property
    def worker(self) -> Worker:
        return Worker(self.connection, self.erp, self.mappings, lambda: 0.5)

    def ready(self, *bodies: dict[str, Any]) -> list[SyncItem]:
        return list_ready(self.connection, *(bodies or (transaction_body(),)))
