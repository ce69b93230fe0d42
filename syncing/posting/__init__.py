"""From an object of Ramp to a document for the ERP. Pure: neither HTTP nor rows."""

from collections.abc import Sequence

from connections.erp.records import Document
from connections.mappings import MappingSet
from connections.ramp.schemas import Transaction
from connections.ramp.spend import Bill, Cashback, Reimbursement, Transfer, VendorCredit
from rampbridge.lib.money import Money
from syncing.posting import (
    bills,
    card_payments,
    reimbursements,
    transactions,
    transfers,
    vendor_credits,
)
from syncing.posting.card_payments import PaidBill

__all__ = ["document_for", "settlement_for"]


def document_for(
    object_type: str,
    body: str,
    *,
    mappings: MappingSet,
    tenant: str,
    number_is_taken: bool = False,
    bill_is_ours: bool = True,
) -> Document:
    """The document that an object of Ramp, as JSON text, becomes in the ERP.

    `tenant` names the customer in the document's reference, the same in every process and for ever.
    The body of a bill payment is that of its bill.

    :param number_is_taken: of a bill: another one of its vendor has the same invoice number
    :param bill_is_ours: of a bill payment: we posted the bill that it pays
    :raises CannotPost: if the object as Ramp has it makes no document
    :raises MissingMapping: if a coding of it leads nowhere in the ERP
    :raises SchemaSurprise: if the body is not as Ramp's contract says
    """
    match object_type:
        case "transaction":
            transaction = Transaction.parse(body)
            return transactions.journal_for(
                transaction, mappings=_of(transaction, mappings), tenant=tenant
            )
        case "reimbursement":
            reimbursement = Reimbursement.parse(body)
            return reimbursements.journal_for(
                reimbursement, mappings=_of(reimbursement, mappings), tenant=tenant
            )
        case "bill":
            bill = Bill.parse(body)
            return bills.bill_for(
                bill, mappings=_of(bill, mappings), tenant=tenant, number_is_taken=number_is_taken
            )
        case "bill_payment":
            bill = Bill.parse(body)
            return bills.payment_for(
                bill, mappings=_of(bill, mappings), tenant=tenant, bill_is_ours=bill_is_ours
            )
        case "transfer":
            transfer = Transfer.parse(body)
            return transfers.transfer_journal(
                transfer, mappings=_of(transfer, mappings), tenant=tenant
            )
        case "cashback":
            cashback = Cashback.parse(body)
            return transfers.cashback_journal(
                cashback, mappings=_of(cashback, mappings), tenant=tenant
            )
        case "vendor_credit":
            credit = VendorCredit.parse(body)
            return vendor_credits.credit_for(credit, mappings=_of(credit, mappings), tenant=tenant)
        case _:
            raise ValueError(f"No document is made from a {object_type}.")


def _of(
    one: Transaction | Reimbursement | Bill | Transfer | Cashback | VendorCredit,
    mappings: MappingSet,
) -> MappingSet:
    """The mappings of the entity that the object belongs to."""
    return mappings.of_entity(str(one.entity_id or ""))


def settlement_for(
    body: str,
    paid: Sequence[PaidBill],
    *,
    other_cards: Sequence[Money | None],
    mappings: MappingSet,
    tenant: str,
) -> Document:
    """The document of a card transaction, as JSON text, that pays bills.

    Raises what `document_for` does; see `card_payments.settlement_for`.
    """
    transaction = Transaction.parse(body)
    return card_payments.settlement_for(
        transaction,
        paid,
        other_cards=other_cards,
        mappings=_of(transaction, mappings),
        tenant=tenant,
    )
