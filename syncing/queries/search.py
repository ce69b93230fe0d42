"""Find an item by whatever somebody has in hand: exact things first, then the start of a name."""

import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from django.db.models import Q, QuerySet

from connections.models import Connection
from syncing.models import SyncItem
from syncing.queries.items import with_label
from syncing.references import number_of

LIMIT = 20
_AMOUNT = re.compile(r"^[-\N{MINUS SIGN}]?\d[\d,]*(\.\d{1,4})?$")
_EXPONENTS = (0, 2, 3)


@dataclass(frozen=True, slots=True)
class Hits:
    """Items found in one way, and in which."""

    title: str
    items: Sequence[SyncItem]
    is_exact: bool
    is_more: bool = False


def find(text: str) -> list[Hits]:
    """Every way in which a text leads to items, the surest first. At most five small queries."""
    return [hits for hits in _ways(text.strip()) if hits.items]


def find_customers(text: str) -> list[Connection]:
    """Customers whose name contains a text."""
    named = Connection.objects.filter(Q(name__icontains=text) | Q(slug__icontains=text))
    return list(named.order_by("name", "pk")[:LIMIT])


def _ways(text: str) -> Iterator[Hits]:
    items = SyncItem.objects.select_related("connection")
    ramp_id = _uuid(text)
    if ramp_id:
        yield _hits("Ramp id", items.filter(ramp_id=ramp_id), is_exact=True)
        return
    number = number_of(text) if text.upper().startswith("RB") else None
    if number is not None:
        yield _hits("Our reference", items.filter(pk=number), is_exact=True)
    spellings = {text, text.upper()}
    yield _hits("ERP number", items.filter(erp_number__in=spellings), is_exact=True)
    amount, currency = _amount(text)
    if amount is not None:
        yield _hits("Amount", items.filter(_of_amount(amount, currency)), is_exact=False)
        return
    yield _hits("Merchant or vendor", with_label(items, text), is_exact=False)


def _hits(title: str, items: QuerySet[SyncItem], *, is_exact: bool) -> Hits:
    found = list(items.order_by("-ready_at", "-pk")[: LIMIT + 1])
    return Hits(title, found[:LIMIT], is_exact, is_more=len(found) > LIMIT)


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _amount(text: str) -> tuple[Decimal | None, str]:
    """`412.50`, `1,204` or `412.5 USD` as a figure and a currency that may be empty."""
    figure, _, currency = text.partition(" ")
    if not _AMOUNT.match(figure) or (currency and not re.fullmatch("[A-Za-z]{3}", currency)):
        return None, ""
    try:
        value = Decimal(figure.replace(",", "").replace("\N{MINUS SIGN}", "-"))
    except InvalidOperation:
        return None, ""
    return value, currency.upper()


def _of_amount(value: Decimal, currency: str) -> Q:
    """The amount in minor units of every precision it fits, as a charge or a refund."""
    found = Q(pk__in=[])
    for exponent in _EXPONENTS:
        minor = value.scaleb(exponent)
        if minor == minor.to_integral_value() and abs(minor) < 2**63:
            found |= Q(exponent=exponent, amount_minor__in={int(minor), -int(minor)})
    return found & Q(currency=currency) if currency else found
