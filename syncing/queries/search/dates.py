"""Days as people type them: `2026-11-21`, `21 Nov`, `Nov 21st 2026`, `21.11.2026`. Pure."""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, timedelta

_NAMES = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september",
    "october", "november", "december",
)  # fmt: skip
_MONTHS = {
    spelling: number
    for number, name in enumerate(_NAMES, 1)
    for spelling in (name, name[:3], f"{name[:3]}.")
} | {"sept": 9, "sept.": 9}
_ISO = re.compile(r"^(\d{4})[-/](\d{1,2})[-/](\d{1,2})$")
_DOTTED = re.compile(r"^(\d{1,2})\.(\d{1,2})\.(\d{4}|\d{2})?$")
_SLASHED = re.compile(r"^(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})$")
_DAY = re.compile(r"^(\d{1,2})(?:st|nd|rd|th|\.)?,?$", re.IGNORECASE)
_YEAR = re.compile(r"^(?:19|20)\d{2}$")
_AHEAD = timedelta(days=31)
"""A day without a year may lie so far ahead; later it is last year's."""


def found_day(words: Sequence[str], today: date) -> tuple[date | None, Sequence[str]]:
    """The first day that words name, and the words that are left."""
    for place in range(len(words)):
        for length in (3, 2, 1):
            part = words[place : place + length]
            if len(part) == length and (day := _day_of(part, today)):
                return day, [*words[:place], *words[place + length :]]
    return None, words


def _day_of(words: Sequence[str], today: date) -> date | None:
    if len(words) == 1:
        return _in_figures(words[0], today)
    first, second, *rest = (word.lower() for word in words)
    if rest and not _YEAR.match(rest[0]):
        return None
    year = int(rest[0]) if rest else None
    for day_word, month_word in ((first, second), (second, first)):
        numbered, month = _DAY.match(day_word), _MONTHS.get(month_word.rstrip(","))
        if numbered and month:
            return _date(year, month, int(numbered.group(1)), today)
    return None


def _in_figures(word: str, today: date) -> date | None:
    if found := _ISO.match(word):
        year, month, day = map(int, found.groups())
        return _date(year, month, day, today)
    if found := _DOTTED.match(word):
        return _date(_year(found.group(3)), int(found.group(2)), int(found.group(1)), today)
    if found := _SLASHED.match(word):  # as Ramp's own pages write it, unless it can only be another
        first, second = int(found.group(1)), int(found.group(2))
        month, day = (second, first) if first > 12 else (first, second)
        return _date(_year(found.group(3)), month, day, today)
    return None


def _year(text: str | None) -> int | None:
    if not text:
        return None
    return int(text) + 2000 if len(text) == 2 else int(text)


def _date(year: int | None, month: int, day: int, today: date) -> date | None:
    with suppress(ValueError):
        if year is not None:
            return date(year, month, day)
        found = date(today.year, month, day)
        return found if found <= today + _AHEAD else date(today.year - 1, month, day)
    return None
