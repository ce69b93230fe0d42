"""The managers' page: do we keep up, where is it stuck, whose move is it, when is it through?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest, HttpResponseUnchanged
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow
from syncing.backlog.forecast import Forecast, Pressure, forecast
from syncing.models import SyncItem
from syncing.queries.backlog import past, weights
from syncing.queries.backlog.past import Came, Pace, Sampled, Took
from syncing.queries.backlog.present import Pile, Present, present
from syncing.queries.backlog.pulse import pulse, slot
from syncing.queries.errors import CATEGORIES
from syncing.queries.words import Party, Word
from syncing.views import backlog_charts as charts
from syncing.views.backlog_charts import items_url
from syncing.views.backlog_scope import AMOUNT, ITEMS, MINUTES, Asked, asked
from syncing.views.live import version_of

AGES_PASS = timedelta(minutes=5)
"""So long a page may stand as it is where nothing but time has passed."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything on the page, as of one moment."""

    asked: Asked
    present: Present
    piles: Sequence[Pile]
    """By age; of a very large backlog the last sample's."""
    sampled: Sequence[Sampled | None]
    came: Came
    pace: Pace
    said: Forecast
    took: tuple[Took, Took]
    """In a day, and in a week."""
    causes: Sequence[weights.Cause]
    nothing: Money
    """Nothing of the currency that amounts are shown in."""

    @property
    def now(self) -> datetime:
        return self.present.as_of


@require_GET
@allow(Permission.SEE)
def backlog(request: HtmxHttpRequest) -> HttpResponse:
    """The page. A poll hears nothing new but every quarter of a minute, and if there is any."""
    now = timezone.now().replace(microsecond=0)
    is_poll = bool(request.htmx) and "version" in request.GET
    drawn, _, shown = request.GET.get("version", "").partition(".")
    if is_poll and drawn == str(slot(now)):
        return HttpResponseUnchanged()
    chosen = asked(request.GET)
    # Read before the page is: what changes in between is news to the next poll.
    token = version_of(pulse(chosen.scope), int(now.timestamp() // AGES_PASS.total_seconds()))
    if is_poll and shown == token:
        return HttpResponseUnchanged()
    query = request.GET.copy()
    query.pop("version", None)
    context = {
        "section": "backlog",
        "now": now,
        **context_of(read(chosen, now=now)),
        "page_query": query.urlencode(),
        "live_url": f"{request.path}?{_with(query.urlencode(), f'version={slot(now)}.{token}')}",
    }
    if is_poll:
        return render(request, "backlog/_backlog.html", context)
    page = "backlog/wall.html" if chosen.is_wall else "backlog/backlog.html"
    return render(request, page, {**context, **_form(chosen)})


def _with(*parts: str) -> str:
    return "&".join(part for part in parts if part)


def read(chosen: Asked, *, now: datetime) -> Reading:
    """All numbers of the page. Seven statements at most.

    :param now: without fractions of a second, as addresses of lists say it
    """
    scope, period = chosen.scope, chosen.period
    seen = present(scope, now=now, failed_since=past.pace_since(scope, now))
    nothing = _nothing(seen, chosen.currency)
    sampled = past.by_age(scope, period, currency=nothing.currency, now=now)
    pace = past.pace(scope, now=now)
    return Reading(
        asked=chosen,
        present=seen,
        piles=_piles(seen, sampled, nothing),
        sampled=sampled,
        came=past.came_and_went(scope, period, now=now),
        pace=pace,
        said=forecast(_pressure(seen, pace), now=now),
        took=past.latencies(scope, now=now),
        causes=weights.causes(scope),
        nothing=nothing,
    )


def _nothing(seen: Present, asked_for: str) -> Money:
    """The currency that charts of amounts are in, with its exponent as items have it."""
    exponents = {line.money.currency: line.money.exponent for line in seen.lines}
    currency = asked_for or next(iter(seen.currencies), "USD")
    return Money(0, currency, exponents.get(currency, 2))


def _piles(seen: Present, sampled: Sequence[Sampled | None], nothing: Money) -> Sequence[Pile]:
    last = next((one for one in reversed(sampled) if one), None)
    if not seen.is_too_much or last is None:
        return seen.bands
    return [
        Pile(items, [Money(minor, nothing.currency, nothing.exponent)])
        for items, minor in zip(last.items, last.minor, strict=True)
    ]


def _pressure(seen: Present, pace: Pace) -> Pressure:
    words = seen.words
    for_us = words.get(Word.NEEDS_PERSON, 0) + words.get(Word.UNCERTAIN, 0)
    for_customers = words.get(Word.CUSTOMER, 0)
    return Pressure(
        moving=max(seen.items - for_us - for_customers, 0),
        for_customers=for_customers,
        for_us=for_us,
        arrived_per_hour=pace.arrived * 60,
        done_per_hour=pace.done * 60,
        erps_at_limit=seen.erps_at_limit,
        paused=seen.paused,
        ramp_frozen_until=seen.ramp_frozen_until,
        ramp_share=seen.ramp_share,
    )


def context_of(reading: Reading) -> dict[str, Any]:
    """What the live part shows."""
    chosen, seen = reading.asked, reading.present
    scope = chosen.scope
    money = reading.nothing if chosen.measure == AMOUNT else None
    return {
        "asked": chosen,
        "reading": reading,
        "present": seen,
        "headline": _headline(reading),
        "age": charts.age_chart(
            seen, reading.piles, reading.sampled, scope=scope, period=chosen.period, money=money
        ),
        "flow": charts.flow_chart(
            reading.came, reading.pace, reading.said, scope=scope, period=chosen.period,
            now=reading.now,
        ),
        "moves": charts.moves(seen, scope),
        "pareto": charts.pareto(
            reading.causes, by=chosen.weight, money=reading.nothing, scope=scope
        ),
        "currency": reading.nothing.currency,
        "currencies": seen.currencies,
        "measures": ((ITEMS, "Items"), (AMOUNT, "Amount")),
        "weights": ((AMOUNT, "Amount"), (MINUTES, "Our minutes"), (ITEMS, "Items")),
        "minutes": [
            (CATEGORIES[category].label, minutes) for category, minutes in weights.MINUTES.items()
        ],
        "fragments": _fragments(chosen),
    }  # fmt: skip


def _headline(reading: Reading) -> dict[str, Any]:
    """The numbers at the top, and the lists behind them."""
    scope, seen, came = reading.asked.scope, reading.present, reading.came
    done = sum(came.done)
    since = came.starts[0]
    of_all_entities = replace(scope, entity_id=None)
    return {
        "open_url": items_url(scope.items(state="open")),
        "sums": [
            (money, seen.of_currency(money.currency),
             items_url(scope.items(state="open", currency=money.currency)))
            for money in seen.sums
        ],
        "took": [
            (name, took, items_url(of_all_entities.gone(done_from=took.since)))
            for name, took in zip(("24 hours", "7 days"), reading.took, strict=True)
        ],
        "done": done,
        "done_url": items_url(scope.gone(done_from=since)),
        "first_share": 100 * came.first / done if done else None,
        "again": came.again,
        "again_url": items_url(scope.gone(done_from=since, tries="again")),
        "failed_url": items_url(scope.items(state="open", failed_from=reading.pace.since)),
        "uncertain": seen.words.get(Word.UNCERTAIN, 0),
        "uncertain_url": items_url(scope.items(state=Word.UNCERTAIN)),
        "for_us": seen.parties[Party.US],
    }  # fmt: skip


def _fragments(chosen: Asked) -> dict[str, str]:
    """Parts that load by themselves, each at its own address."""
    query = chosen.scope.parameters()
    return {
        name: f"{reverse(route)}{'?' if query else ''}{query}"
        for name, route in (("worst", "backlog_worst"), ("team", "backlog_team"))
    }


def _form(chosen: Asked) -> dict[str, Any]:
    """What the filters offer."""
    return {
        "types": SyncItem.ObjectType.choices,
        "categories": [(key, look.label) for key, look in CATEGORIES.items()],
        "named": [(one, one) for one in chosen.offered.erps],
        "owners": [(one, one) for one in chosen.offered.owners],
        "entities": chosen.offered.customer.entities if chosen.offered.customer else (),
        "connection": chosen.offered.customer,
        "customers": chosen.offered.customers,
        "save_page": "backlog",
    }
