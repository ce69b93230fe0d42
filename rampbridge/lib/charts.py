"""Points to SVG geometry. Templates draw it; every chart also has its numbers as text. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """A share of a whole: how much, what it is called, and in which tone it is drawn."""

    label: str
    value: int
    tone: str


@dataclass(frozen=True, slots=True)
class Rect:
    """A box in the units of the drawing it belongs to."""

    x: float
    y: float
    width: float
    height: float
    tone: str
    label: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled place on an axis."""

    at: float
    label: str


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns with a line over them, as wide and high as the view box says."""

    width: int
    height: int
    rects: Sequence[Rect]
    line: str
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width} {self.height}"


def stacked_bar(parts: Sequence[Part], *, width: float = 100, gap: float = 0.4) -> list[Rect]:
    """Shares of a whole, side by side. Small shares stay visible; nothing at all draws nothing."""
    shown = [part for part in parts if part.value > 0]
    total = sum(part.value for part in shown)
    least = min(1.5, width / len(shown)) if shown else 0
    spread = width - least * len(shown)
    rects: list[Rect] = []
    x = 0.0
    for part in shown:
        share = least + spread * part.value / total
        label = f"{part.label}: {part.value}"
        rects.append(Rect(round(x, 3), 0, round(max(share - gap, 0.2), 3), 10, part.tone, label))
        x += share
    return rects


def columns_and_line(
    columns: Sequence[int],
    line: Sequence[int],
    labels: Sequence[str],
    *,
    tone: str,
    label_every: int = 4,
    width: int = 720,
    height: int = 180,
) -> Columns:
    """One column per label, and a line through a second series on the same scale."""
    left, bottom, top = 34, 20, 8
    plot_height = height - bottom - top
    step = (width - left) / max(len(columns), 1)
    ceiling = nice_ceiling(max([*columns, *line, 1]))

    def y(value: float) -> float:
        return round(top + plot_height * (1 - value / ceiling), 2)

    rects = [
        Rect(round(left + i * step + step * 0.14, 2), y(value), round(step * 0.72, 2),
             round(height - bottom - y(value), 2), tone, f"{labels[i]}: {value}")
        for i, value in enumerate(columns)
    ]  # fmt: skip
    points = [f"{left + (i + 0.5) * step:.2f},{y(value)}" for i, value in enumerate(line)]
    return Columns(
        width=width,
        height=height,
        rects=rects,
        line=" ".join(points),
        x_ticks=[
            Tick(round(left + (i + 0.5) * step, 2), label)
            for i, label in enumerate(labels)
            if (len(labels) - 1 - i) % label_every == 0
        ],
        y_ticks=[
            Tick(y(value), f"{value:,}") for value in sorted({0, ceiling // 2, ceiling} - {0.5})
        ],
    )


def up_and_down(
    days: Sequence[Sequence[int]], *, step: float = 6, high: float = 18, low: float = 8
) -> tuple[str, str]:
    """A small chart without axes as two paths: what went well grows upwards, what did not grows
    downwards. Empty where there is nothing.

    Each way has its own scale; one of anything is always to be seen.
    """
    ups, downs = [up for up, _ in days], [down for _, down in days]
    return _bars(ups, step, ground=high, reach=-high), _bars(downs, step, ground=high, reach=low)


def _bars(values: Sequence[int], step: float, *, ground: float, reach: float) -> str:
    most = max(values, default=0) or 1
    least = 1 if reach > 0 else -1
    return "".join(
        f"M{place * step:g} {ground:g}v{max(reach * value / most, least, key=abs):.3g}"
        f"h{step - 1.5:g}V{ground:g}z"
        for place, value in enumerate(values)
        if value
    )


def nice_ceiling(value: int) -> int:
    """The next number above that reads well on an axis: 2, 4, 6, 10, 20, 40 ..."""
    magnitude = 1
    while True:
        for step in (2, 4, 6, 10):
            if step * magnitude >= value:
                return step * magnitude
        magnitude *= 10


@dataclass(frozen=True, slots=True)
class Spark:
    """Small bars without axes. What they add up to is said beside them."""

    bars: str
    """All that are more than nothing, as one path: a chart of its own elements would be most of a
    long list's markup."""
    ground: str
    """A line where there is nothing, as another."""
    total: int
    width: int
    height: int

    @property
    def view_box(self) -> str:
        return f"0 0 {self.width} {self.height}"


def spark(values: Sequence[int], *, step: int = 4, height: int = 20) -> Spark:
    """A bar per value. What is more than nothing can be seen; nothing is a line on the ground."""
    most = max([*values, 1])
    heights = [max(2, (height - 1) * value / most) if value else 0 for value in values]
    return Spark(
        bars=_standing(heights, step, height),
        ground=_standing([0 if tall else 1 for tall in heights], step, height),
        total=sum(values),
        width=len(values) * step,
        height=height,
    )


def _standing(heights: Sequence[float], step: int, ground: int) -> str:
    return "".join(
        f"M{place * step} {ground}v-{tall:.3g}h{step - 1}v{tall:.3g}z"
        for place, tall in enumerate(heights)
        if tall
    )
