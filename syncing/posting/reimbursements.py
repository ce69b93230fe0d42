"""Reimbursements to journal entries: debit what was spent, credit what pays employees back."""

from datetime import date

from connections.erp.records import DocKind, Document, Line, Ref
from connections.mappings import MappingSet
from connections.ramp.spend import Reimbursement
from rampbridge.lib.money import Money
from syncing.cannot_post import NothingToPost, UnexpectedSign, UnknownValue
from syncing.posting.journal_taxes import spent_lines
from syncing.posting.lines import first_day, in_one_line, opposite

_MADE_UP = {"MILEAGE": "Mileage", "PER_DIEM": "Per diem"}
"""No merchant stands behind these."""


def journal_for(reimbursement: Reimbursement, *, mappings: MappingSet, tenant: str) -> Document:
    """The journal entry of one reimbursement, in the currency that the business pays with.

    What an employee pays back (USER_TO_BUSINESS) is the same with its sides turned, and so is a
    refund of what was reimbursed (an amount below zero). Mileage and per diem are expenses like
    any other: Ramp has worked out their amount. Tax stands on lines of its own.

    :raises CannotPost: without coding, date or amount, if lines and header differ, if the tax does
        not fit, or if it cannot be told which way the money went
    :raises MissingMapping: if a coding, the entity or its accounts lead nowhere in the ERP
    """
    entity_id = str(reimbursement.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    total = _total(reimbursement)
    memo = memo_of(reimbursement)
    expenses = spent_lines(
        reimbursement,
        reimbursement.line_items,
        total,
        mappings=mappings,
        profile=profile,
        memo=memo,
    )
    owed = Line(account=profile.needed("reimbursement_account"), amount=(-total).decimal, memo=memo)
    lines = [*expenses, owed]
    is_paid_back = reimbursement.direction == "USER_TO_BUSINESS"
    return Document(
        ref=Ref(tenant=tenant, kind=DocKind.JOURNAL, ramp_id=str(reimbursement.id)),
        kind=DocKind.JOURNAL,
        posting_date=posting_date(reimbursement),
        currency=total.currency,
        lines=tuple(opposite(lines) if is_paid_back else lines),
        memo=memo,
        entity=entity.erp_entity,
    )


def posting_date(reimbursement: Reimbursement) -> date:
    """The accounting date, else the day of the expense.

    :raises NoAccountingDate: if Ramp says neither
    """
    return first_day(reimbursement.accounting_date, reimbursement.transaction_date)


def memo_of(reimbursement: Reimbursement) -> str:
    """What for, for whom and why, in one line."""
    what = reimbursement.merchant or _MADE_UP.get(reimbursement.type, "")
    return in_one_line(what, reimbursement.user_full_name, reimbursement.memo)


def _total(reimbursement: Reimbursement) -> Money:
    total = reimbursement.money
    if not total:
        raise NothingToPost
    match reimbursement.direction:
        case "BUSINESS_TO_USER":
            return total
        case "USER_TO_BUSINESS":
            if total.minor < 0:  # signed by the direction, or turned round once more?
                raise UnexpectedSign("reimbursement", total)
            return total
        case unknown:
            raise UnknownValue("direction", unknown)
