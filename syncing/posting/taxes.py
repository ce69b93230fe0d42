"""Tax inside a line's amount: Ramp's lines are gross, an ERP wants net and tax."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from connections.mappings import TaxTarget
from rampbridge.lib.money import Money, allocate
from syncing.cannot_post import TaxDoesNotFit


def net_amounts(gross: Sequence[Money], taxes: Sequence[TaxTarget | None]) -> list[Money]:
    """The net amount of each line; what is left of its gross amount is its tax.

    ERPs compute tax on the sum of all lines of one code, so the net amounts of a code are chosen
    such that their sum and its tax make up the gross amounts to the minor unit.

    :raises TaxDoesNotFit: if no net amount does
    """
    net = list(gross)
    by_code: dict[str, list[int]] = defaultdict(list)
    for index, tax in enumerate(taxes):
        if tax is not None:
            by_code[tax.erp_id].append(index)
    for indexes in by_code.values():
        tax = taxes[indexes[0]]
        assert tax is not None
        parts = [gross[index] for index in indexes]
        total = sum(parts[1:], parts[0])
        if not total:  # lines that cancel out carry no tax together
            continue
        shared = allocate(_net(total, tax.rate), [part.decimal for part in parts])
        for index, amount in zip(indexes, shared, strict=True):
            net[index] = amount
    return net


def _net(gross: Money, rate: Decimal) -> Money:
    """The net amount that makes `gross` together with its tax, rounded half to even."""
    exact = Fraction(gross.minor) / (1 + Fraction(rate))
    for minor in sorted(range(int(exact) - 2, int(exact) + 3), key=lambda one: abs(one - exact)):
        if minor + round(minor * Fraction(rate)) == gross.minor:
            return Money(minor, gross.currency, gross.exponent)
    nearest = round(exact)
    made = nearest + round(nearest * Fraction(rate))
    percent = f"{(rate * 100).normalize():f} %"
    raise TaxDoesNotFit(gross, Money(made, gross.currency, gross.exponent), percent)
