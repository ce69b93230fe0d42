"""The card's own account: payments of its balance, and cashback credited to it."""

from datetime import date

from connections.erp.records import DocKind, Document, Line, Ref
from connections.mappings import MappingSet, ProfileAccount
from connections.ramp.spend import Cashback, Transfer
from syncing.cannot_post import NothingToPost, TransferNotDue, UnexpectedSign
from syncing.decisions import Action, transfer_action
from syncing.posting.lines import first_day, in_one_line


def transfer_journal(transfer: Transfer, *, mappings: MappingSet, tenant: str) -> Document:
    """The journal entry of a completed transfer: debit card liability, credit the bank.

    :raises CannotPost: if it is not completed, came back, or has no amount above zero or date
    :raises MissingMapping: if the entity or its accounts lead nowhere in the ERP
    """
    action, reason = transfer_action(transfer)
    if action is not Action.POST:
        raise TransferNotDue(reason)
    memo = in_one_line("Payment of the card balance", transfer.payment_id)
    return _entry(
        "transfer",
        transfer,
        "transfer_bank_account",
        memo,
        mappings=mappings,
        tenant=tenant,
    )


def cashback_journal(cashback: Cashback, *, mappings: MappingSet, tenant: str) -> Document:
    """The journal entry of a cashback: debit card liability, credit the cashback account.

    :raises CannotPost: if it has no amount above zero or no date
    :raises MissingMapping: if the entity or its accounts lead nowhere in the ERP
    """
    return _entry(
        "cashback", cashback, "cashback_account", "Cashback", mappings=mappings, tenant=tenant
    )


def posting_date(credit: Transfer | Cashback) -> date:
    """The day Ramp made it.

    :raises NoAccountingDate: if Ramp does not say
    """
    return first_day(credit.created_at)


def _entry(
    what: str,
    credit: Transfer | Cashback,
    counterpart: ProfileAccount,
    memo: str,
    *,
    mappings: MappingSet,
    tenant: str,
) -> Document:
    """Whatever lowers the card balance is debited to the card's liability."""
    entity_id = str(credit.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    total = credit.money
    if not total:
        raise NothingToPost
    if total.minor < 0:
        raise UnexpectedSign(what, total)
    return Document(
        ref=Ref(tenant=tenant, kind=DocKind.JOURNAL, ramp_id=str(credit.id)),
        kind=DocKind.JOURNAL,
        posting_date=posting_date(credit),
        currency=total.currency,
        lines=(
            Line(account=profile.card_liability_account, amount=total.decimal, memo=memo),
            Line(account=profile.needed(counterpart), amount=(-total).decimal, memo=memo),
        ),
        memo=memo,
        entity=entity.erp_entity,
    )
