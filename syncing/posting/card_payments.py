"""Card transactions that pay bills: they settle what the vendor is owed, not an expense (F-07).

The bill is the expense already. So whatever the transaction is coded to, it becomes a payment of
the bill from the card's liability account: debit payables, credit card liability.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from connections.erp.records import DocKind, Document, Line, Ref
from connections.mappings import MappingSet
from connections.ramp.schemas import Transaction
from connections.ramp.spend import Bill
from rampbridge.lib.money import Money
from syncing.cannot_post import BillNotNamed, CardDoesNotFitBill, CardPaysSeveral
from syncing.decisions import owed
from syncing.posting.bills import bill_ref
from syncing.posting.lines import in_one_line
from syncing.posting.transactions import memo_of, posting_date
from syncing.posting.vendors import vendor_of_bill


@dataclass(frozen=True, slots=True)
class PaidBill:
    """A bill that a card pays, as it was last read from Ramp."""

    bill: Bill
    is_ours: bool = True
    """We posted it, so that it carries our reference. Else Ramp must say what the ERP calls it."""


def settlement_for(
    transaction: Transaction,
    paid: Sequence[PaidBill],
    *,
    other_cards: Sequence[Money | None] = (),
    mappings: MappingSet,
    tenant: str,
) -> Document:
    """The payment that a card transaction makes of its bills, from the card's liability account.

    It carries the transaction's own reference, as its journal entry would: of the two the ERP
    holds one.

    :param paid: the bills, at least one, all of them in the ERP
    :param other_cards: what other transactions pay of the same bill; None: it is not known yet
    :raises CannotPost: if amount or currency are not those of the bills, with the difference
    :raises MissingMapping: if the vendor, the entity or its accounts lead nowhere in the ERP
    """
    entity_id = str(transaction.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    parties = {vendor_of_bill(one.bill, mappings) for one in paid}
    entities = {str(one.bill.entity_id or "") for one in paid}
    if len(parties) > 1 or entities != {entity_id}:
        raise CardPaysSeveral
    memo = in_one_line(memo_of(transaction), *(one.bill.invoice_number for one in paid))
    parts = _parts(transaction.money, [owed(one.bill) for one in paid], other_cards)
    return Document(
        ref=Ref(tenant=tenant, kind=DocKind.JOURNAL, ramp_id=str(transaction.id)),
        kind=DocKind.BILL_PAYMENT,
        posting_date=posting_date(transaction),
        currency=transaction.money.currency,
        lines=tuple(
            _line(one, part, profile.payables_account, memo, tenant)
            for one, part in zip(paid, parts, strict=True)
        ),
        party=parties.pop(),
        bank_account=profile.card_liability_account,
        memo=memo,
        entity=entity.erp_entity,
    )


def _line(one: PaidBill, part: Money, account: str, memo: str, tenant: str) -> Line:
    if not (one.is_ours or one.bill.remote_id):
        raise BillNotNamed
    return Line(
        account=account,
        amount=part.decimal,
        memo=memo,
        applies_to=bill_ref(one.bill, tenant),
        applies_to_id="" if one.is_ours else one.bill.remote_id,
    )


def _parts(
    card: Money, bills: Sequence[Money], other_cards: Sequence[Money | None]
) -> Sequence[Money]:
    """What the card pays of each bill: all of them in full, or its part of the only one."""
    if other_cards and len(bills) > 1:
        raise CardPaysSeveral
    known = [money for money in other_cards if money is not None]
    if {money.currency for money in (*bills, *known)} != {card.currency}:
        raise CardDoesNotFitBill(card, bills[0])
    nothing = Money.zero(card.currency, card.exponent)
    whole, paid = sum(bills, nothing), sum(known, card)
    is_complete = len(known) == len(other_cards)
    if card <= nothing or paid > whole or (is_complete and paid != whole):
        raise CardDoesNotFitBill(paid, whole)
    return [card] if other_cards else bills
