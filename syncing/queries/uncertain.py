"""Items that people settle: what was sent, why nobody is sure, what was searched and found."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db.models import Model

from connections.erp.search import FoundDocument
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from syncing.models import ErpLook, ItemEvent, OutsideMark, Settlement, SyncItem
from syncing.queries.items import ItemFilter, ItemRow, matching
from syncing.queries.words import Word, word_for

PAGE_SIZE = 20
_TELLING = ("sent", "uncertain", "held", "looked")
"""Lines that tell what was sent, and why nobody is sure."""
_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that a look has found, as its row shows it."""

    document: FoundDocument
    score: int
    reasons: Sequence[str]
    problems: Sequence[str]

    @property
    def name(self) -> str:
        return self.document.number or self.document.erp_id


@dataclass(frozen=True, slots=True)
class Case:
    """One item with everything that a person decides by."""

    row: ItemRow
    sent_at: datetime | None
    why: str
    """Why nobody is sure, as it was told last."""
    searched: Sequence[ItemEvent]
    """What recovery has searched by itself, the newest first."""
    look: ErpLook | None
    candidates: Sequence[Candidate]
    pending: Settlement | None
    """A decision that waits for a second person."""
    mark: OutsideMark | None
    """A mark as handled outside that waits for one."""
    wait: Settlement | None
    """Until when somebody lets it wait, if that is still to come."""

    @property
    def item(self) -> SyncItem:
        return self.row.item

    @property
    def facts(self) -> tuple[Any, ...]:
        """What a change of is news, for live pages."""
        look = self.look and (self.look.pk, self.look.answered_at, self.look.problem)
        return (
            self.item.pk,
            self.item.state,
            self.item.state_at,
            look,
            self.pending and self.pending.pk,
            self.mark and self.mark.pk,
            self.wait and self.wait.pk,
        )


def page_of_cases(
    *,
    connection_id: Any = None,
    after: Cursor | None,
    now: datetime,
    marks: Sequence[OutsideMark] | None = None,
) -> tuple[KeysetPage[SyncItem], list[Case]]:
    """A page of what nobody is sure of, the longest waiting first. At most five queries.

    :param marks: all that wait for a second person, if they are known
    """
    chosen = ItemFilter(word=Word.UNCERTAIN, connection_id=connection_id)
    page = keyset_page(
        matching(chosen, now).select_related("payload"),
        field="ready_at",
        after=after,
        size=PAGE_SIZE,
        newest_first=False,
    )
    return page, cases(page.rows, now=now, marks=marks)


def case_of(item: SyncItem, *, now: datetime, events: Sequence[ItemEvent] | None = None) -> Case:
    """One item's case.

    :param events: its timeline, oldest first, if it is known. What `item_page` has counted as
        nothing is not asked for then, so that most items cost no query
    """
    if events is None:
        (case,) = cases([item], now=now)
        return case
    settled: list[Settlement] = []
    if getattr(item, "has_settlement", True):
        settled = list(item.settlements.order_by("-asked_at", "-pk"))
    return _case(
        item,
        now,
        item.looks.order_by("-asked_at", "-pk").first()
        if getattr(item, "has_look", True)
        else None,
        next((one for one in settled if one.state == Settlement.State.ASKED), None),
        item.outside_marks.filter(state="asked").first()
        if getattr(item, "has_mark", True)
        else None,
        next((one for one in settled if one.act == Settlement.Act.WAIT), None),
        [event for event in reversed(events) if event.kind in _TELLING],
    )


def cases(
    items: Iterable[SyncItem], *, now: datetime, marks: Sequence[OutsideMark] | None = None
) -> list[Case]:
    """The cases of a few items: at most four queries, however many."""
    items = list(items)
    ids = [item.pk for item in items]
    looks = _first(ErpLook.objects.filter(item__in=ids).order_by("item", "-asked_at", "-pk"))
    settled = Settlement.objects.filter(item__in=ids).order_by("item", "-asked_at", "-pk")
    open_: dict[int, Settlement] = {}
    waits: dict[int, Settlement] = {}
    for one in settled:
        if one.state == Settlement.State.ASKED:
            open_.setdefault(one.item_id, one)
        if one.act == Settlement.Act.WAIT:
            waits.setdefault(one.item_id, one)
    if marks is None:
        marks = list(OutsideMark.objects.filter(item__in=ids, state="asked"))
    marked = {one.item_id: one for one in marks}
    lines = _lines(ids)
    return [
        _case(item, now, looks.get(item.pk), open_.get(item.pk), marked.get(item.pk),
              waits.get(item.pk), lines.get(item.pk, []))
        for item in items
    ]  # fmt: skip


def _first(found: Iterable[_Row]) -> dict[int, _Row]:
    first: dict[int, _Row] = {}
    for one in found:
        first.setdefault(one.item_id, one)  # type: ignore[attr-defined]
    return first


def _lines(ids: Sequence[int]) -> Mapping[int, list[ItemEvent]]:
    """The lines that tell what was sent and why nobody is sure, the newest first."""
    found = ItemEvent.objects.filter(item__in=ids, kind__in=_TELLING).order_by("-pk")
    lines: dict[int, list[ItemEvent]] = {}
    for one in found[: 50 * max(1, len(ids))]:
        lines.setdefault(one.item_id, []).append(one)
    return lines


def _case(
    item: SyncItem,
    now: datetime,
    look: ErpLook | None,
    pending: Settlement | None,
    mark: OutsideMark | None,
    wait: Settlement | None,
    lines: Sequence[ItemEvent],
) -> Case:
    unsure = [one for one in lines if one.kind in ("uncertain", "held")]
    return Case(
        row=ItemRow(item, word_for(item, now)),
        sent_at=next((one.at for one in lines if one.kind == "sent"), None),
        why=next((one.text or str(one.data.get("detail", "")) for one in unsure), ""),
        searched=[one for one in lines if one.kind == "looked" and not one.actor],
        look=look,
        candidates=[_candidate(one) for one in look.candidates] if look else [],
        pending=pending,
        mark=mark,
        wait=wait if wait and wait.until and wait.until > now else None,
    )


def _candidate(found: Mapping[str, Any]) -> Candidate:
    return Candidate(
        FoundDocument.from_json(found["document"]),
        found["score"],
        found["reasons"],
        found["problems"],
    )
