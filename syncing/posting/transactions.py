"""Card transactions to journal entries: debit what was bought, credit the card's liability."""

from datetime import date

from connections.erp.records import DocKind, Document, Line, Ref
from connections.mappings import MappingSet
from connections.ramp.schemas import Transaction
from syncing.cannot_post import NothingToPost
from syncing.posting.journal_taxes import spent_lines
from syncing.posting.lines import first_day, in_one_line


def journal_for(transaction: Transaction, *, mappings: MappingSet, tenant: str) -> Document:
    """The journal entry of one card transaction; a refund is the same with its signs turned.

    Amounts are those of the card's settlement currency. It balances to the minor unit. Tax stands
    on lines of its own.

    :raises CannotPost: without coding, date or amount, if lines and header differ, or if the tax
        does not fit
    :raises MissingMapping: if a coding, the entity or its accounts lead nowhere in the ERP
    """
    entity_id = str(transaction.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    total = transaction.money
    if not total:
        raise NothingToPost
    memo = memo_of(transaction)
    expenses = spent_lines(
        transaction,
        transaction.line_items,
        total,
        mappings=mappings,
        profile=profile,
        memo=memo,
    )
    card = Line(account=profile.card_liability_account, amount=(-total).decimal, memo=memo)
    return Document(
        ref=Ref(tenant=tenant, kind=DocKind.JOURNAL, ramp_id=str(transaction.id)),
        kind=DocKind.JOURNAL,
        posting_date=posting_date(transaction),
        currency=total.currency,
        lines=(*expenses, card),
        memo=memo,
        entity=entity.erp_entity,
    )


def posting_date(transaction: Transaction) -> date:
    """The day Ramp's accounting preference gave it, else the day of the purchase; both in UTC.

    :raises NoAccountingDate: if Ramp says neither
    """
    return first_day(transaction.accounting_date, transaction.user_transaction_time)


def memo_of(transaction: Transaction) -> str:
    """Merchant, card holder and memo in one line."""
    holder = transaction.card_holder.name if transaction.card_holder else ""
    return in_one_line(transaction.merchant_name, holder, transaction.memo)
