"""Which links somebody has ticked, kept in the session: paging or a reload loses none of them."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.http import HttpRequest

from connections.models import Connection, RampVendor
from connections.vendor_book.candidates import MOST_AT_ONCE
from connections.vendor_book.links import Pair
from rampbridge.lib.money import Money


@dataclass(frozen=True, slots=True)
class Picked:
    """What is ticked, and over how much spend of a year."""

    count: int
    spend: Sequence[Money]


def picks(request: HttpRequest, connection_id: uuid.UUID) -> list[Pair]:
    """In the order of ticking."""
    kept = request.session.get(_name(connection_id), [])
    return [pair for pair in map(Pair.parse, kept) if pair]


def keep(request: HttpRequest, connection_id: uuid.UUID, pairs: Iterable[Pair]) -> bool:
    """Remember exactly these, one per vendor. False if there were too many: the first are kept."""
    by_vendor = {pair.ramp_vendor: str(pair) for pair in pairs}
    request.session[_name(connection_id)] = list(by_vendor.values())[:MOST_AT_ONCE]
    return len(by_vendor) <= MOST_AT_ONCE


def forget(request: HttpRequest, connection_id: uuid.UUID) -> None:
    request.session.pop(_name(connection_id), None)


def summary(connection: Connection, pairs: Sequence[Pair]) -> Picked:
    """One statement; none if nothing is ticked."""
    if not pairs:
        return Picked(0, ())
    vendors = RampVendor.objects.filter(
        connection=connection, pk__in=[pair.ramp_vendor for pair in pairs]
    )
    sums: dict[tuple[str, int], int] = {}
    for minor, currency, exponent in vendors.exclude(spend_currency="").values_list(
        "spend_minor", "spend_currency", "spend_exponent"
    ):
        sums[currency, exponent] = sums.get((currency, exponent), 0) + minor
    return Picked(
        len(pairs),
        [Money(minor, currency, exponent) for (currency, exponent), minor in sorted(sums.items())],
    )


def _name(connection_id: uuid.UUID) -> str:
    return f"vendor-picks:{connection_id}"
