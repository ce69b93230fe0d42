"""What somebody may mean by what they typed: a pure reading of text, without looking anything up.

A figure can be an amount, the end of a card's number or a part of a name, so one text may have
several readings; all are looked up, the surest first.
"""

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from rampbridge.lib.money import MINOR_UNITS
from syncing.queries.search.dates import found_day
from syncing.queries.search.figures import figures_of
from syncing.references import number_of

LONGEST = 200
"""Characters of a text that are read."""
_UUID = re.compile(
    r"(?<![0-9a-f])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}(?![0-9a-f])",
    re.IGNORECASE,
)
_OUR_PAGE = re.compile(r"/items/(\d{1,18})(?:/|$|\?)")
_REFERENCE = re.compile(r"^RB[- ]?[0-9A-Z]{4,13}$", re.IGNORECASE)
_MASKED = re.compile(r"^[•●∙·*xX.…#]{1,15}[- ]?(\d{4})$")
_MASK = re.compile(r"[•●∙·*xX.…#]{2,15} (\d{4})(?!\S)")
_FOUR = re.compile(r"^\d{4}$")
_CARD_WORDS = {"card", "ending", "last4"}
_CURRENCY = re.compile(r"^[A-Za-z]{3}$")
_SYMBOLS = {"$": "", "€": "EUR", "£": "GBP", "¥": "JPY", "￥": "JPY"}
"""A dollar may be of many countries."""
_WORDLESS = re.compile(r"^\W+$")


@dataclass(frozen=True, slots=True)
class Amount:
    """A figure as it may be meant, and its currency if one was named."""

    figures: Sequence[Decimal]
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One way to take a text: what is certain of an item, and words that it must have too."""

    amount: Amount | None = None
    card: str = ""
    day: date | None = None
    words: Sequence[str] = ()

    @property
    def is_of_words_alone(self) -> bool:
        return self.amount is None and not self.card and self.day is None


@dataclass(frozen=True, slots=True)
class Asked:
    """A text and its readings."""

    text: str
    ramp_id: uuid.UUID | None = None
    item_id: int | None = None
    """Our own number of an item: of a reference, or of a page's address."""
    readings: Sequence[Reading] = ()

    @property
    def words(self) -> Sequence[str]:
        """All of the text as words."""
        return self.readings[0].words if self.readings else ()

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing in it that could be looked up."""
        return self.ramp_id is None and self.item_id is None and not self.readings


def asked(text: str, *, today: date) -> Asked:
    """Read a text.

    :param today: what a day without a year is the nearest to
    """
    text = " ".join(text[:LONGEST].replace("\0", " ").split())
    if found := _UUID.search(text):
        return Asked(text, ramp_id=uuid.UUID(found.group()))
    if found := _OUR_PAGE.search(text):
        return Asked(text, item_id=int(found.group(1)))
    words = [word for word in _MASK.sub(r"•\1", text).split() if not _WORDLESS.match(word)]
    if not words:
        return Asked(text)
    number = number_of(text) if _REFERENCE.match(text) else None
    readings = [Reading(words=words), *_readings(words, today)]
    return Asked(text, item_id=number, readings=readings)


def _readings(words: Sequence[str], today: date) -> list[Reading]:
    """What the text may say beside words; of a card if it says so, else of an amount first."""
    day, others = found_day(words, today)
    with_day = [Reading(day=day, words=others)] if day else []
    card, rest = _said_card(others)
    if card:
        return [Reading(card=card, day=day, words=rest)]
    amount, rest = _amount(others)
    if amount is None:
        return with_day
    readings = [Reading(amount=amount, day=day, words=rest)]
    bare = set(others) - set(rest)
    four = next((word for word in bare if _FOUR.match(word)), "")
    if four and not amount.currency:
        readings.append(Reading(card=four, day=day, words=rest))
    return readings + [replace(one, words=others) for one in with_day]


def _said_card(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The digits of a card where the text says that it is one, and the other words."""
    for place, word in enumerate(words):
        if masked := _MASKED.match(word):
            kept = [*words[:place], *words[place + 1 :]]
            return masked.group(1), [one for one in kept if one.lower() not in _CARD_WORDS]
    names = {word.lower() for word in words} & _CARD_WORDS
    four = [word for word in words if _FOUR.match(word)]
    if names and len(four) == 1:
        return four[0], [w for w in words if w.lower() not in _CARD_WORDS and w != four[0]]
    return "", words


def _amount(words: Sequence[str]) -> tuple[Amount | None, Sequence[str]]:
    """The first figure with the currency beside it, and the words that are left."""
    for place, word in enumerate(words):
        symbol, figure = _symbol_of(word)
        if symbol == "" and figure == word and _CURRENCY.match(word[:3]) and word[3:4].isdigit():
            symbol, figure = word[:3].upper(), word[3:]
        figures = figures_of(figure)
        if not figures:
            continue
        before, after = words[:place], words[place + 1 :]
        if not symbol and after and _is_currency(after[0]):
            return Amount(figures, after[0].upper()), [*before, *after[1:]]
        if not symbol and before and _is_currency(before[-1]):
            return Amount(figures, before[-1].upper()), [*before[:-1], *after]
        return Amount(figures, symbol), [*before, *after]
    return None, words


def _symbol_of(word: str) -> tuple[str, str]:
    """The currency that a sign at either end names, and the word without it."""
    sign = "-" if word[:1] in "-\N{MINUS SIGN}" and word[1:2] in _SYMBOLS else ""
    rest = word[1:] if sign else word
    for symbol, currency in _SYMBOLS.items():
        if rest.startswith(symbol):
            return currency, sign + rest[len(symbol) :]
        if rest.endswith(symbol):
            return currency, sign + rest[: -len(symbol)]
    return "", word


def _is_currency(word: str) -> bool:
    return word.upper() in MINOR_UNITS  # not "pay 400 for" or "bus 12"
