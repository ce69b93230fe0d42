"""The list of items: filters, ticks, the live rows, and the file of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections import audit
from connections import queries as connection_queries
from rampbridge.lib.csv_stream import csv_response
from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged, page_or_partial
from rampbridge.lib.keyset import Cursor, KeysetPage
from rampbridge.policy import Permission, allow, can, roles_of
from syncing import saved_views, selections
from syncing.bulk.acts import KINDS, Act, Kind
from syncing.forms import ALL, OPEN, ItemFilterForm
from syncing.job_forms import ChosenForm, people
from syncing.models import NO_ENTITY, SyncItem
from syncing.queries import exports, list_pulse, standing, totals
from syncing.queries import items as item_queries
from syncing.queries.errors import CATEGORIES
from syncing.queries.words import LOOKS, OPEN_WORDS, PARTY_LABELS, Look, Party, Word
from syncing.views.chosen import ChosenList, as_shown, bar, chosen_items, chosen_list
from syncing.views.live import version_of

OPEN_LOOK = Look("Open", "neutral", "circle-dot", "Everything that is not through yet.")
ALL_LOOK = Look("All", "neutral", "list", "Every item there ever was.")
CUSTOMERS_LISTED = 100
"""Customers that fit a list to choose from; of more, one types the name."""
HIDDEN_COUNTED = 1_000
MOST_SHOWN = 200
"""Rows that a poll may name; a page has fewer."""
ON_MANY = (Act.RETRY, Act.ASSIGN, Act.SNOOZE, Act.TAG, Act.UNTAG, Act.OUTSIDE)
"""What can be done to many items, in the bar's order."""


@dataclass(frozen=True, slots=True)
class Tab:
    """A state to choose above the list, with how many items it holds for the chosen customer."""

    value: str
    look: Look
    items: int
    is_current: bool


@dataclass(frozen=True, slots=True)
class Narrowing:
    """A filter that no field of the form shows: what it says, and the address without it."""

    name: str
    value: str
    words: str
    dropped: str


@require_GET
@allow(Permission.SEE)
def items(request: HtmxHttpRequest) -> HttpResponse:
    """The list as its address says it; for a poll, what has changed of it."""
    if not request.GET and not request.htmx:
        first = saved_views.default_view("items", roles_of(request.user))
        if first is not None and first.query:
            return redirect(f"{request.path}?{first.query}")
    now = timezone.now()
    me = request.user.get_username()
    chosen = chosen_list(request.GET, me=me)
    # Read before the page is: what changes in between is news to the next poll.
    version = _version(request, chosen, me, now)
    is_poll = bool(request.htmx) and "shown" in request.GET
    if is_poll and request.GET.get("version") == version:
        return HttpResponseUnchanged()
    context = _context(request, chosen, now) | {"live_query": _live_query(request, version)}
    if is_poll:
        return _poll(request, context, now)
    template = page_or_partial(request, "syncing/items.html", "syncing/_items.html")
    return render(request, template, {**context, **_choices(context)})


def _version(request: HttpRequest, chosen: ChosenList, me: str, now: datetime) -> str:
    return version_of(
        list_pulse.pulse(
            chosen.filter, after=_after(request), viewer=me, query=chosen.query, now=now
        )
    )


def _after(request: HttpRequest) -> Cursor | None:
    return Cursor.parse(request.GET.get("after", ""))


def _context(request: HttpRequest, chosen: ChosenList, now: datetime) -> dict[str, Any]:
    """Everything that changes by itself. What only the form shows is `_choices`."""
    me = request.user.get_username()
    narrowed = chosen.filter
    page = item_queries.page_of_items(narrowed, after=_after(request), now=now)
    lines = standing.standings(
        now=now,
        connection_id=narrowed.connection_id,
        erp=narrowed.erp,
        customer_owner=narrowed.customer_owner,
        by_type=bool(narrowed.object_type),
    )
    selection = selections.of(me, chosen.query, now=now)
    rows = as_shown(item_queries.rows(page.rows, now), selection)
    hidden = totals.counted(item_queries.hidden_by_snoozing(narrowed, now), at_most=HIDDEN_COUNTED)
    typed = [one for one in lines if narrowed.object_type in ("", one.object_type)]
    shown = bar(chosen, selection, now=now, lines=lines, hidden=hidden)
    return {
        "section": "items",
        "now": now,
        "chosen": chosen,
        "form": chosen.form,
        "connection": chosen.connection,
        "tabs": _tabs(chosen.form, typed),
        "page": page,
        "rows": rows,
        "longest_first": narrowed.is_open,
        "is_narrowed": narrowed.is_narrowed,
        "hidden": hidden,
        "current": _look(narrowed.word, everything=narrowed.everything),
        "bar": shown,
        "total": shown.whole or list_total(page, narrowed, now=now, lines=lines, hidden=hidden),
        "acts": acts_for(request),
        "pickable": True,
    }


def list_total(
    page: KeysetPage[SyncItem],
    chosen: item_queries.ItemFilter,
    *,
    now: datetime,
    lines: Sequence[standing.Standing] | None = None,
    hidden: totals.Totals | None = None,
) -> totals.Totals:
    """How many the list holds. One that fits the page is counted there."""
    if page.is_first and page.next is None:
        return totals.added_up(page.rows)
    return totals.totals(chosen, now=now, lines=lines, hidden=hidden)


def _look(word: Word | None, *, everything: bool) -> Look:
    if word:
        return LOOKS[word]
    return ALL_LOOK if everything else OPEN_LOOK


def _live_query(request: HttpRequest, version: str) -> str:
    """The address that a poll asks: this page of this list, and what is known of it."""
    query = request.GET.copy()
    for name in ("shown", "held", "version"):
        query.pop(name, None)
    query["version"] = version
    return query.urlencode()


def acts_for(request: HttpRequest) -> list[Kind]:
    """What the person may do to many items."""
    return [KINDS[act] for act in ON_MANY if can(request.user, KINDS[act].permission)]


def _choices(context: Mapping[str, Any]) -> dict[str, Any]:
    """What the form offers."""
    form: ItemFilterForm = context["form"]
    connection = context["connection"]
    customers = connection_queries.customer_choices(at_most=CUSTOMERS_LISTED + 1)
    more = ("owner", "tag", "snoozed", "dated_from", "dated_to", "least", "most", "entity",
            "card", "invoice")  # fmt: skip
    used = [name for name in more if form.value(name)]
    return {
        "customers": customers if len(customers) <= CUSTOMERS_LISTED else None,
        "types": form.fields["type"].choices,  # type: ignore[attr-defined]
        "narrowed_by": _narrowed_by(context["chosen"]),
        "more_used": len(used),
        "people": people() if used else [],
        "entities": getattr(connection, "entity_choices", []),
        "snoozed_choices": form.fields["snoozed"].choices,  # type: ignore[attr-defined]
        "save_page": "items",
        "save_query": context["chosen"].query,
    }


def _narrowed_by(chosen: ChosenList) -> list[Narrowing]:
    """Filters that only links set, each to be dropped by a click."""
    form, found = chosen.form, chosen.found
    words = {
        "error": f"Cause: {form.value('error')}",
        "cause": "Of one error",
        "waits": "Waiting for the same",
        "press": "Asked for by one press of the sync button",
        **_roll_up_words(form),
        **_time_words(form),
        "entity": "Of no entity" if form.value("entity") == str(NO_ENTITY) else "",
        "period": f"Booked in {form.month:%B %Y}" if form.month else "",
        "found": f"{found.words.capitalize()}, {found.at:%-d %b}" if found else "",
    }
    narrowings = []
    for name, text in words.items():
        value = form.value(name) if name in form.fields else ""
        if not (value and text):
            continue
        query = QueryDict(form.query(), mutable=True)
        for parameter in (name, "after"):
            query.pop(parameter, None)
        narrowings.append(Narrowing(name, value, text, f"?{query.urlencode()}"))
    return narrowings


def _roll_up_words(form: ItemFilterForm) -> dict[str, str]:
    """Filters that charts link to: whose, and whose move."""
    category, party = form.value("category"), form.value("party")
    return {
        "category": CATEGORIES[category].label if category else "",
        "party": PARTY_LABELS[Party(party)] if party else "",
        "currency": f"In {form.value('currency')}",
        "erp": f"ERP: {form.value('erp')}",
        "customer_owner": f"Customers of {form.value('customer_owner')}",
    }


def _time_words(form: ItemFilterForm) -> dict[str, str]:
    """Moments that charts link to, each end a filter of its own."""
    verbs = {"ready": "Became ready", "done": "Confirmed", "failed": "Failed and still so,"}
    words = {
        f"{name}_{end}": f"{verb} {how} {form.cleaned_data[f'{name}_{end}']:%-d %b, %H:%M:%S} UTC"
        for name, verb in verbs.items()
        for end, how in (("from", "from"), ("to", "before"))
        if form.cleaned_data.get(f"{name}_{end}")
    }
    tries = {"first": "Through at the first try", "again": "Not through at the first try"}
    return {**words, "tries": tries.get(form.value("tries"), "")}


def _tabs(form: ItemFilterForm, lines: Sequence[standing.Standing]) -> list[Tab]:
    counts = standing.by_word(lines)
    current = form.value("state") or OPEN
    tabs = [Tab("", OPEN_LOOK, sum(counts[word] for word in OPEN_WORDS), current == OPEN)]
    tabs += [
        Tab(word.value, LOOKS[word], counts[word], current == word.value)
        for word in Word
        if counts[word] or current == word.value or word in OPEN_WORDS
    ]
    return [*tabs, Tab(ALL, ALL_LOOK, sum(counts.values()), current == ALL)]


def _poll(request: HtmxHttpRequest, context: dict[str, Any], now: datetime) -> HttpResponse:
    """The rows that look otherwise, or the whole list where nobody has it in hand.

    While something is ticked or held the rows keep their places: what is new is only counted.
    """
    shown = _shown(request.GET.get("shown", ""))
    rows = {row.item.pk: row for row in context["rows"]}
    changed = [row for pk, row in rows.items() if pk in shown and shown[pk] != row.version]
    new = [pk for pk in rows if pk not in shown]
    selection = context["bar"].selection
    gone = as_shown(_gone(context, [pk for pk in shown if pk not in rows], now), selection)
    gone = [row for row in gone if row.is_gone or shown[row.item.pk] != row.version]
    is_held = request.GET.get("held") == "1" or not context["bar"].is_empty
    left = [row for row in gone if row.is_gone]
    context |= {
        "is_poll": True,
        "is_whole": bool(new or left) and not is_held,
        "changed": [*changed, *gone],
        "new": len(new),
        "left": len(left),
        "hide_customer": context["connection"],
    }
    return render(request, "syncing/_items_poll.html", context)


def _shown(text: str) -> dict[int, str]:
    """Rows of the page as the browser has them: their ids and versions."""
    found = {}
    for one in text.split(",")[:MOST_SHOWN]:
        pk, _, version = one.partition(".")
        if pk.isdecimal() and len(pk) < 19:
            found[int(pk)] = version
    return found


def _gone(
    context: Mapping[str, Any], ids: Sequence[int], now: datetime
) -> list[item_queries.ItemRow]:
    """Rows that are no longer on the page, as they are now; some no longer match at all."""
    if not ids:
        return []
    items = item_queries.with_handling(SyncItem.objects.filter(pk__in=ids))
    matching = item_queries.matching(context["chosen"].filter, now).filter(pk__in=ids)
    still = set(matching.values_list("pk", flat=True))
    return [replace(row, is_gone=row.item.pk not in still) for row in item_queries.rows(items, now)]


@require_POST
@allow(Permission.SEE)
def select_items(request: HttpRequest) -> HttpResponse:
    """Tick or untick items of a list, and give back the bar that acts on them."""
    now = timezone.now()
    me = request.user.get_username()
    chosen = chosen_list(request.GET, me=me)
    problem = ""
    try:
        match request.POST.get("tick"):
            case "all":
                selections.tick_all(me, chosen.query)
            case "none":
                selections.clear(me, chosen.query)
            case _:
                _tick(request, me, chosen.query)
    except selections.TooMany as refusal:
        problem = str(refusal)
    selection = selections.of(me, chosen.query, now=now)
    context = {
        "chosen": chosen,
        "bar": bar(chosen, selection, now=now, problem=problem),
        "acts": acts_for(request),
    }
    return render(request, "syncing/_bulk_bar.html", context, status=422 if problem else 200)


def _tick(request: HttpRequest, me: str, query: str) -> None:
    for name, on in (("on", True), ("off", False)):
        named = ChosenForm({"ids": request.POST.get(name, "")}).named
        if named:
            selections.tick(me, query, named, on=on)


@require_GET
@allow(Permission.SEE)
def customer_choices(request: HttpRequest) -> HttpResponse:
    """Customers whose name contains what is typed, for the filter where there are many."""
    text = request.GET.get("customer", "").strip()[:80]
    found = connection_queries.customer_choices(text=text, at_most=20) if text else []
    return render(request, "syncing/_customer_choices.html", {"found": found})


@require_GET
@allow(Permission.SEE)
def items_csv(request: HttpRequest) -> HttpResponseBase:
    """The whole list, or what is ticked of it, as a file. Whoever takes one leaves a line."""
    now = timezone.now()
    me = request.user.get_username()
    chosen, found = chosen_items(request.GET, me=me, now=now)
    audit.record(
        me,
        "items.csv",
        "Downloaded items as a file.",
        connection_id=chosen.filter.connection_id,
        subject="items",
        data={"query": chosen.query, "ticked": ChosenForm(request.GET).is_ticked},
    )
    lines = exports.item_lines(found, newest_first=not chosen.filter.is_open, now=now)
    return csv_response(f"items-{now:%Y-%m-%d}", exports.COLUMNS, lines)
