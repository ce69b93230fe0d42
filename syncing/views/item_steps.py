"""What led from an object of Ramp to a document, as lines of the timeline: nothing silent (P-13).

Worked out from what is kept anyway when somebody looks: the object, the frozen document, the
mappings and their revisions. Defaults and fallbacks are lines like any other.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import MappingKind
from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import LineItem, Selection, Transaction
from connections.ramp.spend import Bill, Reimbursement, Transfer, VendorCredit
from syncing.decisions import Action, decide, transfer_action
from syncing.kinds import KINDS, Standing
from syncing.models import ItemEvent, SyncItem, SyncRun
from syncing.queries.item_page import Applied, Coding, mappings_applied
from syncing.queries.words import type_label
from syncing.views.booked import BookedDocument

_KINDS = {
    "GL_ACCOUNT": MappingKind.GL_ACCOUNT,
    "MERCHANT": MappingKind.VENDOR,
    "TAX_CODE": MappingKind.TAX_CODE,
}
_WORDS: Mapping[Action, str] = {
    Action.POST: "a document belongs into the ERP",
    Action.NOTHING: "nothing is due",
    Action.CONFIRM: "no document of its own: confirmed with the bill's",
    Action.WAIT: "nothing yet",
    Action.HOLD: "held for a person",
}


@dataclass(frozen=True, slots=True)
class Mapped:
    """One coding and where it led, as a row of a step."""

    label: str
    ramp: str
    erp: str
    how: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A line that no event tells, beside the event that it belongs to."""

    event: int
    """The key of the event that it follows."""
    title: str
    tone: str
    icon: str
    text: str = ""
    facts: Sequence[tuple[str, str]] = ()
    mapped: Sequence[Mapped] = ()
    notes: Sequence[str] = ()
    run_id: int | None = None
    comes_before: bool = False
    """It leads to its event, rather than follows it."""


def steps(
    item: SyncItem,
    events: Sequence[ItemEvent],
    document: BookedDocument | None,
    agreed_at: datetime | None,
) -> Iterator[Step]:
    """The steps of an item, each with the event that it follows. At most one query."""
    payload = getattr(item, "payload", None)
    one = _read(item, payload.ramp if payload else {})
    ready = next((event for event in events if event.kind == ItemEvent.Kind.READY), None)
    if ready is not None:
        yield _fetched(item, ready)
        if one is not None:
            yield _decided(item, one, ready)
    sent = [event for event in events if event.kind == ItemEvent.Kind.SENT]
    if sent and one is not None and document is not None:
        yield from _mapped(item, one, document, sent[-1])
    booked = [event for event in events if event.kind in ("posted", "found")]
    if agreed_at is not None and booked:
        yield Step(
            events[-1].pk,
            "Read back",
            "done",
            "scale",
            f"{item.connection.erp_name} held {item.erp_number} over {item.money} still, by the"
            f" comparison of {agreed_at:%-d %b %Y}.",
        )


def _read(item: SyncItem, body: Mapping[str, Any]) -> Any:
    kind = KINDS.get(item.object_type)
    try:
        return kind.model.read(body) if kind and body else None
    except SchemaSurprise:
        return None  # the page says so in its place


def _fetched(item: SyncItem, ready: ItemEvent) -> Step:
    run_id = getattr(item, "run_id", None)
    finished = getattr(item, "run_finished_at", None)
    is_of_run = run_id is not None and (finished is None or finished >= item.ready_at)
    trigger = getattr(item, "run_trigger", "") or ""
    by = SyncRun.Trigger(trigger).label if trigger in SyncRun.Trigger.values else ""
    return Step(
        ready.pk,
        "Fetched",
        "neutral",
        "download",
        f"Read from Ramp's list by run {run_id}." if is_of_run else "Read from Ramp.",
        facts=[
            ("Came by", item.get_arrived_by_display()),
            *([("Run", by.lower())] if is_of_run and by else []),
        ],
        run_id=run_id if is_of_run else None,
    )


def _decided(item: SyncItem, one: Any, ready: ItemEvent) -> Step:
    """Which row of which table, and the values that were seen (R-55)."""
    if isinstance(one, Bill):
        due = decide(one)
        action = due.payment if item.object_type == "bill_payment" else due.bill
        seen = [("sync_status", one.sync_status), ("status", one.status)]
        if one.payment and item.object_type == "bill_payment":
            seen.append(("payment_method", one.payment.payment_method))
        words = due.reason or f"{type_label(item.object_type)}: {_WORDS[action]}."
        return Step(ready.pk, "Decided", "neutral", "route", words, facts=_shown(seen))
    if isinstance(one, Transfer):
        action, reason = transfer_action(one)
        seen = [("sync_status", one.sync_status), ("status", one.status)]
        words = reason or f"{type_label(item.object_type)}: {_WORDS[action]}."
        return Step(ready.pk, "Decided", "neutral", "route", words, facts=_shown(seen))
    standing = KINDS[item.object_type].standing(one)
    words = {
        Standing.READY: "Ready to sync: a document belongs into the ERP.",
        Standing.SYNCED: "Synced by now, as Ramp was last read.",
        Standing.NOT_READY: "Not ready any more, as Ramp was last read.",
        Standing.UNKNOWN: "Ramp says a word that we do not know.",
    }[standing]
    seen = [("sync_status", getattr(one, "sync_status", ""))]
    return Step(ready.pk, "Decided", "neutral", "route", words, facts=_shown(seen))


def _shown(seen: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(name, value) for name, value in seen if value]


def _mapped(item: SyncItem, one: Any, document: BookedDocument, sent: ItemEvent) -> Iterator[Step]:
    lines = _coded_lines(one)
    wanted = {_coding(selection) for line in lines for selection in line if selection.external_id}
    applied = mappings_applied(item, sorted(wanted, key=repr), at=sent.at)
    rows: dict[tuple[str, str], Mapped] = {}
    for number, line in enumerate(lines):
        target = document.lines[number] if number < len(document.lines) else None
        for selection in line:
            row = _row(selection, applied.get(_coding(selection)), target)
            rows.setdefault((row.label, row.ramp), row)
    notes = list(_defaults(item, one, document, lines))
    if rows or notes:
        yield Step(
            sent.pk,
            "Mapped",
            "neutral",
            "arrow-left-right",
            "" if rows else "No coding of Ramp's was needed.",
            mapped=list(rows.values()),
            notes=notes,
            comes_before=True,
        )


def _coded_lines(one: Any) -> list[list[Selection]]:
    match one:
        case Transaction() | Reimbursement():
            items: Sequence[LineItem] = one.line_items
        case Bill() | VendorCredit():
            items = one.lines
        case _:
            return []
    return [
        [selection for selection in one.codings(line) if selection.is_for_erp] for line in items
    ]


def _coding(selection: Selection) -> Coding:
    kind = _KINDS.get(selection.type, MappingKind.FIELD_OPTION)
    return Coding(str(kind), selection.field_external_id, selection.external_id, selection.name)


def _row(selection: Selection, applied: Applied | None, line: Any) -> Mapped:
    kind = _KINDS.get(selection.type)
    field_name = selection.category_info.name if selection.category_info else ""
    label = str(MappingKind(kind).label) if kind else field_name or "Field"
    code = selection.external_code or selection.external_id
    ramp = f"{code} {selection.name}".strip() or "not named"
    erp = applied.target if applied else selection.external_id
    if kind == MappingKind.GL_ACCOUNT and line is not None:
        erp = line.account or f"account {line.account_id}"
    elif kind is None and line is not None:
        erp = dict(line.dimensions).get(field_name, erp)
    if applied is None:
        return Mapped(label, ramp, erp, "Ramp carries the ERP's own id; no mapping was needed.")
    before = f" instead of {applied.before}" if applied.before else ""
    why = f": {applied.reason}" if applied.reason else ""
    how = f"Mapped by {applied.actor or 'rampbridge'}{before}{why}"
    return Mapped(label, ramp, erp, how, applied.revision)


def _defaults(
    item: SyncItem, one: Any, document: BookedDocument, lines: Sequence[Sequence[Selection]]
) -> Iterator[str]:
    """What stands in the document because nothing else was said."""
    for number, line in enumerate(lines, start=1):
        if not any(selection.type == "GL_ACCOUNT" for selection in line):
            which = f"Line {number}" if len(lines) > 1 else "It"
            yield f"{which} has no GL account in Ramp: the fallback account was used."
    if isinstance(one, Transaction) and one.accounting_date is None:
        yield "Ramp gives no accounting date: the day of the purchase was used."
    if isinstance(one, Bill) and item.object_type == "bill":
        if document.number and document.number != one.invoice_number:
            yield (
                f"Its invoice number {one.invoice_number or 'is empty'} was written as"
                f" {document.number}, for another bill of the vendor has it."
            )
        if one.accounting_date is None and one.posting_date is None:
            yield "Ramp gives no accounting date: the invoice's own was used."
    if item.accounting_date and document.posting_date != item.accounting_date:
        yield (
            f"It is dated {document.posting_date:%-d %b %Y} in the ERP, and"
            f" {item.accounting_date:%-d %b %Y} in Ramp as last read."
        )
