"""Figures as drawings and a table: `./run bench --draw FILE`, of the lines that `--json` printed.

Writes `docs/performance.svg` and `docs/scaling.svg`, and the table of `docs/performance.md` between
its two marks. What a file does not tell of stands there as not measured.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from bench.figures import Target, targets
from rampbridge.embedded.home import ROOT

PAGE = ROOT / "docs" / "performance.md"
TARGETS_DRAWN = ROOT / "docs" / "performance.svg"
SCALING_DRAWN = ROOT / "docs" / "scaling.svg"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
Told = Mapping[str, Any]

_ROW, _TOP, _LEFT, _WIDTH = 22, 46, 250, 760
_DECADES = 1.5
"""That are drawn to each side of the target."""
_STYLE = """<style>
text { font: 12px system-ui, sans-serif; fill: #3d4451 } .small { font-size: 11px; fill: #69707d }
.axis { stroke: #9aa1ad; stroke-width: 1 } .met { fill: #1a7f5a; stroke: #1a7f5a }
.missed { fill: #b4232a; stroke: #b4232a } .fit { stroke: #5a6fc0; fill: none; stroke-width: 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #d5d9e0 } .small { fill: #9aa1ad } .met { fill: #4cc38a; stroke: #4cc38a }
  .missed { fill: #ff7b72; stroke: #ff7b72 }
}
</style>"""


def draw(lines: Iterable[str]) -> list[Path]:
    """Draw what these lines of JSON tell. Returns the files that were written."""
    told = {one["name"]: one for line in lines if line.strip() for one in [json.loads(line)]}
    TARGETS_DRAWN.write_text(against_targets(told))
    written = [TARGETS_DRAWN]
    if speeds := told.get("scaling", {}).get("details", {}).get("objects_a_second"):
        share = float(told["scaling"]["value"])
        SCALING_DRAWN.write_text(scaling({int(n): x for n, x in speeds.items()}, share))
        written.append(SCALING_DRAWN)
    if PAGE.exists():
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n\n{table(told)}\n{END}{rest.partition(END)[2]}")
        written.append(PAGE)
    return written


def table(told: Mapping[str, Told]) -> str:
    """A line of Markdown for each figure, in the order of the ids."""
    rows = ["| | Figure | Target | Seen | |", "|---|---|---|---|---|"]
    for name, target in _in_order():
        figure = told.get(name)
        rows.append(f"| {target.id} | `{name}` | {target} | {_seen(figure)} | {_outcome(figure)} |")
    return "\n".join(rows) + "\n"


def against_targets(told: Mapping[str, Told]) -> str:
    """How much better than its target each figure is, or worse, on a scale of decades."""
    drawn = [(name, target) for name, target in _in_order() if name in told]
    height = _TOP + _ROW * len(drawn) + 20
    middle = _LEFT + _WIDTH / 2
    parts = [
        f'<text class="small" x="{_LEFT}" y="20">{_DECADES:g} decades worse</text>',
        f'<text x="{middle}" y="20" text-anchor="middle">target</text>',
        f'<text class="small" x="{_LEFT + _WIDTH}" y="20" text-anchor="end">'
        f"{_DECADES:g} decades better</text>",
        f'<line class="axis" x1="{middle}" y1="28" x2="{middle}" y2="{height - 14}"/>',
    ]
    for number, (name, target) in enumerate(drawn):
        y = _TOP + _ROW * number
        figure = told[name]
        kind = "met" if figure["met"] else "missed"
        ends = [_place(target, end) for end in figure.get("interval", [figure["value"]])]
        parts += [
            f'<text x="8" y="{y + 4}">{target.id} {escape(name)}</text>',
            f'<line class="{kind}" stroke-width="3" x1="{min(ends):.0f}" y1="{y}"'
            f' x2="{max(ends):.0f}" y2="{y}"/>',
            f'<circle class="{kind}" cx="{_place(target, figure["value"]):.0f}" cy="{y}" r="5">'
            f"<title>{escape(_seen(figure))}, target {escape(str(target))}</title></circle>",
        ]
    return _svg(_LEFT + _WIDTH + 20, height, parts, "Each figure against its target")


def scaling(speeds: Mapping[int, float], share: float) -> str:
    """Objects a second by slots, both in doublings, and the curve that fits."""
    width, height, left, bottom = 620, 340, 60, 290
    most = max(*speeds.values(), *(n * min(speeds.values()) for n in speeds))
    step_x = (width - left - 30) / max(1, len(speeds) - 1)
    first = min(speeds)

    def at(number: int, speed: float) -> tuple[float, float]:
        x = left + step_x * math.log2(number / first)
        low = min(speeds.values())
        return x, bottom - (bottom - 40) * math.log2(speed / low) / max(1, math.log2(most / low))

    one = _one_slot(speeds, share)
    curve = " ".join(
        f"{x:.1f},{y:.1f}" for n in speeds for x, y in [at(n, n * one / (1 + share * (n - 1)))]
    )
    parts = [
        f'<polyline class="fit" points="{curve}"/>',
        f'<text x="{left}" y="24">objects a second; fit with a serial share of {share:.3f}</text>',
        f'<text class="small" x="{width - 30}" y="{height - 8}" text-anchor="end">slots</text>',
        f'<line class="axis" x1="{left}" y1="{bottom + 8}" x2="{width - 20}" y2="{bottom + 8}"/>',
    ]
    for number, speed in speeds.items():
        x, y = at(number, speed)
        parts += [
            f'<circle class="met" cx="{x:.1f}" cy="{y:.1f}" r="5"/>',
            f'<text class="small" x="{x + 8:.1f}" y="{y + 14:.1f}">{speed:g}</text>',
            f'<text class="small" x="{x:.1f}" y="{bottom + 24}" text-anchor="middle">'
            f"{number}</text>",
        ]
    return _svg(width, height, parts, "Objects a second by slots")


def _one_slot(speeds: Mapping[int, float], share: float) -> float:
    """What one slot brings by the fit."""
    logs = [math.log(x * (1 + share * (n - 1)) / n) for n, x in speeds.items()]
    return math.exp(sum(logs) / len(logs))


def _place(target: Target, value: float) -> float:
    """To the right what is better. A bound of none at all is either kept or far from it."""
    bound = target.at_most if target.at_least is None else target.at_least
    if not bound or value <= 0:
        better = 0.5 if target.is_met_by(value) else -_DECADES
    else:
        better = math.log10(value / bound) * (-1 if target.at_least is None else 1)
    better = max(-_DECADES, min(_DECADES, better))
    return _LEFT + _WIDTH / 2 + better * _WIDTH / 2 / _DECADES


def _in_order() -> list[tuple[str, Target]]:
    return sorted(targets().items(), key=lambda one: int(one[1].id[1:]))


def _seen(figure: Told | None) -> str:
    if figure is None:
        return "not measured"
    low_high = " to ".join(f"{end:g}" for end in figure.get("interval", []))
    return f"{figure['value']:g}" + (f" ({low_high})" if low_high else "")


def _outcome(figure: Told | None) -> str:
    if figure is None:
        return ""
    return "met" if figure["met"] else "**missed**"


def _svg(width: float, height: float, parts: Sequence[str], title: str) -> str:
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}"'
            f' role="img" aria-label="{escape(title)}">',
            _STYLE,
            *parts,
            "</svg>\n",
        ]
    )
