"""Figures as people type them, with either sign for decimals. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal

_FIGURE = re.compile(r"^\(?[-+]?\d[\d.,']*\)?$")
_MOST_DIGITS = 15


def figures_of(text: str) -> Sequence[Decimal]:
    """What a figure may mean, without its sign: `1,204` a thousand and more, or 1.204.

    Empty if it is none.
    """
    text = text.replace("\N{MINUS SIGN}", "-")
    if not _FIGURE.match(text):
        return ()
    bare = text.strip("()+-").replace("'", "").rstrip(".,")
    if not 0 < len(re.sub(r"\D", "", bare)) <= _MOST_DIGITS:
        return ()
    marks = [letter for letter in bare if letter in ".,"]
    if not marks:
        return (Decimal(bare),)
    last = marks[-1]
    whole, _, fraction = bare.rpartition(last)
    as_decimal = _decimal(whole, fraction)
    if len(set(marks)) == 2:  # the last of two is the decimal one
        return (as_decimal,) if marks.count(last) == 1 and len(fraction) <= 4 else ()
    as_thousands = Decimal(re.sub(r"[.,]", "", bare))
    groups = bare.split(last)
    is_grouped = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    if len(marks) > 1:
        return (as_thousands,) if is_grouped else ()
    if len(fraction) > 4:
        return ()
    return (as_thousands, as_decimal) if is_grouped else (as_decimal,)


def _decimal(whole: str, fraction: str) -> Decimal:
    return Decimal(f"{re.sub('[.,]', '', whole)}.{fraction}")
