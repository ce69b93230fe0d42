"""Items for lists, and everything about one of them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Lower

from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from syncing.models import ItemEvent, SyncItem
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
    type_label,
    word_for,
)

PAGE_SIZE = 50
_READY, _FAILED = SyncItem.State.READY, SyncItem.State.FAILED


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """What a list of items is narrowed to. Nothing given is everything that is still open."""

    word: Word | None = None
    everything: bool = False
    connection_id: uuid.UUID | None = None
    object_type: str = ""
    error_code: str = ""
    text: str = ""
    waits_for: str = ""
    """The cause that items wait for, as `SyncItem.blocked_by` names it."""
    press_id: uuid.UUID | None = None
    """A press of the sync button that asked for them."""
    among: Q | None = None
    """Some other choice, such as what a comparison has found."""

    @property
    def is_narrowed(self) -> bool:
        """Whether it is more than a choice of state."""
        return bool(
            self.connection_id
            or self.object_type
            or self.error_code
            or self.text
            or self.waits_for
            or self.press_id
            or self.among is not None
        )

    @property
    def is_open(self) -> bool:
        """Whether everything in it still waits for somebody."""
        return self.word in OPEN_WORDS if self.word else not self.everything


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item as lists show it."""

    item: SyncItem
    word: Word

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
        return "Waits" if self.is_waiting else self.party_label

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
    return [ItemRow(item, word_for(item, now)) for item in items]


def matching(chosen: ItemFilter, now: datetime) -> QuerySet[SyncItem]:
    """The items behind a filter. Texts are matched from their start, as the index can."""
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
    if chosen.waits_for:
        items = items.filter(blocked_by=chosen.waits_for, state__in=[_READY, _FAILED])
    if chosen.press_id:
        items = items.filter(sync_request_id=chosen.press_id)
    if chosen.among is not None:
        items = items.filter(chosen.among)
    if chosen.text:
        items = with_label(items, chosen.text)
    return items


def with_label(items: QuerySet[SyncItem], text: str) -> QuerySet[SyncItem]:
    """Items whose merchant or vendor starts with a text, whatever its case."""
    return items.alias(lower_label=Lower("label")).filter(lower_label__startswith=text.lower())


def page_of_items(
    chosen: ItemFilter, *, after: Cursor | None, now: datetime, size: int = PAGE_SIZE
) -> KeysetPage[SyncItem]:
    """One page of a filtered list: what is open by how long it waits, the rest newest first."""
    return keyset_page(
        matching(chosen, now),
        field="ready_at",
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


def recent_events(connection_id: uuid.UUID, *, limit: int = 10) -> list[ItemEvent]:
    """What happened last at one connection, from the items that moved last."""
    moved = (
        SyncItem.objects.filter(connection_id=connection_id)
        .order_by("-ready_at", "-pk")
        .values("pk")[: limit * 5]
    )
    ids = [row["pk"] for row in moved]
    return list(
        ItemEvent.objects.filter(item_id__in=ids)
        .select_related("item")
        .order_by("-at", "-pk")[:limit]
    )


def item_with_everything(pk: int) -> SyncItem:
    """One item with what its page shows beside the timeline. One query.

    :raises SyncItem.DoesNotExist: if there is none
    """
    return SyncItem.objects.select_related(
        "connection", "payload", "ack_batch", "failure_batch"
    ).get(pk=pk)


def timeline(item: SyncItem) -> list[ItemEvent]:
    """Everything that happened to an item, oldest first."""
    return list(item.events.order_by("pk"))
