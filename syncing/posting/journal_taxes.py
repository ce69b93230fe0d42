"""Tax in a journal entry: what was spent stands net, and each tax on its own account (R-48).

No ERP computes anything in a journal entry, so unlike a bill's its amounts are ours to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from connections.erp.records import Line
from connections.mappings import MappingSet, MissingMapping, Profile, TaxPart, TaxTarget
from connections.ramp.schemas import Coded, LineItem
from rampbridge.lib.money import Money
from syncing.cannot_post import TaxBelowZero, TaxDoesNotFit
from syncing.posting.lines import expense_lines, in_one_line, shares
from syncing.posting.taxes import in_percent, tax_coding


@dataclass(frozen=True, slots=True)
class Split:
    """A gross amount taken apart: `net` and `taxes` add up to it exactly."""

    net: Money
    taxes: tuple[Money, ...] = ()
    """One for each part of the tax code, in its order."""


def spent_lines(
    coded: Coded,
    lines: Sequence[LineItem],
    total: Money,
    *,
    mappings: MappingSet,
    profile: Profile,
    memo: str,
) -> list[Line]:
    """The lines of a journal entry for what was spent, each followed by its taxes.

    :raises CannotPost: without coding, if lines and total differ, or if the tax does not fit
    :raises MissingMapping: if a coding leads nowhere in the ERP, or to a tax that cannot be booked
    """
    taxes = [_tax_code(coded, line, mappings) for line in lines or (LineItem(),)]
    splits = [
        split(gross, tax) if tax else Split(gross)
        for gross, tax in zip(shares(total, lines), taxes, strict=True)
    ]
    spent = expense_lines(
        coded,
        lines,
        [one.net for one in splits],
        mappings=mappings,
        profile=profile,
        memo=memo,
    )
    made = []
    for line, tax, amounts in zip(spent, taxes, splits, strict=True):
        made += [line] if tax is None else _taxed(line, tax, amounts)
    return made


def split(gross: Money, tax: TaxTarget) -> Split:
    """Each part's tax, rounded by itself half to even; what is left of the gross amount is net.

    :raises TaxDoesNotFit: if the parts' roundings alone come to more than the gross amount
    """
    exact_net = Fraction(gross.minor) / (1 + sum(Fraction(rate) for rate in tax.rates))
    minors = [round(exact_net * Fraction(rate)) for rate in tax.rates]
    if abs(sum(minors)) > abs(gross.minor):
        made = Money(sum(minors), gross.currency, gross.exponent)
        raise TaxDoesNotFit(gross, made, in_percent(tax))
    return Split(
        net=Money(gross.minor - sum(minors), gross.currency, gross.exponent),
        taxes=tuple(Money(minor, gross.currency, gross.exponent) for minor in minors),
    )


def _tax_code(coded: Coded, line: LineItem, mappings: MappingSet) -> TaxTarget | None:
    """The tax code of a line, if it can be booked.

    The ERP would check none of this: to it these are lines like any other.
    """
    coding = tax_coding(coded, line)
    if coding is None:
        return None
    tax = mappings.tax_code(coding.external_id, coding.name)
    if why := _what_is_wrong(tax):
        raise MissingMapping("tax code", coding.external_id, tax.name, why=why)
    if any(rate < 0 for rate in tax.rates):
        raise TaxBelowZero(tax.name)
    return tax


def _what_is_wrong(tax: TaxTarget) -> str:
    if not tax.is_active:
        return "is no longer active"
    for part in tax.parts:
        if part.rate and not part.account:
            return f"has no account for {part.name}" if len(tax.parts) > 1 else "has no account"
    return ""


def _taxed(line: Line, tax: TaxTarget, amounts: Split) -> list[Line]:
    base_of = tuple(part.erp_id for part in tax.parts)
    taxes = zip(tax.parts, amounts.taxes, strict=True)
    return [
        replace(line, tax_code=tax.erp_id, base_of=base_of),
        *(_tax_line(part, amount, line.memo) for part, amount in taxes if amount),
    ]


def _tax_line(part: TaxPart, amount: Money, memo: str) -> Line:
    """Without the line's dimensions: tax that is reclaimed is nobody's cost."""
    return Line(
        account=part.account,
        amount=amount.decimal,
        memo=in_one_line(part.name, memo),
        tax_of=part.erp_id,
    )
