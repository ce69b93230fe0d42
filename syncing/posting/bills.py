"""Bills to bills of the ERP, and their payments to payments of it."""

from datetime import date
from decimal import Decimal

from connections.erp.records import DocKind, Document, Line, Ref
from connections.mappings import EntityTarget, MappingSet
from connections.ramp.spend import Bill, BillPayment
from rampbridge.lib.money import Money
from syncing.cannot_post import (
    BillNotNamed,
    NothingToPost,
    PaymentBelowBill,
    PaymentNotDue,
    UnexpectedSign,
)
from syncing.decisions import Action, owed, payment_action
from syncing.posting.lines import first_day, in_one_line
from syncing.posting.taxes import taxed_lines
from syncing.posting.vendors import vendor_of_bill

_SHORT_ID = 8
"""Of a bill's id: enough to tell one vendor's bills apart."""


def bill_for(
    bill: Bill, *, mappings: MappingSet, tenant: str, number_is_taken: bool = False
) -> Document:
    """The ERP's bill, in the invoice's own currency.

    :param number_is_taken: another bill of the same vendor has the same invoice number
        (an account number repeated every month, gotcha 10): this one's gets a part of its id
    :raises CannotPost: without coding, date or amount, or if lines and header differ
    :raises MissingMapping: if a coding, the vendor, the entity or its accounts lead nowhere
    """
    entity_id = str(bill.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    total = bill.money
    if not total:
        raise NothingToPost
    if total.minor < 0:
        raise UnexpectedSign("bill", total)
    return Document(
        ref=bill_ref(bill, tenant),
        kind=DocKind.BILL,
        posting_date=posting_date(bill),
        currency=total.currency,
        lines=tuple(
            taxed_lines(
                bill, bill.lines, total, mappings=mappings, profile=profile, memo=memo_of(bill)
            )
        ),
        party=vendor_of_bill(bill, mappings),
        number=invoice_number(bill, is_taken=number_is_taken),
        due=first_day(bill.due_at) if bill.due_at else None,
        exchange_rate=_exchange_rate(bill, entity),
        memo=memo_of(bill),
        entity=entity.erp_entity,
        payables_account=profile.payables_account,
    )


def payment_for(
    bill: Bill, *, mappings: MappingSet, tenant: str, bill_is_ours: bool = True
) -> Document:
    """The ERP's payment of one bill: its own amount, less the vendor credits set off against it.

    :param bill_is_ours: we know to have posted the bill; else Ramp must say what the ERP calls it
        (`remote_id`), in case nothing there carries our reference
    :raises CannotPost: if no document is due of the payment (see `decisions.payment_action`),
        or its amount, date or bill is in doubt
    :raises MissingMapping: if the vendor, the entity or its accounts lead nowhere in the ERP
    """
    action, reason = payment_action(bill)
    if action is not Action.POST or bill.payment is None:
        raise PaymentNotDue(reason)
    entity_id = str(bill.entity_id or "")
    entity = mappings.entity(entity_id)
    profile = mappings.profile(entity_id)
    if not (bill_is_ours or bill.remote_id):
        raise BillNotNamed
    memo = payment_memo(bill, bill.payment)
    settles = Line(
        account=profile.payables_account,
        amount=_paid(bill, bill.payment).decimal,
        memo=memo,
        applies_to=bill_ref(bill, tenant),
        applies_to_id="" if bill_is_ours else bill.remote_id,
    )
    return Document(
        ref=Ref(tenant=tenant, kind=DocKind.BILL_PAYMENT, ramp_id=str(bill.id)),
        kind=DocKind.BILL_PAYMENT,
        posting_date=payment_date(bill),
        currency=bill.money.currency,
        lines=(settles,),
        party=vendor_of_bill(bill, mappings),
        bank_account=profile.needed("bank_account"),
        exchange_rate=_exchange_rate(bill, entity),
        memo=memo,
        entity=entity.erp_entity,
    )


def bill_ref(bill: Bill, tenant: str) -> Ref:
    """Our name for the bill's document."""
    return Ref(tenant=tenant, kind=DocKind.BILL, ramp_id=str(bill.id))


def invoice_number(bill: Bill, *, is_taken: bool) -> str:
    """The vendor's number, or if another bill has it, one made unique by the bill's id.

    A bill without a number gets none: the ERP's own number names it.
    """
    if bill.invoice_number and is_taken:
        return f"{bill.invoice_number} ({bill.id.hex[:_SHORT_ID]})"
    return bill.invoice_number


def posting_date(bill: Bill) -> date:
    """The accounting date, else the day the vendor issued it.

    :raises NoAccountingDate: if Ramp says neither
    """
    return first_day(bill.accounting_date, bill.issued_at)


def payment_date(bill: Bill) -> date:
    """The day the money left the bank, as near as Ramp knows it.

    :raises NoAccountingDate: if Ramp does not say
    """
    payment = bill.payment or BillPayment()
    return first_day(payment.effective_date, payment.payment_date, bill.paid_at)


def memo_of(bill: Bill) -> str:
    """Vendor, invoice and memo in one line."""
    return in_one_line(bill.vendor.name, bill.invoice_number, bill.memo)


def payment_memo(bill: Bill, payment: BillPayment) -> str:
    """What the bank statement says, and what was paid, in one line."""
    trace = payment.trace_id.trace_id if payment.trace_id else ""
    return in_one_line(
        bill.vendor.name, bill.invoice_number, payment.customer_friendly_payment_id, trace
    )


def _exchange_rate(bill: Bill, entity: EntityTarget) -> Decimal | None:
    """Ramp's rate, where it converts anything. None leaves it to the ERP.

    A rate of 1 between two currencies only says that Ramp pays in the invoice's own.
    """
    rate = bill.fx_conversion_rate
    if not rate or rate == 1 or bill.money.currency == entity.currency:
        return None
    return rate


def _paid(bill: Bill, payment: BillPayment) -> Money:
    """The bill's own amount; the payment may be that of several bills, but never smaller."""
    own = owed(bill)
    whole = payment.amount.money if payment.amount else None
    if whole is not None and whole.currency == own.currency and whole < own:
        raise PaymentBelowBill(own, whole)
    return own
