"""Tax inside a line's amount: Ramp's lines are gross, an ERP's bill wants net and tax."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from connections.erp.records import Line
from connections.mappings import MappingSet, Profile, TaxTarget
from connections.ramp.schemas import Coded, LineItem, Selection
from rampbridge.lib.money import Money, allocate
from syncing.cannot_post import TaxDoesNotFit
from syncing.posting.lines import codings_of, expense_lines, shares


def taxed_lines(
    coded: Coded,
    lines: Sequence[LineItem],
    total: Money,
    *,
    mappings: MappingSet,
    profile: Profile,
    memo: str,
) -> list[Line]:
    """The lines of a bill or a vendor credit: net amounts, with the tax that makes them gross.

    :raises CannotPost: without coding, if lines and total differ, or if the tax does not fit
    :raises MissingMapping: if a coding leads nowhere in the ERP
    """
    gross = shares(total, lines)
    taxes = [_tax_code(coded, line, mappings) for line in lines or (LineItem(),)]
    net = net_amounts(gross, taxes)
    made = expense_lines(coded, lines, net, mappings=mappings, profile=profile, memo=memo)
    return [
        replace(line, tax_code=tax.erp_id, tax_amount=(part - own).decimal) if tax else line
        for line, tax, part, own in zip(made, taxes, gross, net, strict=True)
    ]


def _tax_code(coded: Coded, line: LineItem, mappings: MappingSet) -> TaxTarget | None:
    coding = tax_coding(coded, line)
    return mappings.tax_code(coding.external_id, coding.name) if coding else None


def tax_coding(coded: Coded, line: LineItem) -> Selection | None:
    """What people have chosen as the tax code of a line (R-48)."""
    for coding in codings_of(coded, line):
        if coding.type == "TAX_CODE" and coding.external_id:
            return coding
    return None


def in_percent(tax: TaxTarget) -> str:
    return f"{(tax.rate * 100).normalize():f} %"


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
        shared = allocate(_net(total, tax), [part.decimal for part in parts])
        for index, amount in zip(indexes, shared, strict=True):
            net[index] = amount
    return net


def _net(gross: Money, tax: TaxTarget) -> Money:
    """The net amount that makes `gross` together with its taxes, each rounded half to even."""
    rates = [Fraction(rate) for rate in tax.rates]
    exact = Fraction(gross.minor) / (1 + sum(rates))
    reach = len(rates) + 1
    near = range(int(exact) - reach, int(exact) + reach + 1)
    for minor in sorted(near, key=lambda one: abs(one - exact)):
        if _gross(minor, rates) == gross.minor:
            return Money(minor, gross.currency, gross.exponent)
    made = Money(_gross(round(exact), rates), gross.currency, gross.exponent)
    raise TaxDoesNotFit(gross, made, in_percent(tax))


def _gross(net: int, rates: Sequence[Fraction]) -> int:
    return net + sum(round(net * rate) for rate in rates)
