"""Ramp's shapes of money. Inside the simulator an amount is always minor units and a currency."""

from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_EXPONENTS = {"JPY": 0, "KRW": 0, "CLP": 0, "VND": 0, "ISK": 0, "BHD": 3, "KWD": 3, "TND": 3}


def factor(currency: str) -> int:
    """How many minor units make one major unit, after ISO 4217."""
    return int(10 ** _EXPONENTS.get(currency, 2))


def currency_amount(minor: int, currency: str) -> dict[str, Any]:
    return {
        "amount": minor,
        "currency_code": currency,
        "minor_unit_conversion_rate": factor(currency),
    }


def signed_amount(minor: int, currency: str) -> dict[str, Any]:
    return {"value": minor, "currency": currency}


def major_units(minor: int, currency: str) -> float:
    return minor / factor(currency)


def minor_units(major: Decimal | float | str, currency: str) -> int:
    """Minor units of an amount that people typed in major units."""
    return int((Decimal(str(major)) * factor(currency)).quantize(Decimal(1), ROUND_HALF_UP))


def converted(minor: int, currency: str, rate: str, into: str) -> int:
    """Minor units of `into` for those of `currency`, at so much per major unit."""
    return minor_units(Decimal(minor) / factor(currency) * Decimal(rate), into)
