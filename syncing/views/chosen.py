"""What an address says about a list of items: its filters, its customer, and what is ticked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet
from django.db.models.functions import JSONObject
from django.http import Http404, QueryDict

from connections.models import Connection, Entity
from syncing import selections
from syncing.forms import ItemFilterForm
from syncing.job_forms import ChosenForm
from syncing.models import Selection, SyncItem
from syncing.queries import comparisons, standing, totals
from syncing.queries import items as item_queries
from syncing.queries.items import ItemFilter, ItemRow
from syncing.views.live import version_of


@dataclass(frozen=True, slots=True)
class ChosenList:
    """A list of items, as its address says it."""

    form: ItemFilterForm
    connection: Connection | None
    found: comparisons.Found | None
    filter: ItemFilter
    query: str
    """The address's filters in their one order."""


def chosen_list(parameters: QueryDict, *, me: str) -> ChosenList:
    """Read the filters.

    :raises Http404: if there is no such customer
    """
    form = ItemFilterForm(parameters, me=me)
    connection = _customer(form.value("customer"))
    found = comparisons.found_items(form.value("found"))
    narrowed = form.as_filter(
        connection.pk if connection else None, among=found.where if found else None
    )
    return ChosenList(form, connection, found, narrowed, form.query())


def _customer(slug: str) -> Connection | None:
    if not slug:
        return None
    entities = Entity.objects.filter(connection=OuterRef("pk")).order_by("name", "pk")
    choice = JSONObject(ramp_id="ramp_id", name="name")
    connection = (
        Connection.objects.filter(slug=slug)
        .select_related("schedule")
        .annotate(entity_choices=ArraySubquery(entities.values(choice=choice)))
        .first()
    )
    if connection is None:
        raise Http404("no customer of that name")
    return connection


def chosen_items(
    parameters: QueryDict, *, me: str, now: datetime
) -> tuple[ChosenList, QuerySet[SyncItem]]:
    """The items that an act or a file is about: named ones, the ticked ones, or all that match."""
    chosen, picked = chosen_list(parameters, me=me), ChosenForm(parameters)
    if picked.named:
        named = SyncItem.objects.filter(pk__in=picked.named)
        return chosen, named.select_related("connection")
    if picked.is_ticked:
        selection = selections.of(me, chosen.query, now=now)
        return chosen, selections.items(selection, chosen.filter, now)
    return chosen, item_queries.matching(chosen.filter, now)


@dataclass(frozen=True, slots=True)
class Bar:
    """What is ticked, for the bar that acts on it. Counted only where something is."""

    selection: Selection
    query: str
    selected: totals.Totals | None = None
    whole: totals.Totals | None = None
    strays: int = 0
    """Ticked, and not in the list any more."""
    problem: str = ""

    @property
    def is_empty(self) -> bool:
        return selections.is_empty(self.selection)

    @property
    def is_whole(self) -> bool:
        """Whether all that match are selected."""
        return self.selection.is_all and not self.selection.ids


def bar(
    chosen: ChosenList,
    selection: Selection,
    *,
    now: datetime,
    lines: Sequence[standing.Standing] | None = None,
    hidden: totals.Totals | None = None,
    problem: str = "",
) -> Bar:
    """The bar of a list.

    :param lines: the roll-up of the chosen customer, if it was read already
    :param hidden: what the list leaves out as it is put off, if it was counted already
    """
    if selections.is_empty(selection):
        return Bar(selection, chosen.query, problem=problem)
    whole = totals.totals(chosen.filter, now=now, lines=lines, hidden=hidden)
    selected = selections.size(selection, chosen.filter, now, whole=whole)
    strays = selections.strays(selection, chosen.filter, now, selected=selected.items)
    return Bar(selection, chosen.query, selected, whole, strays, problem)


def as_shown(rows: Sequence[ItemRow], selection: Selection) -> list[ItemRow]:
    """The rows with their ticks, and what a poll compares."""
    ticked = selections.ticked(selection, [row.item.pk for row in rows])
    return [replace(row, is_ticked=row.item.pk in ticked, version=_version(row)) for row in rows]


def _version(row: ItemRow) -> str:
    item, handling = row.item, row.handling
    facts: tuple[Any, ...] = (
        (row.word, item.state, item.state_at, item.due_at, item.error_title, item.erp_number),
        (item.label, item.amount_minor, row.is_snoozed),
        (handling.owner, handling.tags) if handling and (handling.owner or handling.tags) else (),
    )
    return version_of(*facts)[:8]
