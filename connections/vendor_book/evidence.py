"""Whether two records are the same vendor, with the reasons in words. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate

PUBLIC_DOMAINS = frozenset(
    {"gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com"}
    | {"icloud.com", "me.com", "aol.com", "gmx.de", "gmx.net", "web.de", "proton.me", "qq.com"}
    | {"protonmail.com", "msn.com", "orange.fr", "free.fr", "yahoo.co.jp", "btinternet.com"}
)
"""Whoever has an address there may be anybody."""

SHORTEST_START = 6
"""Letters; names that begin the same with fewer than these say nothing."""

_WORD = re.compile(r"[^\W_]+")
_CODE = re.compile(r"[A-Z0-9][A-Z0-9./_-]*[0-9][A-Z0-9./_-]*", re.IGNORECASE)


class Strength(IntEnum):
    """How far the reasons reach."""

    WEAK = 1
    LIKELY = 2
    STRONG = 3


_STRONG, _LIKELY = 55, 30


@dataclass(frozen=True, slots=True)
class Face:
    """What is known of a vendor on one side, as far as both sides may know it."""

    name: str
    match_key: str
    """The name as `connections.models.match_key` writes it."""
    code: str = ""
    email_domain: str = ""
    country: str = ""
    tax_id_hint: str = ""
    bank_hint: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """What speaks for and against two records being one vendor."""

    points: int
    reasons: tuple[str, ...]
    doubts: tuple[str, ...] = ()

    @property
    def strength(self) -> Strength:
        if self.points >= _STRONG:
            return Strength.STRONG
        return Strength.LIKELY if self.points >= _LIKELY else Strength.WEAK

    @property
    def words(self) -> str:
        """In one line, doubts last."""
        doubts = f", but {' and '.join(self.doubts)}" if self.doubts else ""
        return f"{', '.join(self.reasons)}{doubts}"


def compare(ramp: Face, erp: Face, *, by_merchant: bool = False) -> Match | None:
    """What makes a vendor of Ramp and one of the ERP the same; None if nothing does.

    :param by_merchant: card transactions of its merchant are coded with the ERP's vendor
    """
    found = [*_by_name(ramp, erp), *_by_details(ramp, erp)]
    if by_merchant:
        found.append((50, "card transactions of its merchant are coded with it"))
    if not found:
        return None
    if ramp.country and ramp.country == erp.country:
        found.append((5, f"both in {erp.country}"))
    against = list(_doubts(ramp, erp))
    points = sum(worth for worth, _ in found) - sum(worth for worth, _ in against)
    return Match(
        points=max(points, 1),
        reasons=tuple(words for _, words in found),
        doubts=tuple(words for _, words in against),
    )


def codes_in(name: str) -> list[str]:
    """Parts of a name that may be a vendor's code: they hold a digit. In capital letters."""
    return [part.upper() for part in _CODE.findall(name) if len(part) >= 3]


def starts_of(name: str, match_key: str) -> list[str]:
    """The beginnings of a name, word by word, that may be another vendor's whole name."""
    lengths = accumulate(len(word) for word in _WORD.findall(name) if word.casefold() != "the")
    return [match_key[:end] for end in lengths if SHORTEST_START <= end < len(match_key)]


def is_own_domain(domain: str) -> bool:
    """Whether an e-mail domain belongs to one company."""
    return bool(domain) and domain not in PUBLIC_DOMAINS


def _by_name(ramp: Face, erp: Face) -> Iterator[tuple[int, str]]:
    if _plain(ramp.name) == _plain(erp.name):
        yield 60, "same name"
    elif ramp.match_key and ramp.match_key == erp.match_key:
        yield 56, "same name but for spelling or legal form"
    elif _begin_the_same(ramp.match_key, erp.match_key):
        yield 30, "the names begin the same"
    if erp.code and erp.code.upper() in codes_in(ramp.name):
        yield 40, f"its code {erp.code} stands in Ramp's name"


def _by_details(ramp: Face, erp: Face) -> Iterator[tuple[int, str]]:
    if ramp.tax_id_hint and ramp.tax_id_hint == erp.tax_id_hint:
        yield 30, f"tax ids end in {erp.tax_id_hint}"
    if ramp.bank_hint and ramp.bank_hint[-4:] == erp.bank_hint[-4:]:
        yield 25, f"bank accounts end in {erp.bank_hint[-4:]}"
    if ramp.email_domain == erp.email_domain and is_own_domain(erp.email_domain):
        yield 30, f"e-mail at {erp.email_domain}"


def _doubts(ramp: Face, erp: Face) -> Iterator[tuple[int, str]]:
    if ramp.country and erp.country and ramp.country != erp.country:
        yield 30, f"{ramp.country} in Ramp and {erp.country} in the ERP"
    if ramp.tax_id_hint and erp.tax_id_hint and ramp.tax_id_hint != erp.tax_id_hint:
        yield 40, "their tax ids differ"


def _begin_the_same(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= SHORTEST_START and longer.startswith(shorter)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
