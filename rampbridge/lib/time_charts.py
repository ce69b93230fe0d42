"""Series over time to SVG geometry: areas upon each other, and two lines against each other. Pure.

A series has a place for each slot of time. A slot that nobody measured is None and stays a gap: it
is not nothing. Templates draw what comes of it; its numbers stand beside it as a table.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from rampbridge.lib.charts import Tick, nice_ceiling

LEFT, RIGHT, TOP, BOTTOM = 46, 8, 10, 22
WIDTH, HEIGHT = 720, 220
MOST_LABELS = 8
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Where slots and values lie in a drawing, and what stands on its axes."""

    slots: int
    ceiling: int
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width} {self.height}"

    @property
    def ground(self) -> float:
        return self.height - BOTTOM

    @property
    def right(self) -> int:
        return self.width - RIGHT

    @property
    def step(self) -> float:
        return (self.width - LEFT - RIGHT) / max(self.slots, 1)

    def x(self, slot: float) -> float:
        """The middle of a slot."""
        return round(LEFT + (slot + 0.5) * self.step, 2)

    def y(self, value: float) -> float:
        return round(TOP + (self.ground - TOP) * (1 - value / self.ceiling), 2)


@dataclass(frozen=True, slots=True)
class Area:
    """One layer as a path, from its lower to its upper edge."""

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class StackedAreas:
    """Layers upon each other, the first at the bottom."""

    frame: Frame
    areas: Sequence[Area]
    threshold: str
    """A line on top of the layers that are too much of something. Empty: none is drawn."""


@dataclass(frozen=True, slots=True)
class TwoLines:
    """Two series against each other, and how they would go on."""

    frame: Frame
    first: Sequence[str]
    second: Sequence[str]
    """Each a line per stretch without a gap."""
    first_marks: Sequence[Point]
    second_marks: Sequence[Point]
    between: str
    """Where the first is above the second."""
    ahead: "Ahead | None"
    """None, where nothing is foretold."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How both lines would go on."""

    first: str
    second: str
    ends: Tick
    """Where what is measured ends and the outlook begins."""
    meets: Tick | None
    """When it is said to be over, if that is in the drawing."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """How two series would go on."""

    slots: int
    first: float
    second: float
    """Per slot."""
    over_after: float | None = None
    """Slots from now until it is over; None, if that lies beyond the drawing."""
    label: str = ""


@dataclass(slots=True)
class _Runs:
    """The stretches of a series without a gap."""

    stretches: list[list[int]] = field(default_factory=list)

    def add(self, slot: int) -> None:
        if self.stretches and self.stretches[-1][-1] == slot - 1:
            self.stretches[-1].append(slot)
        else:
            self.stretches.append([slot])


def stacked_areas(
    layers: Sequence[tuple[str, Sequence[int | None]]],
    labels: Sequence[str],
    *,
    threshold_over: int = 0,
    write: Callable[[int], str] = "{:,}".format,
) -> StackedAreas:
    """Draw layers upon each other.

    :param layers: of each its key and its series, the lowest first; all have the same gaps
    :param labels: of the slots
    :param threshold_over: draw the threshold on top of so many layers
    :param write: how a value stands on the axis
    """
    tops = {
        slot: list(accumulate((value or 0 for value in column), initial=0))
        for slot, column in enumerate(zip(*(layer for _, layer in layers), strict=True))
        if None not in column
    }
    frame = _frame(labels, max((top[-1] for top in tops.values()), default=0), write)
    runs = _runs([tops.get(slot) for slot in range(len(labels))])

    def edge(run: Sequence[int], layer: int) -> list[Point]:
        return _points(frame, run, [frame.y(tops[slot][layer]) for slot in run])

    areas = []
    for number, (key, _) in enumerate(layers):
        pieces = [
            _closed([*edge(run, number + 1), *reversed(edge(run, number))])
            for run in runs
            if any(tops[slot][number + 1] > tops[slot][number] for slot in run)
        ]
        areas.append(Area(key, "".join(pieces)))
    line = "".join(_open(edge(run, threshold_over)) for run in runs) if threshold_over else ""
    return StackedAreas(frame, areas, line)


def two_lines(
    first: Sequence[int | None],
    second: Sequence[int | None],
    labels: Sequence[str],
    *,
    outlook: Outlook | None = None,
) -> TwoLines:
    """Draw two series on one scale, what the first is above the second, and an outlook."""
    ahead = outlook.slots if outlook else 0
    rates = (outlook.first, outlook.second) if outlook else (0.0, 0.0)
    highest = max([value for value in (*first, *second) if value is not None] + [0])
    frame = _frame(
        labels, max(highest, *(int(rate) for rate in rates)), "{:,}".format, beyond=ahead
    )

    def lines(series: Sequence[int | None]) -> list[str]:
        drawn = []
        for run in _runs(series):
            points = [(frame.x(slot), frame.y(series[slot] or 0)) for slot in run]
            drawn.append(" ".join(f"{x},{y}" for x, y in points))
        return drawn

    def marks(series: Sequence[int | None]) -> list[Point]:
        every = max(1, len(series) // 40)
        return [
            (frame.x(slot), frame.y(value))
            for slot, value in enumerate(series)
            if value is not None and (len(series) - 1 - slot) % every == 0
        ]

    return TwoLines(
        frame=frame,
        first=lines(first),
        second=lines(second),
        first_marks=marks(first),
        second_marks=marks(second),
        between=_between(frame, first, second),
        ahead=_ahead(frame, len(labels), first, second, outlook),
    )


def _ahead(
    frame: Frame,
    slots: int,
    first: Sequence[int | None],
    second: Sequence[int | None],
    outlook: Outlook | None,
) -> Ahead | None:
    if outlook is None or not slots or first[-1] is None or second[-1] is None:
        return None
    end = slots - 1
    far = frame.x(end + outlook.slots)

    def dashes(rate: float) -> str:
        return f"{frame.x(end)},{frame.y(rate)} {far},{frame.y(rate)}"

    over = outlook.over_after
    is_drawn = over is not None and over <= outlook.slots
    return Ahead(
        dashes(outlook.first),
        dashes(outlook.second),
        Tick(frame.x(end), "now"),
        Tick(frame.x(end + (over or 0)), outlook.label) if is_drawn else None,
    )


def _between(frame: Frame, first: Sequence[int | None], second: Sequence[int | None]) -> str:
    pieces = []
    both = [
        None if a is None or b is None else max(a - b, 0)
        for a, b in zip(first, second, strict=True)
    ]
    for run in _runs(both):
        upper = [(frame.x(slot), frame.y(max(first[slot] or 0, second[slot] or 0))) for slot in run]
        lower = [(frame.x(slot), frame.y(second[slot] or 0)) for slot in run]
        if len(run) > 1 and any(both[slot] for slot in run):
            pieces.append(_closed([*upper, *reversed(lower)]))
    return "".join(pieces)


def _frame(
    labels: Sequence[str], highest: int, write: Callable[[int], str], *, beyond: int = 0
) -> Frame:
    slots = len(labels) + beyond
    ceiling = nice_ceiling(max(highest, 1))
    bare = Frame(slots, ceiling, (), ())
    every = max(1, -(-len(labels) // MOST_LABELS))
    x_ticks = [
        Tick(bare.x(slot), label)
        for slot, label in enumerate(labels)
        if (len(labels) - 1 - slot) % every == 0
    ]
    steps = sorted({0, ceiling // 2, ceiling}) if ceiling > 1 else [0, 1]
    return Frame(slots, ceiling, x_ticks, [Tick(bare.y(value), write(value)) for value in steps])


def _runs(series: Sequence[object | None]) -> list[list[int]]:
    runs = _Runs()
    for slot, value in enumerate(series):
        if value is not None:
            runs.add(slot)
    return runs.stretches


def _points(frame: Frame, run: Sequence[int], heights: Sequence[float]) -> list[Point]:
    """An edge. What was measured once only is as wide as its slot, or nobody would see it."""
    if len(run) > 1:
        return [(frame.x(slot), height) for slot, height in zip(run, heights, strict=True)]
    half = min(frame.step / 2, 12)
    return [(round(frame.x(run[0]) + side, 2), heights[0]) for side in (-half, half)]


def _closed(points: Sequence[Point]) -> str:
    return "".join(_steps(points)) + "z"


def _open(points: Sequence[Point]) -> str:
    return "".join(_steps(points))


def _steps(points: Sequence[Point]) -> Iterator[str]:
    for number, (x, y) in enumerate(points):
        yield f"{'L' if number else 'M'}{x:g} {y:g}"
