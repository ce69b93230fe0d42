"""Statements as Ramp gives them, and items of a month."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from connections.models import Connection
from syncing.models import CardStatement, SyncItem
from tests.factories import SyncItemFactory, now

TYPES = {"transaction": "CARD_TRANSACTION", "cashback": "CASHBACK", "transfer": "TRANSFER_PAYMENT"}


def item(connection: Connection, *traits: str, **shape: Any) -> SyncItem:
    """An item of October 2026, unless it says otherwise."""
    shape = {"accounting_date": date(2026, 10, 9), **dict.fromkeys(traits, True), **shape}
    return SyncItemFactory.create(connection=connection, **shape)


def line(one: SyncItem, **more: Any) -> dict[str, Any]:
    """The line of a statement that names an item's object."""
    moment = "2026-10-09T10:00:00Z"
    return {"id": str(one.ramp_id), "type": TYPES[one.object_type], "created_at": moment,
            "cleared_at": moment, **more}  # fmt: skip


def section(
    *,
    charges: int = 0,
    credits_: int = 0,
    payments: int = 0,
    currency: str = "USD",
    entity: UUID | None = None,
) -> dict[str, Any]:
    """Ramp's sums of one entity."""
    sums = {"opening_balance": 0, "charges": charges, "credits": credits_, "payments": payments,
            "ending_balance": charges - credits_ - payments}  # fmt: skip
    return {"id": str(uuid4()), "entity_id": entity and str(entity)} | {
        name: {"amount": minor, "currency_code": currency, "minor_unit_conversion_rate": 100}
        for name, minor in sums.items()
    }


def statement(
    connection: Connection,
    lines: Sequence[dict[str, Any]],
    sections: Sequence[dict[str, Any]] = (),
    *,
    start: date = date(2026, 10, 1),
    end: date = date(2026, 11, 1),
    seen_at: datetime | None = None,
) -> CardStatement:
    """A statement of October, as our nightly reading keeps it."""
    pk = uuid4()
    body = {
        "id": str(pk),
        "start_date": f"{start}T00:00:00Z",
        "end_date": f"{end}T00:00:00Z",
        "balance_sections": list(sections),
        "statement_lines": list(lines),
    }
    return CardStatement.objects.create(
        connection=connection,
        ramp_id=pk,
        start_date=start,
        end_date=end,
        body=body,
        seen_at=seen_at or now(),
    )
