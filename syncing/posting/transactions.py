"""Card transactions to journal entries: debit what was bought, credit the card's liability."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date

from connections.erp.records import DocKind, Document, Line, Ref
from connections.mappings import MappingSet, Profile
from connections.ramp.schemas import LineItem, Selection, Transaction
from rampbridge.lib.money import Money, allocate
from syncing.cannot_post import (
    LinesDoNotAddUp,
    LinesInSeveralCurrencies,
    NoAccountingDate,
    NoCoding,
    NothingToPost,
)

_NATIVE_TYPES = {"GL_ACCOUNT", "MERCHANT", "TAX_CODE"}


def journal_for(transaction: Transaction, *, mappings: MappingSet, tenant: str) -> Document:
    """The journal entry of one card transaction; a refund is the same with its signs turned.

    Amounts are those of the card's settlement currency. It balances to the minor unit.

    :raises CannotPost: without coding, date or amount, or if lines and header differ
    :raises MissingMapping: if a coding, the entity or its accounts lead nowhere in the ERP
    """
    entity_id = str(transaction.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    total = transaction.money
    if not total:
        raise NothingToPost
    amounts = line_amounts(transaction)
    memo = memo_of(transaction)
    expenses = [
        _expense(transaction, number, amount, mappings, profile)
        for number, amount in enumerate(amounts)
    ]
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


def line_amounts(transaction: Transaction) -> list[Money]:
    """What each line takes of the total, adding up to it exactly.

    Lines in another currency than the header (the merchant's, contract C9) share the header in
    their proportion, by largest remainder. A transaction without lines is its own single line.

    :raises CannotPost: if lines in the header's own currency differ from it, or lines of another
        say nothing of their proportion
    """
    total = transaction.money
    if not transaction.line_items:
        return [total]
    stated = [line.money for line in transaction.line_items]
    known = [money for money in stated if money is not None]
    if len(known) < len(stated):
        if len(stated) == 1:
            return [total]
        raise LinesDoNotAddUp(total, sum(known, Money.zero(total.currency, total.exponent)))
    if {money.currency for money in known} == {total.currency}:
        added_up = sum(known, Money.zero(total.currency, total.exponent))
        if added_up != total:
            raise LinesDoNotAddUp(total, added_up)
        return known
    currencies = sorted({money.currency for money in known})
    if len(currencies) > 1:
        raise LinesInSeveralCurrencies(currencies)
    weights = [money.decimal for money in known]
    if sum(weights) == 0:
        raise LinesDoNotAddUp(total, Money.zero(total.currency, total.exponent))
    return allocate(total, weights)


def posting_date(transaction: Transaction) -> date:
    """The day Ramp's accounting preference gave it, else the day of the purchase; both in UTC.

    :raises NoAccountingDate: if Ramp says neither
    """
    moment = transaction.accounting_date or transaction.user_transaction_time
    if moment is None:
        raise NoAccountingDate
    return moment.astimezone(UTC).date()


def memo_of(transaction: Transaction) -> str:
    """Merchant, card holder and memo in one line, as a bookkeeper wants to find it."""
    holder = transaction.card_holder.name if transaction.card_holder else ""
    return " · ".join(
        part for part in (transaction.merchant_name, holder, transaction.memo) if part
    )


def _expense(
    transaction: Transaction, number: int, amount: Money, mappings: MappingSet, profile: Profile
) -> Line:
    line = transaction.line_items[number] if transaction.line_items else LineItem()
    codings = [coding for coding in transaction.codings(line) if coding.is_for_erp]
    return Line(
        account=_account(transaction, number, codings, mappings, profile),
        amount=amount.decimal,
        memo=line.memo or memo_of(transaction),
        dimensions=_dimensions(codings, mappings),
    )


def _account(
    transaction: Transaction,
    number: int,
    codings: Sequence[Selection],
    mappings: MappingSet,
    profile: Profile,
) -> str:
    for coding in codings:
        if coding.type == "GL_ACCOUNT":
            return mappings.account(coding.external_id, coding.name).erp_id
    if profile.fallback_expense_account:
        return profile.fallback_expense_account
    raise NoCoding(number + 1, max(1, len(transaction.line_items)))


def _dimensions(codings: Sequence[Selection], mappings: MappingSet) -> Mapping[str, str]:
    """Fields we created come back as OTHER and are known by our own id (contract 5)."""
    return {
        coding.field_external_id: mappings.option(
            coding.field_external_id, coding.external_id, coding.name
        ).erp_id
        for coding in codings
        if coding.type not in _NATIVE_TYPES and coding.external_id
    }
