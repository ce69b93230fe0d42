"""Above how much money one person's word is not enough (P-12)."""

from decimal import Decimal

from django.conf import settings

from rampbridge.lib.money import Money


def limit() -> Decimal:
    """In whole units of an item's own currency: `OUTSIDE_LIMIT`."""
    return Decimal(settings.OUTSIDE_LIMIT)


def is_above_limit(money: Money) -> bool:
    """Whether a second person must agree."""
    return abs(money.decimal) > limit()


def in_words(money: Money) -> str:
    """The limit as people read it beside an amount."""
    return f"{limit():,.{money.exponent}f} {money.currency}"
