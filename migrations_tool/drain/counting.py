"""Count what is still ready on the old connection, by type, from Ramp's own lists.

What counts is Ramp's word: an object that we would not post yet is ready all the same, and lost by
the switch if nobody syncs it. Vendor credits have no sync state in Ramp, so there is nothing of
them to drain (R-48).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from connections.ramp.client import RampClient
from connections.ramp.errors import (
    Forbidden,
    InvalidRequest,
    NoSuchEndpoint,
    NotFound,
    ScopeMissing,
)
from connections.ramp.pages import Page
from rampbridge.lib.money import Money
from rampbridge.lib.text import storable
from syncing.kinds import KINDS, Kind, Scope, Standing
from syncing.kinds.base import standing_of

LISTED = 50
"""Objects of each type that a reading keeps by name."""
TYPES = ("transaction", "reimbursement", "bill", "bill_payment", "transfer", "cashback")
_LISTS: Mapping[str, tuple[str, ...]] = {
    "transaction": ("transaction",),
    "reimbursement": ("reimbursement",),
    "bill": ("bill", "bill_payment"),
    "transfer": ("transfer",),
    "cashback": ("cashback",),
}
"""By list: the types that it brings. One of bills brings two."""
_DAYS = ("accounting_date", "transaction_date", "user_transaction_time", "issued_at", "created_at")
_REFUSALS = (ScopeMissing, Forbidden, NoSuchEndpoint, NotFound, InvalidRequest)


@dataclass
class Ready:
    """What is ready of one type."""

    count: int = 0
    amounts: dict[str, int] = field(default_factory=dict)
    """In minor units, by currency."""
    exponents: dict[str, int] = field(default_factory=dict)
    oldest: str = ""
    """The earliest day, as ISO text."""
    unclear: int = 0
    """Of those: objects that cannot be read, or of which Ramp says a word that nobody knows."""
    first: list[dict[str, Any]] = field(default_factory=list)
    """The first of them by name; kept by the newest reading only."""
    refused: str = ""
    """Why Ramp does not list this type: then the count says nothing."""

    def as_json(self) -> dict[str, Any]:
        """Without what says nothing."""
        whole = {"count": self.count, "amounts": self.amounts, "exponents": self.exponents}
        more = {
            "oldest": self.oldest,
            "unclear": self.unclear,
            "first": self.first,
            "refused": self.refused,
        }
        return whole | {name: value for name, value in more.items() if value}


def count_ready(ramp: RampClient, keep: Callable[[], None]) -> dict[str, Ready]:
    """Read every list to its end. A list that Ramp refuses says so; a silence passes through.

    :param keep: called before each page
    """
    counted = {name: Ready() for name in TYPES}
    for list_name, types in _LISTS.items():
        try:
            for page in _pages(ramp, KINDS[list_name], keep):
                _count_page(page, [KINDS[name] for name in types], counted)
        except _REFUSALS as error:
            for name in types:
                counted[name] = Ready(refused=storable(str(error))[:300] or type(error).__name__)
    return counted


def _pages(ramp: RampClient, kind: Kind, keep: Callable[[], None]) -> Iterator[Page[Any]]:
    pages = kind.ready(ramp, Scope())
    while True:
        keep()
        page = next(pages, None)
        if page is None:
            return
        yield page


def _count_page(page: Page[Any], kinds: list[Kind], counted: Mapping[str, Ready]) -> None:
    for one in page.items:
        for kind in kinds:
            standing = _standing(kind, one)
            if standing in (Standing.READY, Standing.UNKNOWN):
                _add(counted[kind.object_type], one, is_clear=standing is Standing.READY)
                break  # a paid bill is due for itself first, and for its payment afterwards
    for malformed in page.malformed:
        ready = counted[kinds[0].object_type]
        ready.count += 1
        ready.unclear += 1
        _name(ready, {"id": malformed.id, "label": "An object that cannot be read"})


def _standing(kind: Kind, one: Any) -> Standing:
    """Ramp's own word; only bills have none, and are judged by their two words together."""
    if kind.object_type in ("bill", "bill_payment"):
        return kind.standing(one)
    return standing_of(one.sync_status)


def _add(ready: Ready, one: Any, *, is_clear: bool) -> None:
    money: Money = one.money
    ready.count += 1
    ready.unclear += not is_clear
    ready.amounts[money.currency] = ready.amounts.get(money.currency, 0) + money.minor
    ready.exponents[money.currency] = money.exponent
    day = _day(one)
    if day is not None and (not ready.oldest or day.isoformat() < ready.oldest):
        ready.oldest = day.isoformat()
    _name(
        ready,
        {
            "id": str(one.id),
            "label": storable(_label(one))[:120],
            "minor": money.minor,
            "currency": money.currency,
            "exponent": money.exponent,
            "on": day.isoformat() if day else "",
        },
    )


def _name(ready: Ready, line: dict[str, Any]) -> None:
    if len(ready.first) < LISTED:
        ready.first.append(line)


def _label(one: Any) -> str:
    """Whom it was paid to, or what it is."""
    vendor = getattr(one, "vendor", None)
    found = (
        getattr(one, "merchant_name", "")
        or (vendor.name if vendor else "")
        or getattr(one, "merchant", "")
        or getattr(one, "user_full_name", "")
    )
    number = getattr(one, "invoice_number", "")
    return " ".join(part for part in (found, number) if part) or type(one).__name__


def _day(one: Any) -> date | None:
    found = next((day for name in _DAYS if (day := getattr(one, name, None))), None)
    return found.date() if isinstance(found, datetime) else found
