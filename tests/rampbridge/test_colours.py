"""What a chart tells by colour, its lightness tells as well: nobody needs to see hues."""

import math
import re
from itertools import combinations, pairwise
from pathlib import Path

import pytest

STYLES = Path(__file__).resolve().parents[2] / "static" / "css"
COLOUR = re.compile(r"--([\w-]+): light-dark\((#\w{6}), (#\w{6})\);")
THEMES = ("light", "dark")
STEP = 8
"""Of 100. A sheet of greys with smaller steps between neighbours is hard to read."""
APART = 15
"""The same for patches that may stand next to any other, far from their key."""


def lightness(colour: str) -> float:
    """CIE L* of `#rrggbb`: equal differences look equally large."""
    channels = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return 116 * math.cbrt(luminance) - 16


def series(name: str, theme: str) -> list[float]:
    """The lightness of all colours whose name begins so, in the order in which they are written."""
    text = "".join((STYLES / f"{sheet}.css").read_text() for sheet in ("tokens", "backlog"))
    found = [one for one in COLOUR.findall(text) if one[0].startswith(name)]
    assert len(found) >= 4, name
    return [lightness(one[1 + THEMES.index(theme)]) for one in found]


@pytest.mark.parametrize("theme", THEMES)
class TestColours:
    def test_bands_of_age_go_from_light_to_dark_or_back_in_even_steps(self, theme: str) -> None:
        steps = [after - before for before, after in pairwise(series("band-", theme))]

        assert all(step >= STEP for step in steps) or all(step <= -STEP for step in steps)

    def test_parties_are_told_apart_without_a_hue(self, theme: str) -> None:
        for one, other in combinations(series("move-", theme), 2):
            assert abs(one - other) >= APART
