"""What the mappers share: lines that add up, their codings, the day of a document."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from connections.erp.records import Line
from connections.mappings import MappingSet, Profile
from connections.ramp.schemas import Coded, LineItem, Selection
from rampbridge.lib.money import Money, allocate
from syncing.cannot_post import (
    LinesDoNotAddUp,
    LinesInSeveralCurrencies,
    NoAccountingDate,
    NoCoding,
)

_NATIVE_TYPES = {"GL_ACCOUNT", "MERCHANT", "TAX_CODE"}


def shares(total: Money, lines: Sequence[LineItem]) -> list[Money]:
    """What each line takes of the total, adding up to it exactly.

    Lines in another currency than the total (the merchant's, contract C9; of a reimbursement what
    was spent, gotcha 30) share it in their proportion, by largest remainder. An object without
    lines is its own single line.

    :raises CannotPost: if lines in the total's own currency differ from it, or lines of another
        say nothing of their proportion
    """
    if not lines:
        return [total]
    stated = [line.money for line in lines]
    known = [money for money in stated if money is not None]
    nothing = Money.zero(total.currency, total.exponent)
    if len(known) < len(stated):
        if len(stated) == 1:
            return [total]
        raise LinesDoNotAddUp(total, sum(known, nothing))
    if {money.currency for money in known} == {total.currency}:
        added_up = sum(known, nothing)
        if added_up != total:
            raise LinesDoNotAddUp(total, added_up)
        return known
    currencies = sorted({money.currency for money in known})
    if len(currencies) > 1:
        raise LinesInSeveralCurrencies(currencies)
    weights = [money.decimal for money in known]
    if sum(weights) == 0:
        raise LinesDoNotAddUp(total, nothing)
    return allocate(total, weights)


def expense_lines(
    coded: Coded,
    lines: Sequence[LineItem],
    amounts: Sequence[Money],
    *,
    mappings: MappingSet,
    profile: Profile,
    memo: str,
) -> list[Line]:
    """One line of the document for each line of the object: account, amount and dimensions.

    :raises NoCoding: if a line has no GL account and the profile no fallback
    :raises MissingMapping: if a coding leads nowhere in the ERP
    """
    items = lines or (LineItem(),)
    made = []
    for number, (line, amount) in enumerate(zip(items, amounts, strict=True), start=1):
        codings = codings_of(coded, line)
        account = _account(codings, mappings) or profile.fallback_expense_account
        if not account:
            raise NoCoding(number, len(items))
        made.append(
            Line(
                account=account,
                amount=amount.decimal,
                memo=line.memo or memo,
                dimensions=_dimensions(codings, mappings),
            )
        )
    return made


def codings_of(coded: Coded, line: LineItem) -> list[Selection]:
    """The codings of a line that are meant for the ERP, its own before those of the body."""
    return [coding for coding in coded.codings(line) if coding.is_for_erp]


def opposite(lines: Sequence[Line]) -> list[Line]:
    """The same lines on the other side of the ledger."""
    return [replace(line, amount=-line.amount) for line in lines]


def first_day(*moments: datetime | date | None) -> date:
    """The day of the first moment there is, in UTC.

    :raises NoAccountingDate: if there is none
    """
    for moment in moments:
        if isinstance(moment, datetime):
            return moment.astimezone(UTC).date()
        if moment is not None:
            return moment
    raise NoAccountingDate


def in_one_line(*parts: str) -> str:
    """What is not empty, as a bookkeeper wants to find it."""
    return " · ".join(part for part in parts if part)


def _account(codings: Sequence[Selection], mappings: MappingSet) -> str:
    for coding in codings:
        if coding.type == "GL_ACCOUNT":
            return mappings.account(coding.external_id, coding.name).erp_id
    return ""


def _dimensions(codings: Sequence[Selection], mappings: MappingSet) -> Mapping[str, str]:
    """Fields we created come back as OTHER and are known by our own id (contract 5)."""
    return {
        coding.field_external_id: mappings.option(
            coding.field_external_id, coding.external_id, coding.name
        ).erp_id
        for coding in codings
        if coding.type not in _NATIVE_TYPES and coding.external_id
    }
