"""Items that people settle, in every state that their pages know."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from connections.erp.records import DocKind, State
from connections.erp.search import FoundDocument
from connections.models import Connection
from syncing.models import (
    ErpLook,
    FormerDocument,
    Handling,
    Inquiry,
    ItemEvent,
    OutsideMark,
    Settlement,
    SyncItem,
)
from tests.browser.stories import make_item
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    EntityFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    now,
    transaction_json,
)

Kind = ItemEvent.Kind


def world() -> Connection:
    """One customer with an item for each thing that can be settled."""
    connection = _customer("harbor", "Harbor Coffee Roasters")
    unseen(connection)
    found(connection)
    asked(connection)
    waiting(connection)
    gone(connection)
    disagreeing(connection)
    outside(connection)
    retried(connection)
    inquiries(connection)
    return connection


def long_world() -> Connection:
    """The same with names as long as they come."""
    connection = _customer("long", LONG_NAME)
    item = _review(connection, label=LONG_NAME, amount_minor=987_654_321_098_76)
    _look(
        item,
        _document(item, number="JRN/2026/11/" + "0" * 50, score=54, party=LONG_NAME),
        _document(item, number="X", score=14, total=Decimal("1.00"), memo=LONG_NAME),
    )
    return connection


def unseen(connection: Connection) -> SyncItem:
    """Nobody has looked yet."""
    return _review(connection, label="Cafe Imports", amount_minor=412_50)


def found(connection: Connection) -> SyncItem:
    """Ours was found, and another one that resembles it."""
    item = _review(connection, label="Ecolab", amount_minor=96_20)
    _look(
        item,
        _document(item, number="RAMP-20418", score=100, ref=item.erp_ref),
        _document(item, number="EXP-0077", score=54),
        _document(item, number="EXP-0071", score=14, total=Decimal("91.00")),
    )
    return item


def asked(connection: Connection) -> SyncItem:
    """Somebody says that it is a document over another amount; the second person is asked."""
    item = _review(connection, label="Uline", amount_minor=5_230_00)
    look = _look(item, _document(item, number="EXP-0091", score=34, total=Decimal("5200.00")))
    Settlement.objects.create(
        item=item,
        act=Settlement.Act.ADOPT,
        state=Settlement.State.ASKED,
        reason="The bank kept 30.00 as a fee.",
        document=look.candidates[0],
        needs_second=True,
        asked_by="tomas",
        asked_at=now() - timedelta(minutes=12),
    )
    return item


def waiting(connection: Connection) -> SyncItem:
    """The ERP is being searched, and somebody lets the item wait meanwhile."""
    item = _review(connection, label="United Airlines", amount_minor=890_00)
    ErpLook.objects.create(
        item=item, asked_by="maya", asked_at=now() - timedelta(seconds=4), due_at=now()
    )
    Settlement.objects.create(
        item=item,
        act=Settlement.Act.WAIT,
        state=Settlement.State.DONE,
        reason="The bookkeeper looks after lunch.",
        until=now() + timedelta(hours=3),
        asked_by="maya",
        asked_at=now(),
    )
    return item


def gone(connection: Connection) -> SyncItem:
    """It was searched by our reference and is not there."""
    item = _review(connection, label="Toast", amount_minor=48_00)
    _look(item)
    return item


def disagreeing(connection: Connection) -> SyncItem:
    """The ERP holds another amount than Ramp."""
    item = make_item(connection, "mismatch", {"label": "Staples"})
    title = f"{item.erp_number} is over 91.00 USD in Tryton, and over 123.45 USD in Ramp."
    SyncItem.objects.filter(pk=item.pk).update(
        error_category="needs_integrator", error_code="erp.booked_otherwise", error_title=title
    )
    return item


def outside(connection: Connection) -> SyncItem:
    """Handled outside; and one that waits for a second person to say so."""
    large = make_item(connection, "failed", {"label": "Henry Schein", "amount_minor": 8_000_00})
    OutsideMark.objects.create(
        item=large,
        reason="Typed in by the bookkeeper before the period was closed.",
        needs_second=True,
        state=OutsideMark.State.ASKED,
        asked_by="tomas",
        asked_at=now() - timedelta(hours=2),
    )
    return make_item(connection, "external", {"label": "Zoom"})


def retried(connection: Connection) -> SyncItem:
    """Two attempts with two documents, and somebody who cares for it."""
    item = make_item(connection, "done", {"label": "Digi-Key"})
    before = {**(item.payload.document or {}), "posting_date": "2026-10-31", "memo": "first try"}
    sent = item.events.get(kind=Kind.SENT)
    FormerDocument.objects.create(
        item=item, document=before, replaced_at=sent.at + timedelta(milliseconds=1)
    )
    ItemEvent.objects.create(
        item=item, at=sent.at + timedelta(minutes=5), kind=Kind.SENT, data={"attempt": 2}
    )
    ItemEvent.objects.create(
        item=item,
        at=sent.at + timedelta(minutes=5, seconds=1),
        kind=Kind.POSTED,
        data={"number": item.erp_number, "total": "123.45", "ms": 212},
    )
    Handling.objects.create(
        item=item, owner="hannah", owned_since=now() - timedelta(hours=1), tags=["close", "vip"]
    )
    return item


def inquiries(connection: Connection) -> None:
    """An answer, and a question that is under way."""
    item = make_item(connection, "queued", {"label": "Figma"})
    body = transaction_json(item) | {"sync_status": "NOT_SYNC_READY", "state": "PENDING"}
    body["line_items"][0]["accounting_field_selections"] = []
    Inquiry.objects.create(
        connection=connection,
        object_type="transaction",
        ramp_id="00000000-0000-4000-8000-0000000000a1",
        asked_by="maya",
        asked_at=now() - timedelta(seconds=9),
        answered_at=now() - timedelta(seconds=5),
        is_there=True,
        body=body,
        trace_id="4f1c9a77d0b2e611",
    )
    Inquiry.objects.create(
        connection=connection,
        object_type="bill",
        ramp_id="00000000-0000-4000-8000-0000000000a2",
        asked_by="maya",
        asked_at=now(),
        due_at=now(),
    )


def _customer(slug: str, name: str) -> Connection:
    connection = ConnectionFactory.create(slug=slug, name=name)
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(connection=connection, name=f"{name} HQ"[:200])
    for code, title in (("6200", "Software"), ("2150", "Ramp card clearing")):
        LedgerAccountFactory.create(connection=connection, erp_id=code, code=code, name=title)
    return connection


def _review(connection: Connection, **shape: Any) -> SyncItem:
    item = make_item(connection, "review", shape)
    item.error_code, item.error_category = "erp.review", "needs_integrator"
    item.state_at = now() - timedelta(minutes=25)
    item.save(update_fields=["error_code", "error_category", "state_at"])
    ItemEvent.objects.create(
        item=item,
        at=now() - timedelta(minutes=26),
        kind=Kind.LOOKED,
        text="Searched the ERP by our reference: nothing carries it.",
        data={"searched": item.erp_ref, "ms": 84},
    )
    return item


def _document(item: SyncItem, *, score: int, **changes: Any) -> dict[str, Any]:
    total = changes.pop("total", abs(item.money.decimal))
    problems = []
    if total != abs(item.money.decimal):
        off = abs(total - abs(item.money.decimal))
        problems = [f"It is over {total:,f} {item.currency}, {off:,f} {item.currency} off."]
    values: dict[str, Any] = {
        "kind": DocKind.JOURNAL,
        "erp_id": changes.get("number", "1"),
        "posting_date": item.accounting_date,
        "total": total,
        "currency": item.currency,
        "state": State.POSTED,
        "url": "https://tryton.example/#books/model/account.move/418",
        "memo": "Expenses of November",
    }
    reasons = ["same date"] if problems else ["same amount", "same date"]
    return {
        "document": FoundDocument(**(values | changes)).to_json(),
        "score": score,
        "reasons": ["carries our reference", *reasons] if score == 100 else reasons,
        "problems": problems,
    }


def _look(item: SyncItem, *candidates: dict[str, Any]) -> ErpLook:
    return ErpLook.objects.create(
        item=item,
        asked_by="maya",
        asked_at=now() - timedelta(seconds=40),
        answered_at=now() - timedelta(seconds=38),
        asked_for=[
            f"our reference {item.erp_ref}",
            f"documents over {abs(item.money.decimal):,f} {item.currency},"
            " 7 days around 20 Nov 2026",
        ],
        is_conclusive=True,
        candidates=list(candidates),
    )
