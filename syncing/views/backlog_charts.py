"""The charts of the managers' page: what is drawn, what each mark says, and the list behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from urllib.parse import urlencode

from rampbridge.lib.charts import Part, Rect, stacked_bar
from rampbridge.lib.money import Money
from rampbridge.lib.time_charts import Outlook, StackedAreas, TwoLines, stacked_areas, two_lines
from rampbridge.lib.url_tag import address
from syncing.age_bands import BANDS
from syncing.backlog.forecast import Forecast
from syncing.queries.backlog.past import Came, Pace, Sampled
from syncing.queries.backlog.periods import Period
from syncing.queries.backlog.present import Pile, Present
from syncing.queries.backlog.scope import Scope
from syncing.queries.backlog.weights import Cause, ranked
from syncing.queries.words import PARTY_LABELS, Party
from syncing.views.backlog_scope import AMOUNT, MINUTES

LATE_BANDS = 3
"""The oldest ones, from four hours on: what waits that long is late, whoever's move it is."""
PARTIES: Sequence[tuple[Party, str, str]] = (
    (Party.US, "move-us", "user"),
    (Party.CUSTOMER, "move-customer", "hand"),
    (Party.ERP, "move-erp", "building-2"),
    (Party.RAMP, "move-ramp", "send"),
)
"""With tone and icon."""
AHEAD_SLOTS = 6
_INSTANT = timedelta(microseconds=1)


def items_url(query: str) -> str:
    return f"{address('items', (), {})}?{query}"


@dataclass(frozen=True, slots=True)
class BandMark:
    """One band of age: what is in it now, and where its list is."""

    key: str
    label: str
    pile: Pile
    url: str
    path: str


@dataclass(frozen=True, slots=True)
class AgeRow:
    """What was open at a moment, by band; the youngest first. No values: nobody looked."""

    at: str
    values: Sequence[str]
    total: str


@dataclass(frozen=True, slots=True)
class AgeChart:
    """The backlog by age over time."""

    drawing: StackedAreas
    marks: Sequence[BandMark]
    rows: Sequence[AgeRow]
    has_any: bool


def age_chart(
    present: Present,
    piles: Sequence[Pile],
    sampled: Sequence[Sampled | None],
    *,
    scope: Scope,
    period: Period,
    money: Money | None,
) -> AgeChart:
    """Areas upon each other, the oldest at the bottom; the last slot is this moment.

    :param money: nothing of the currency that amounts are shown in; None shows items
    """

    def of_now(pile: Pile) -> int:
        return pile.items if money is None else max(pile.of(money.currency), 0)

    def of_then(sample: Sampled) -> Sequence[int]:
        return sample.items if money is None else [max(one, 0) for one in sample.minor]

    columns: list[Sequence[int] | None] = [
        of_then(sample) if sample else None for sample in sampled[:-1]
    ]
    columns.append([of_now(pile) for pile in piles])
    labels = [*period.labels(present.as_of)[:-1], "now"]
    oldest_first = list(reversed(range(len(BANDS))))
    drawing = stacked_areas(
        [(str(band), [column[band] if column else None for column in columns])
         for band in oldest_first],
        labels,
        threshold_over=LATE_BANDS,
        write=short if money is None else partial(_short_amount, money),
    )  # fmt: skip
    paths = {area.key: area.path for area in drawing.areas}
    marks = [
        BandMark(str(number), band.label, pile, _band_url(scope, number, present.as_of),
                 paths[str(number)])
        for number, (band, pile) in enumerate(zip(BANDS, piles, strict=True))
    ]  # fmt: skip
    moments = [
        sample.at if sample else start
        for sample, start in zip(sampled, period.starts(present.as_of), strict=True)
    ]
    moments[-1] = present.as_of
    return AgeChart(
        drawing,
        marks,
        [
            _age_row(moment, column, money)
            for moment, column in reversed(list(zip(moments, columns, strict=True)))
        ],
        any(any(column) for column in columns if column),
    )


def _age_row(at: datetime, column: Sequence[int] | None, money: Money | None) -> AgeRow:
    if column is None:
        return AgeRow(_moment(at), (), "")
    values = [_written(one, money) for one in column]
    return AgeRow(_moment(at), values, _written(sum(column), money))


def _moment(at: datetime) -> str:
    """As tables say it. Django's filter takes a hundred times as long, of a hundred rows."""
    return f"{at:%-d %b %Y, %H:%M}"


def _written(value: int, money: Money | None) -> str:
    if money is None:
        return f"{value:,}"
    return f"{Decimal(value).scaleb(-money.exponent):,f}"


def _band_url(scope: Scope, number: int, now: datetime) -> str:
    """The list of a band: after its older end, up to and with its younger one."""
    after, upto = BANDS[number].ready_between(now)
    return items_url(
        scope.items(
            state="open",
            ready_from=after + _INSTANT if after else None,
            ready_to=upto + _INSTANT if number else None,
        )
    )


def _short_amount(money: Money, minor: int) -> str:
    return short(Decimal(minor).scaleb(-money.exponent))


def short(value: int | Decimal) -> str:
    """A figure for an axis: 950, 12k, 1.5M."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{float(value) / size:.3g}{unit}"
    return f"{value:,.0f}"


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One slot: what came, what went, and the lists of both."""

    index: int
    begins: str
    arrived: int
    arrived_url: str
    done: int
    done_url: str


@dataclass(frozen=True, slots=True)
class FlowChart:
    """Arrivals against drain."""

    drawing: TwoLines
    rows: Sequence[FlowRow]
    """The newest first."""
    has_any: bool


def flow_chart(
    came: Came, pace: Pace, said: Forecast, *, scope: Scope, period: Period, now: datetime
) -> FlowChart:
    labels = period.labels(now)
    per_slot = period.step / timedelta(minutes=1)
    outlook = None
    if said.clears_at is not None:
        outlook = Outlook(
            slots=AHEAD_SLOTS,
            first=pace.arrived * per_slot,
            second=pace.done * per_slot,
            over_after=(said.clears_at - now) / period.step,
            label=f"clears {said.clears_at:%H:%M}",
        )
    everything = items_url(scope.gone())
    rows = [
        FlowRow(
            index,
            _moment(start),
            came.arrived[index],
            f"{everything}&{_within('ready', start, start + period.step)}",
            came.done[index],
            f"{everything}&{_within('done', start, start + period.step)}",
        )
        for index, start in enumerate(came.starts)
    ]
    return FlowChart(
        two_lines(came.arrived, came.done, labels, outlook=outlook),
        list(reversed(rows)),
        any(came.arrived) or any(came.done),
    )


def _within(what: str, start: datetime, end: datetime) -> str:
    return urlencode({f"{what}_from": start.isoformat(), f"{what}_to": end.isoformat()})


@dataclass(frozen=True, slots=True)
class Move:
    """One party's part of the backlog."""

    party: Party
    label: str
    icon: str
    tone: str
    pile: Pile
    url: str
    rect: Rect | None


def moves(present: Present, scope: Scope) -> list[Move]:
    """Whose move it is."""
    empty = Pile(0, ())
    piles = {party: present.parties.get(party, empty) for party, *_ in PARTIES}
    parts = [Part(party, piles[party].items, tone) for party, tone, _ in PARTIES]
    rects = dict(
        zip((part.label for part in parts if part.value > 0), stacked_bar(parts), strict=True)
    )
    return [
        Move(
            party,
            PARTY_LABELS[party],
            icon,
            tone,
            piles[party],
            items_url(scope.items(state="open", party=party)),
            rects.get(party),
        )
        for party, tone, icon in PARTIES
    ]


@dataclass(frozen=True, slots=True)
class CauseBar:
    """One cause in the order of what it weighs."""

    cause: Cause
    weight: str
    width: float
    upto: int
    """Per cent of all that this one and those before it weigh."""
    url: str


@dataclass(frozen=True, slots=True)
class Pareto:
    """The heaviest causes."""

    bars: Sequence[CauseBar]
    others: str
    """What those weigh that are not shown; empty if there are none."""


def pareto(found: Sequence[Cause], *, by: str, money: Money, scope: Scope) -> Pareto:
    """Causes by weight.

    :param by: `AMOUNT`, `MINUTES` or `ITEMS`
    :param money: nothing of the currency that amounts are shown in
    """
    shown, rest = ranked(found, by=by, currency=money.currency)
    total = sum(weight for _, weight in shown) + rest
    bars, upto = [], 0.0
    for cause, weight in shown:
        upto += weight
        bars.append(
            CauseBar(
                cause,
                _weight(weight, by, money),
                round(100 * weight / shown[0][1], 2),
                round(100 * upto / total),
                items_url(scope.items(state="open", cause=cause.fingerprint)),
            )
        )
    return Pareto(bars, _weight(rest, by, money) if rest else "")


def _weight(weight: float, by: str, money: Money) -> str:
    if by == AMOUNT:
        return f"{_written(int(weight), money)} {money.currency}"
    if by == MINUTES:
        hours, minutes = divmod(round(weight), 60)
        return f"{hours:,} h {minutes} min" if hours else f"{minutes} min"
    return f"{weight:,.0f} item{'' if weight == 1 else 's'}"
