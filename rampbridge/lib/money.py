"""Money in minor units with its exponent inside: Ramp's four shapes in, one out.

Ramp writes an amount in four ways. All become :class:`Money`, none passes through a float.

- ``CurrencyAmount``: ``{"amount": 1234, "currency_code": "USD"}``, since 2026 with its factor in
  ``"minor_unit_conversion_rate": 100``
- ``ApiSignedAmount``: ``{"value": -1234, "currency": "USD"}``
- the legacy number in major units: ``"amount": 12.34, "currency_code": "USD"``
- what bills are written with: ``"amount": "12.34"``

The first two are read by :meth:`Money.from_minor`, the others by :meth:`Money.from_decimal`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction

_BY_EXPONENT = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
        "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD "
        "KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
        "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
        "VES WST XAD XCD XCG YER ZAR ZMW ZWG "
        # withdrawn since 2018, still met on old transactions
        "CUC HRK MRO SLL STD VEF ZWL"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_UNITS: dict[str, int] = {
    code: exponent for exponent, codes in _BY_EXPONENT.items() for code in codes.split()
}
"""Digits after the point per ISO 4217 code, for amounts that do not state their own factor."""

_CODE = re.compile(r"[A-Z]{3,5}", re.ASCII)
_LIMIT = 2**63  # what a bigint column holds
_MAX_DIGITS = len(str(_LIMIT))
_MAX_EXPONENT = 8
_POWERS: tuple[int, ...] = tuple(10**exponent for exponent in range(_MAX_EXPONENT + 1))


class InvalidAmount(ValueError):
    """The amount, its currency or its factor cannot be money. The message says why."""


def exponent_of(currency: str) -> int:
    """Digits after the point of a currency, per ISO 4217.

    :raises InvalidAmount: for a code the table does not know
    """
    try:
        return MINOR_UNITS[currency]
    except KeyError:
        raise InvalidAmount(f"{currency!r} is not a currency we know.") from None


def exponent_from_rate(rate: int) -> int:
    """Digits after the point from Ramp's ``minor_unit_conversion_rate``: 1 gives 0, 100 gives 2.

    :raises InvalidAmount: if the factor is not a power of ten
    """
    if rate not in _POWERS:
        raise InvalidAmount(f"{rate} is not a power of ten, so not a minor unit factor.")
    return _POWERS.index(rate)


@dataclass(frozen=True, slots=True, eq=False)
class Money:
    """An amount of one currency: ``minor`` counts units of 10^-``exponent``.

    The exponent travels along because Ramp's factor may differ from ISO 4217. Amounts of one
    currency with different exponents are compared and added by value; two currencies never are.
    """

    minor: int
    currency: str
    exponent: int

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.currency):
            raise InvalidAmount(f"{self.currency!r} is not a currency code.")
        if not 0 <= self.exponent <= _MAX_EXPONENT:
            raise InvalidAmount(f"{self.exponent} digits after the point are not plausible.")
        if type(self.minor) is not int:  # neither a float nor True
            raise TypeError(f"Minor units are whole numbers, not {type(self.minor).__name__}.")
        if not -_LIMIT <= self.minor < _LIMIT:
            raise InvalidAmount(f"An amount of that many digits in {self.currency} is not money.")

    @classmethod
    def from_minor(cls, minor: int, currency: str, rate: int | None = None) -> Money:
        """Read minor units; without a factor, ISO 4217 says how many digits they have.

        :raises InvalidAmount: for an unknown currency or an impossible factor
        """
        return cls(minor, currency, _exponent(currency, rate))

    @classmethod
    def from_decimal(
        cls, value: Decimal | int | str, currency: str, rate: int | None = None
    ) -> Money:
        """Read major units, exactly: 12.345 USD is refused rather than rounded.

        :raises InvalidAmount: if the value has more digits than the currency, or is no number
        """
        exponent = _exponent(currency, rate)
        return cls(_whole(_number(value), exponent, currency), currency, exponent)

    @classmethod
    def zero(cls, currency: str, exponent: int | None = None) -> Money:
        """Nothing, in a currency: where a sum starts."""
        return cls(0, currency, exponent_of(currency) if exponent is None else exponent)

    @property
    def decimal(self) -> Decimal:
        """The amount in major units, with as many digits as the currency has."""
        sign, digits = (1, -self.minor) if self.minor < 0 else (0, self.minor)
        return Decimal((sign, tuple(map(int, str(digits))), -self.exponent))

    def __str__(self) -> str:
        return f"{self.decimal:f} {self.currency}"

    def __bool__(self) -> bool:
        return self.minor != 0

    def __neg__(self) -> Money:
        return Money(-self.minor, self.currency, self.exponent)

    def __abs__(self) -> Money:
        return -self if self.minor < 0 else self

    def __add__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        mine, theirs, exponent = self._aligned(other)
        return Money(mine + theirs, self.currency, exponent)

    def __sub__(self, other: Money) -> Money:
        if not isinstance(other, Money):
            return NotImplemented
        return self + -other

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Money):
            return NotImplemented
        if self.currency != other.currency:
            return False
        mine, theirs, _ = self._aligned(other)
        return mine == theirs

    def __hash__(self) -> int:
        return hash((Fraction(self.minor, _POWERS[self.exponent]), self.currency))

    def __lt__(self, other: Money) -> bool:
        mine, theirs, _ = self._aligned(other)
        return mine < theirs

    def __le__(self, other: Money) -> bool:
        mine, theirs, _ = self._aligned(other)
        return mine <= theirs

    def __gt__(self, other: Money) -> bool:
        return other < self

    def __ge__(self, other: Money) -> bool:
        return other <= self

    def _aligned(self, other: Money) -> tuple[int, int, int]:
        """Both in minor units of the finer exponent, and that exponent."""
        if self.currency != other.currency:
            raise ValueError(f"{self.currency} and {other.currency} cannot be put together.")
        exponent = max(self.exponent, other.exponent)
        mine = self.minor * _POWERS[exponent - self.exponent]
        theirs = other.minor * _POWERS[exponent - other.exponent]
        return mine, theirs, exponent


def allocate(total: Money, weights: Sequence[int | Decimal | Fraction]) -> list[Money]:
    """Split a total in proportion to the weights; the parts add up to it exactly.

    By largest remainder: each part is within one minor unit of its exact share, and the units
    left over go to the largest remainders, the earlier part first. Weights may be negative
    (a discount line), as long as they do not add up to nothing.

    :raises ValueError: if there are no weights or they add up to zero
    """
    shares = [Fraction(weight) for weight in weights]
    whole = sum(shares, Fraction(0))
    if whole == 0:
        raise ValueError("The weights add up to zero, so there is nothing to split by.")
    if total.minor < 0:  # so that a refund splits exactly as its purchase did
        return [-part for part in allocate(-total, weights)]
    exact = [total.minor * share / whole for share in shares]
    parts = [share.numerator // share.denominator for share in exact]
    left_over = total.minor - sum(parts)
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for index in by_remainder[:left_over]:
        parts[index] += 1
    return [Money(part, total.currency, total.exponent) for part in parts]


def _exponent(currency: str, rate: int | None) -> int:
    return exponent_of(currency) if rate is None else exponent_from_rate(rate)


def _number(value: Decimal | int | str) -> Decimal:
    if isinstance(value, float | bool):
        raise TypeError(f"Amounts are Decimal, int or text, not {type(value).__name__}.")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidAmount(f"{value!r} is not a number.") from None
    if not number.is_finite():
        raise InvalidAmount(f"{value!r} is not a number.")
    return number


def _whole(number: Decimal, exponent: int, currency: str) -> int:
    """The number in minor units, computed on integers so that no context can round it."""
    if number == 0:
        return 0
    magnitude = number.adjusted()  # looked at first: writing out 1e±999999999 fills the memory
    if magnitude > _MAX_DIGITS:
        raise InvalidAmount(f"An amount of that many digits in {currency} is not money.")
    scaled = Fraction(0) if magnitude < -exponent else Fraction(number) * _POWERS[exponent]
    if scaled == 0 or scaled.denominator != 1:
        raise InvalidAmount(f"{number} has more digits than {currency} has ({exponent}).")
    return scaled.numerator
