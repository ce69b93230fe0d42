"""What one item's page is made of: facts side by side, the document, the timeline."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from connections import queries as connection_queries
from rampbridge.lib.money import Money
from syncing.models import ItemEvent, SyncItem
from syncing.queries import items as item_queries
from syncing.queries.words import Word, word_for
from syncing.states import ItemState
from syncing.views import payloads, ramp_object
from syncing.views.ramp_object import RampObject

Kind = ItemEvent.Kind

_EVENT_LOOKS: Mapping[str, tuple[str, str]] = {
    Kind.READY: ("neutral", "flag"),
    Kind.CHANGED: ("neutral", "pencil"),
    Kind.SENT: ("work", "send"),
    Kind.POSTED: ("done", "file-check-2"),
    Kind.FOUND: ("done", "search"),
    Kind.REFUSED: ("customer", "circle-slash"),
    Kind.RETRYING: ("retry", "rotate-ccw"),
    Kind.UNCERTAIN: ("uncertain", "circle-help"),
    Kind.HELD: ("person", "hand"),
    Kind.REPORTED: ("done", "check-check"),
    Kind.FAILURE_TOLD: ("customer", "message-square-warning"),
    Kind.REPORT_REFUSED: ("person", "octagon-alert"),
    Kind.RELEASED: ("neutral", "undo-2"),
    Kind.EXTERNAL: ("neutral", "external-link"),
    Kind.WITHDRAWN: ("neutral", "undo-2"),
    Kind.NOTE: ("neutral", "info"),
}
_DATA_LABELS = {
    "attempt": "Attempt",
    "number": "Document",
    "code": "Code",
    "detail": "In its own words",
    "next": "Next try",
    "sync_id": "Ramp sync",
    "trace": "Trace",
    "batch": "Report",
}
_RAMP_STATUS = {
    "NOT_SYNC_READY": "Not ready",
    "SYNC_READY": "Ready to sync",
    "SYNCED": "Synced",
}


@dataclass(frozen=True, slots=True)
class Claim:
    """What one of the three says about a thing, and how it is written."""

    value: Any = None
    text: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question, three answers."""

    label: str
    kind: str  # money, date, time or text: how the template writes the values
    ramp: Claim
    us: Claim
    erp: Claim
    compare: bool = True

    @property
    def differs(self) -> bool:
        """Two who both know disagree."""
        if not self.compare:
            return False
        known = [claim.value for claim in (self.ramp, self.us, self.erp) if claim.value is not None]
        return any(value != known[0] for value in known)


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of the document, as an accountant reads it."""

    account_id: str
    account: str
    memo: str
    dimensions: Sequence[tuple[str, str]]
    debit: Money | None
    credit: Money | None


@dataclass(frozen=True, slots=True)
class BookedDocument:
    """The frozen document: its lines, and both sums, which must be equal."""

    kind: str
    posting_date: date
    party: str
    lines: Sequence[DocumentLine]
    debits: Money
    credits: Money


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    event: ItemEvent
    title: str
    tone: str
    icon: str
    since_last: Any
    facts: Sequence[tuple[str, str]] = field(default_factory=tuple)
    new_day: str = ""


def context(item: SyncItem, events: Sequence[ItemEvent], now: datetime) -> dict[str, Any]:
    """Everything the templates `syncing/item.html` and its part show."""
    row = item_queries.ItemRow(item, word_for(item, now))
    payload = getattr(item, "payload", None)
    ramp = ramp_object.read(item.object_type, payload.ramp if payload else {})
    document = booked_document(item, payload.document) if payload and payload.document else None
    return {
        "item": item,
        "row": row,
        "connection": item.connection,
        "entity": connection_queries.entity_name(item.connection_id, item.entity_ramp_id),
        "comparisons": compare(row, ramp, document),
        "document": document,
        "coded_lines": ramp.lines,
        "moments": list(moments(item, events)),
        "can_retry": item.state == ItemState.FAILED or row.word == Word.RETRYING,
        "waits_for_proof": row.word == Word.UNCERTAIN,
        "shown_in_ramp": item.failure_telling == SyncItem.Telling.TOLD,
        "payloads": payloads.shown(item),
        "others": item_queries.related(item),
    }


def compare(
    row: item_queries.ItemRow, ramp: RampObject, document: BookedDocument | None
) -> list[Comparison]:
    """The three-way box: Ramp says, we say, the ERP says."""
    item = row.item
    return [
        Comparison(
            "Status",
            "text",
            ramp=_ramp_status(item, ramp),
            us=Claim(text=row.look.label),
            erp=_erp_status(item),
            compare=False,
        ),
        Comparison(
            "Amount",
            "money",
            ramp=Claim(abs(ramp.amount) if ramp.amount else None),
            us=Claim(abs(item.money)),
            erp=_as_sent(item, document.debits if document else None),
        ),
        Comparison(
            "Accounting date",
            "date",
            ramp=Claim(item.accounting_date),
            us=Claim(document.posting_date if document else item.accounting_date),
            erp=_as_sent(item, document.posting_date if document else None),
        ),
        Comparison(
            "Document number",
            "text",
            ramp=_number(item.erp_number if item.acked_at else ""),
            us=_number(item.erp_number),
            erp=_number(item.erp_number),
        ),
        Comparison(
            "As of",
            "time",
            ramp=Claim(item.acked_at or item.snapshot_at),
            us=Claim(item.state_at),
            erp=Claim(item.posted_at),
            compare=False,
        ),
    ]


def _as_sent(item: SyncItem, value: Any) -> Claim:
    """What the ERP must hold by what it accepted; it was not read back."""
    if not item.erp_id or value is None:
        return Claim()
    return Claim(value, note="as sent")


def _number(number: str) -> Claim:
    return Claim(number or None, number)


def _ramp_status(item: SyncItem, ramp: RampObject) -> Claim:
    if item.acked_at:
        return Claim(text="Synced", note="it confirmed our report")
    text = _RAMP_STATUS.get(ramp.sync_status, ramp.sync_status or "Not read yet")
    if item.failure_telling == SyncItem.Telling.TOLD:
        return Claim(text=text, note="shows our error text")
    return Claim(text=text)


def _erp_status(item: SyncItem) -> Claim:
    if item.erp_id:
        return Claim(text="Booked")
    if item.state == ItemState.POSTING:
        return Claim(text="Not known", note="sent, no answer yet")
    if item.state == ItemState.REVIEW:
        return Claim(text="Not known", note="it cannot be asked")
    return Claim(text="No document")


def booked_document(item: SyncItem, document: Mapping[str, Any]) -> BookedDocument:
    """The frozen document with names instead of ids. At most three queries."""
    lines = document.get("lines", [])
    accounts = connection_queries.account_names(
        item.connection_id, {line["account"] for line in lines}
    )
    pairs = {pair for line in lines for pair in line.get("dimensions", {}).items()}
    options = connection_queries.option_names(item.connection_id, pairs) if pairs else {}
    amounts = [_line_amount(item, document, line) for line in lines]
    zero = Money(0, str(document["currency"]), item.exponent)
    party = str(document.get("party", ""))
    names = connection_queries.vendor_names(item.connection_id, {party}) if party else {}
    return BookedDocument(
        kind=str(document["kind"]).replace("_", " "),
        posting_date=date.fromisoformat(document["posting_date"]),
        party=names.get(party, party),
        lines=[
            DocumentLine(
                account_id=line["account"],
                account=accounts.get(line["account"], ""),
                memo=line.get("memo", ""),
                dimensions=[options.get(pair, pair) for pair in line.get("dimensions", {}).items()],
                debit=amount if amount > zero else None,
                credit=-amount if amount < zero else None,
            )
            for line, amount in zip(lines, amounts, strict=True)
        ],
        debits=sum((amount for amount in amounts if amount > zero), zero),
        credits=-sum((amount for amount in amounts if amount < zero), zero),
    )


def _line_amount(item: SyncItem, document: Mapping[str, Any], line: Mapping[str, Any]) -> Money:
    return Money.from_decimal(
        Decimal(line["amount"]), str(document["currency"]), rate=10**item.exponent
    )


def moments(item: SyncItem, events: Sequence[ItemEvent]) -> Iterator[Moment]:
    """The timeline, newest first, with the time that passed since the line before."""
    zone = ZoneInfo(item.connection.time_zone)
    earlier = [None, *events][: len(events)]
    last_day = ""
    for event, before in reversed(list(zip(events, earlier, strict=True))):
        tone, icon = _look_of(event)
        day = f"{event.at.astimezone(zone):%A, %-d %B %Y}"
        yield Moment(
            event=event,
            title=event.get_kind_display(),
            tone=tone,
            icon=icon,
            since_last=event.at - before.at if before else None,
            facts=list(_facts(event, zone)),
            new_day=day if day != last_day else "",
        )  # fmt: skip
        last_day = day


def _facts(event: ItemEvent, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    for name, value in event.data.items():
        if name not in _DATA_LABELS or value in ("", None):
            continue
        if name == "next":
            value = f"{datetime.fromisoformat(str(value)).astimezone(zone):%H:%M:%S}"
        yield _DATA_LABELS[name], str(value)


def _look_of(event: ItemEvent) -> tuple[str, str]:
    tone, icon = _EVENT_LOOKS.get(event.kind, ("neutral", "info"))  # newer code may know more kinds
    if event.kind == Kind.REFUSED and event.data.get("category") == "needs_integrator":
        return "person", icon
    return tone, icon
