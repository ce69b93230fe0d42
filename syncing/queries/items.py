"""Items for lists, and everything about one of them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from connections.models import Connection
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from syncing.close_rules import month_after
from syncing.models import NO_ENTITY, Handling, ItemEvent, Occurrence, SyncItem
from syncing.queries.words import (
    LOOKS,
    OPEN,
    OPEN_WORDS,
    PARTY_LABELS,
    Look,
    Party,
    Word,
    party_of,
    rows_for,
    rows_of,
    type_label,
    word_for,
)

PAGE_SIZE = 50
EXPONENTS = (0, 2, 3)
"""Of the currencies there are: how many of an amount's digits stand behind the point."""
_READY, _FAILED = SyncItem.State.READY, SyncItem.State.FAILED


SHOWN = "shown"
ONLY = "only"
FIRST, AGAIN = "first", "again"


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What a list of items is narrowed to. Nothing given is everything that is still open."""

    word: Word | None = None
    everything: bool = False
    connection_id: uuid.UUID | None = None
    object_type: str = ""
    error_code: str = ""
    cause: str = ""
    """The fingerprint of a group of errors."""
    text: str = ""
    waits_for: str = ""
    """The cause that items wait for, as `SyncItem.blocked_by` names it."""
    press_id: uuid.UUID | None = None
    """A press of the sync button that asked for them."""
    owner: str | None = None
    """Who cares for them; empty is nobody, None is whoever does."""
    tag: str = ""
    snoozed: str = ""
    """Of those that are put off: empty hides them from open lists, else `SHOWN` or `ONLY`."""
    dated_from: date | None = None
    dated_to: date | None = None
    """Accounting dates, both included."""
    amount_from: Decimal | None = None
    amount_to: Decimal | None = None
    """In whole units of each item's own currency, both included."""
    entity_id: uuid.UUID | None = None
    """Ramp's id of the entity; `NO_ENTITY` for what is of none."""
    period: date | None = None
    """The first day of the month that they are booked in, as the close board counts them."""
    card: str = ""
    """The last four digits."""
    invoice_number: str = ""
    """Its beginning, whatever its case."""
    category: str = ""
    """Of what is wrong, as `ErrorCategory` has it."""
    party: Party | None = None
    """Whose move it is."""
    currency: str = ""
    erp: str = ""
    """The name of the customer's ERP."""
    customer_owner: str = ""
    """Who looks after the customer."""
    ready_from: datetime | None = None
    ready_to: datetime | None = None
    """When they became ready: from the first on, before the second. So the other times."""
    done_from: datetime | None = None
    done_to: datetime | None = None
    """When Ramp confirmed what is done."""
    failed_from: datetime | None = None
    failed_to: datetime | None = None
    """When those failed that have failed and still are."""
    tries: str = ""
    """`FIRST` went through at the first try, `AGAIN` did not."""
    among: Q | None = None
    """Some other choice, such as what a comparison has found."""

    @property
    def is_narrowed(self) -> bool:
        """Whether it is more than a choice of state."""
        return bool(
            self.connection_id
            or self.object_type
            or self.error_code
            or self.cause
            or self.text
            or self.waits_for
            or self.press_id
            or self.snoozed
            or self.category
            or self.party
            or self.currency
            or self.erp
            or self.customer_owner
            or self.looks_at_rows
        )

    @property
    def looks_at_rows(self) -> bool:
        """Whether it asks for what no roll-up knows, so that only the rows can be counted."""
        return bool(
            self.error_code
            or self.cause
            or self.text
            or self.waits_for
            or self.press_id
            or self.owner is not None
            or self.tag
            or self.snoozed == ONLY
            or self.dated_from
            or self.dated_to
            or self.amount_from is not None
            or self.amount_to is not None
            or self.entity_id
            or self.period
            or self.card
            or self.invoice_number
            or self.ready_from
            or self.ready_to
            or self.done_from
            or self.done_to
            or self.failed_from
            or self.failed_to
            or self.tries
            or self.among is not None
        )

    @property
    def hides_snoozed(self) -> bool:
        """Whether items that somebody has put off are left out."""
        return self.is_open and not self.snoozed

    @property
    def is_open(self) -> bool:
        """Whether everything in it still waits for somebody."""
        return self.word in OPEN_WORDS if self.word else not self.everything


_WAITS_FOR = {
    "bill": "Waits for its bill",
    "vendor": "Waits for its vendor",
    "ramp": "Waits for Ramp",
}
"""What a queued item without a due time waits for, by what `blocked_by` begins with."""


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as lists show it."""

    item: SyncItem
    word: Word
    handling: Handling | None = None
    """Who cares for it, and how it is filed."""
    is_snoozed: bool = False
    is_ticked: bool = False
    version: str = ""
    """What a poll compares: another one, and the row looks otherwise."""
    is_gone: bool = False
    """Whether it has left the list since the list was drawn."""

    @property
    def look(self) -> Look:
        return LOOKS[self.word]

    @property
    def party(self) -> Party:
        return party_of(self.word, self.item.state)

    @property
    def party_label(self) -> str:
        return PARTY_LABELS[self.party]

    @property
    def move(self) -> str:
        """Whose move it is; of what waits for something else, that it does."""
        if not self.is_waiting:
            return self.party_label
        kind = self.item.blocked_by.partition(":")[0]
        return _WAITS_FOR.get(kind, "Waits")

    @property
    def is_open(self) -> bool:
        return self.party != Party.NOBODY

    @property
    def type_label(self) -> str:
        return type_label(self.item.object_type)

    @property
    def is_waiting(self) -> bool:
        """Whether it is queued, but for something else than its turn."""
        return self.item.state == _READY and self.item.due_at is None

    @property
    def next_try_at(self) -> datetime | None:
        """When time is up for an item that waits for nothing else."""
        return self.item.due_at if self.word == Word.RETRYING else None


def rows(items: Iterable[SyncItem], now: datetime) -> list[ItemRow]:
    """The items as lists show them. Owners and tags show where `with_handling` has read them."""
    return [_row(item, now) for item in items]


def _row(item: SyncItem, now: datetime) -> ItemRow:
    is_read = SyncItem.handling.is_cached(item)
    handling: Handling | None = getattr(item, "handling", None) if is_read else None
    until = handling.snoozed_until if handling else None
    return ItemRow(item, word_for(item, now), handling, is_snoozed=bool(until and until > now))


def with_handling(items: QuerySet[SyncItem]) -> QuerySet[SyncItem]:
    """The same items, read together with who cares for them."""
    return items.select_related("connection", "handling")


def matching(chosen: ItemFilter, now: datetime) -> QuerySet[SyncItem]:
    """The items behind a filter. Texts are matched from their start, as the index can."""
    items = _before_snoozing(chosen, now)
    if chosen.hides_snoozed:
        return items.filter(~_snoozed(now))
    if chosen.snoozed == ONLY:
        return items.filter(_snoozed(now))
    return items


def hidden_by_snoozing(chosen: ItemFilter, now: datetime) -> QuerySet[SyncItem]:
    """The items that a list leaves out because somebody has put them off."""
    if not chosen.hides_snoozed:
        return SyncItem.objects.none()
    return _before_snoozing(chosen, now).filter(
        pk__in=Handling.objects.filter(snoozed_until__gt=now).values("item_id")
    )


def _snoozed(now: datetime) -> Exists:
    return Exists(Handling.objects.filter(item_id=OuterRef("pk"), snoozed_until__gt=now))


def _before_snoozing(chosen: ItemFilter, now: datetime) -> QuerySet[SyncItem]:
    items = SyncItem.objects.select_related("connection")
    if chosen.word:
        items = items.filter(rows_for(chosen.word, now))
    elif not chosen.everything:
        items = items.filter(OPEN)
    if chosen.connection_id:
        items = items.filter(connection_id=chosen.connection_id)
    if chosen.object_type:
        items = items.filter(object_type=chosen.object_type)
    if chosen.error_code:
        items = items.filter(error_code=chosen.error_code)
    if chosen.cause:
        items = items.filter(error_fingerprint=chosen.cause)
    if chosen.waits_for:
        items = items.filter(blocked_by=chosen.waits_for, state__in=[_READY, _FAILED])
    if chosen.press_id:
        items = items.filter(sync_request_id=chosen.press_id)
    if chosen.among is not None:
        items = items.filter(chosen.among)
    if chosen.text:
        items = with_label(items, chosen.text)
    items = _at_times(_whose(items, chosen, now), chosen)
    return _handled(_of_amount(_of_document(items, chosen), chosen), chosen)


def _whose(items: QuerySet[SyncItem], chosen: ItemFilter, now: datetime) -> QuerySet[SyncItem]:
    """By whose they are, and whose move it is."""
    if chosen.category:
        items = items.filter(error_category=chosen.category)
    if chosen.party:
        items = items.filter(rows_of(chosen.party, now))
    if chosen.currency:
        items = items.filter(currency=chosen.currency)
    customers = Connection.objects.all()
    if chosen.erp:
        customers = customers.filter(erp_name=chosen.erp)
    if chosen.customer_owner:
        customers = customers.filter(owner=chosen.customer_owner)
    if chosen.erp or chosen.customer_owner:
        items = items.filter(connection__in=customers)
    return items


def _at_times(items: QuerySet[SyncItem], chosen: ItemFilter) -> QuerySet[SyncItem]:
    """By when they came, went through or failed."""
    if chosen.ready_from:
        items = items.filter(ready_at__gte=chosen.ready_from)
    if chosen.ready_to:
        items = items.filter(ready_at__lt=chosen.ready_to)
    if chosen.done_from or chosen.done_to:
        items = items.filter(state=SyncItem.State.ACKED, **_between("acked_at", chosen, "done"))
    if chosen.failed_from or chosen.failed_to:
        items = items.filter(state=_FAILED, **_between("state_at", chosen, "failed"))
    if chosen.tries:
        before = Exists(Occurrence.objects.filter(item=OuterRef("pk")))
        first = Q(attempts__lte=1) & ~before
        items = items.filter(first if chosen.tries == FIRST else ~first)
    return items


def _between(column: str, chosen: ItemFilter, name: str) -> dict[str, datetime]:
    ends = {"gte": getattr(chosen, f"{name}_from"), "lt": getattr(chosen, f"{name}_to")}
    return {f"{column}__{how}": moment for how, moment in ends.items() if moment}


def _of_document(items: QuerySet[SyncItem], chosen: ItemFilter) -> QuerySet[SyncItem]:
    """By what stands on the receipt or invoice."""
    if chosen.dated_from:
        items = items.filter(accounting_date__gte=chosen.dated_from)
    if chosen.dated_to:
        items = items.filter(accounting_date__lte=chosen.dated_to)
    if chosen.period:
        items = items.filter(in_period(chosen.period))
    if chosen.entity_id:
        named = None if chosen.entity_id == NO_ENTITY else chosen.entity_id
        items = items.filter(entity_ramp_id=named)
    if chosen.card:
        items = items.filter(card_last_four=chosen.card)
    if chosen.invoice_number:
        items = items.alias(lower_number=Lower("invoice_number")).filter(
            ~Q(invoice_number=""), lower_number__startswith=chosen.invoice_number.lower()
        )
    return items


def in_period(period: date) -> Q:
    """The items of a month, as the triggers of `PeriodCount` count them."""
    after = month_after(period)
    begins, ends = (datetime.combine(day, time(), UTC) for day in (period, after))
    return Q(accounting_date__gte=period, accounting_date__lt=after) | Q(
        accounting_date=None, ready_at__gte=begins, ready_at__lt=ends
    )


def _of_amount(items: QuerySet[SyncItem], chosen: ItemFilter) -> QuerySet[SyncItem]:
    least, most = chosen.amount_from, chosen.amount_to
    if least is None and most is None:
        return items
    found = Q()
    for exponent in EXPONENTS:
        one = Q(exponent=exponent)
        if least is not None:
            one &= Q(amount_minor__gte=_minor(least, exponent, ROUND_CEILING))
        if most is not None:
            one &= Q(amount_minor__lte=_minor(most, exponent, ROUND_FLOOR))
        found |= one
    return items.filter(found)


def _minor(value: Decimal, exponent: int, rounding: str) -> int:
    return int(value.scaleb(exponent).to_integral_value(rounding=rounding))


def _handled(items: QuerySet[SyncItem], chosen: ItemFilter) -> QuerySet[SyncItem]:
    """By who cares for them, and how they are filed."""
    if chosen.owner:
        items = items.filter(handling__owner=chosen.owner)
    elif chosen.owner is not None:
        items = items.filter(Q(handling__isnull=True) | Q(handling__owner=""))
    if chosen.tag:
        items = items.filter(handling__tags__contains=[chosen.tag])
    return items


def with_label(items: QuerySet[SyncItem], text: str) -> QuerySet[SyncItem]:
    """Items whose merchant or vendor starts with a text, whatever its case."""
    return items.alias(lower_label=Lower("label")).filter(lower_label__startswith=text.lower())


def time_of(chosen: ItemFilter) -> str:
    """The column that a list is in the order of: the time it asks for, so that an index leads
    there and nobody looks through years of items.
    """
    if chosen.done_from or chosen.done_to:
        return "acked_at"
    if chosen.failed_from or chosen.failed_to:
        return "state_at"
    return "ready_at"


def page_of_items(
    chosen: ItemFilter, *, after: Cursor | None, now: datetime, size: int = PAGE_SIZE
) -> KeysetPage[SyncItem]:
    """One page of a filtered list: what is open by how long it waits, the rest newest first."""
    return keyset_page(
        with_handling(matching(chosen, now)),
        field=time_of(chosen),
        after=after,
        size=size,
        newest_first=not chosen.is_open,
    )


def recent(connection_id: uuid.UUID, *, now: datetime, limit: int = 10) -> list[ItemRow]:
    """The items of one connection that became ready last."""
    items = SyncItem.objects.filter(connection_id=connection_id).select_related("connection")
    return rows(items.order_by("-ready_at", "-pk")[:limit], now)


@dataclass(frozen=True, slots=True)
class ErrorGroup:
    """Open items of one connection with the same cause."""

    code: str
    title: str
    fix: str
    word: Word
    items: int
    oldest_at: datetime
    is_more: bool

    @property
    def look(self) -> Look:
        return LOOKS[self.word]

    @property
    def party_label(self) -> str:
        return PARTY_LABELS[party_of(self.word, "")]


ERRORS_READ = 500


def open_errors(connection_id: uuid.UUID, *, now: datetime) -> list[ErrorGroup]:
    """What is wrong at one customer, grouped by cause; reads at most a few hundred rows."""
    wrong = (
        SyncItem.objects.filter(OPEN, connection_id=connection_id)
        .filter(
            ~Q(error_code="") | Q(state__in=["REVIEW", "MISMATCH"]) | rows_for(Word.UNCERTAIN, now)
        )
        .order_by("ready_at")[: ERRORS_READ + 1]
    )
    groups: dict[tuple[str, str, Word], list[SyncItem]] = {}
    for item in wrong:
        groups.setdefault((item.error_code, item.error_title, word_for(item, now)), []).append(item)
    found = [
        ErrorGroup(
            code=code,
            title=title or LOOKS[word].meaning,
            fix=items[0].error_fix,
            word=word,
            items=len(items),
            oldest_at=items[0].ready_at,
            is_more=len(wrong) > ERRORS_READ,
        )
        for (code, title, word), items in groups.items()
    ]
    order = list(Word)
    return sorted(found, key=lambda group: (order.index(group.word), -group.items))


def timeline(item: SyncItem) -> list[ItemEvent]:
    """Everything that happened to an item, oldest first."""
    return list(item.events.order_by("pk"))
