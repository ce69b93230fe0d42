"""How bills are paid: by the bank, by cheque, by card, by hand, or out of a vendor credit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from connections.ramp_simulator import people
from connections.ramp_simulator.amounts import converted
from connections.ramp_simulator.bill_codings import payee_of
from connections.ramp_simulator.bill_json import payment_of
from connections.ramp_simulator.bill_records import CARD_METHODS, Bill, BillPayment
from connections.ramp_simulator.bill_states import is_ready, keep
from connections.ramp_simulator.people import Merchant, NotPossible, Purchase
from connections.ramp_simulator.webhooks import announce
from connections.ramp_simulator.world import World

METHODS = (
    *sorted(CARD_METHODS),
    "ACH",
    "CHECK",
    "CRYPTO_WALLET_TRANSFER",
    "DOMESTIC_WIRE",
    "INTERNATIONAL",
    "LOCAL_BANK_TRANSFER",
    "PAID_MANUALLY",
    "RTP",
    "SWIFT",
    "UNSPECIFIED",
    "VENDOR_CREDIT",
)
_TRACED = {
    "ACH": "ACH trace number",
    "CHECK": "Check number",
    "DOMESTIC_WIRE": "Federal reference number",
    "SWIFT": "UETR",
}
_FRIENDLY_LETTERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """How bills are to be paid. `minor` and `currency` are worked out unless they are given.

    Of a card payment `transaction_ids` are the purchases it came as; without them one is made,
    `is_card_ready` for the ERP or not.
    """

    method: str = "ACH"
    at: datetime | None = None
    minor: int | None = None
    trace_id: str | None = None
    transaction_ids: Sequence[str] = ()
    is_card_ready: bool = True


def start(world: World, bills: Sequence[Bill], order: Order) -> BillPayment:
    """Money sets out for all of these bills at once; they are not paid yet.

    :raises NotPossible: if one is not open and approved or has a payment, or if they are of
        several vendors or entities
    """
    _check(bills, order)
    first, at = bills[0], order.at or world.clock()
    currency = _payers_currency(world, first)
    minor = _total(bills, currency, order.method) if order.minor is None else order.minor
    payment = world.bill_payments.put(
        BillPayment(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=first.business,
            customer_friendly_id=world.ids.secret("A", _FRIENDLY_LETTERS).upper(),
            method=order.method,
            minor=minor,
            currency=currency,
            payment_date=at,
            effective_date=at,
            trace=_trace(world, order),
            bank_account_id=world.ids.uuid(),
            payee_account_id=world.ids.uuid(),
        )
    )
    if order.method in CARD_METHODS:
        _pay_by_card(world, first, payment, order)
    for bill in bills:
        bill.payment_id = payment.id
        world.bills.put(bill)
    return payment


def finish(world: World, payment: BillPayment, *, at: datetime, notify: bool = True) -> None:
    """The money has arrived: every bill of this payment is paid."""
    for bill in _paid_by(world, payment):
        was_ready = is_ready(world, bill)
        bill.status = "PAID"
        bill.paid_at = at
        if notify:
            announce(world, bill.business, "bills.paid", bill.id)
        keep(world, bill, was_ready=was_ready, notify=notify)


def pay(world: World, bills: Sequence[Bill], order: Order, *, notify: bool = True) -> BillPayment:
    """Pay them at once, or let a payment that has set out arrive.

    :raises NotPossible: as `start` does
    """
    payment = payment_of(world, bills[0])
    if payment is None or bills[0].status == "PAID":
        payment = start(world, bills, order)
    finish(world, payment, at=order.at or world.clock(), notify=notify)
    return payment


def one_time_card_purchases(world: World, business: str) -> set[str]:
    """Ids of the transactions that are payments of bills with a card made for one bill."""
    return {
        transaction_id
        for payment in world.bill_payments.of(business)
        if payment.method in {"ONE_TIME_CARD", "ONE_TIME_CARD_DELIVERY"}
        for transaction_id in payment.transaction_ids
    }


def _paid_by(world: World, payment: BillPayment) -> list[Bill]:
    bills = world.bills.of(payment.business)
    return [row for row in bills if row.payment_id == payment.id and not row.archived_at]


def _check(bills: Sequence[Bill], order: Order) -> None:
    if order.method not in METHODS:
        raise NotPossible(f"There is no method {order.method}; there are {', '.join(METHODS)}.")
    for bill in bills:
        if bill.status == "PAID" or bill.payment_id:
            raise NotPossible(f"Bill {bill.id} has a payment already.")
        if order.method == "VENDOR_CREDIT" and sum(bill.credits.values()) < bill.minor:
            raise NotPossible(f"Vendor credits do not cover all of bill {bill.id}.")
        if bill.archived_at or bill.approval_status != "APPROVED":
            raise NotPossible(f"Bill {bill.id} is not approved, or archived.")
    if len({(bill.payee_id, bill.entity_id, bill.currency) for bill in bills}) > 1:
        raise NotPossible("Only bills of one vendor, entity and currency are paid together.")


def _payers_currency(world: World, bill: Bill) -> str:
    entity = world.entities.get(bill.entity_id)
    assert entity is not None
    return entity.currency


def _total(bills: Sequence[Bill], currency: str, method: str) -> int:
    """In the payer's money: what vendor credits leave, or what they cover if they pay."""

    def part(bill: Bill) -> int:
        covered = sum(bill.credits.values())
        mine = covered if method == "VENDOR_CREDIT" else bill.minor - covered
        return converted(mine, bill.currency, bill.fx_rate, currency)

    return sum(part(bill) for bill in bills)


def _trace(world: World, order: Order) -> tuple[str, str] | None:
    """The bank's own reference, where a method has one."""
    descriptor = _TRACED.get(order.method)
    if descriptor is None:
        return None
    return descriptor, order.trace_id or str(100_000 + world.ids.rank())


def _pay_by_card(world: World, bill: Bill, payment: BillPayment, order: Order) -> None:
    """The same money also arrives as a purchase with that card."""
    payment.spend_limit_id = world.ids.uuid()
    payment.transaction_ids = list(order.transaction_ids)
    if not payment.transaction_ids:
        purchase = Purchase(
            minor=payment.minor,
            merchant=Merchant(name=payee_of(world, bill).name),
            account_code=bill.lines[0].account_code if bill.lines else None,
            memo=f"Bill {bill.invoice_number or bill.id}",
            at=payment.payment_date,
            entity_id=bill.entity_id,
        )
        row = people.spend(world, bill.business, purchase)
        if order.is_card_ready:
            people.mark_ready(world, row)
        payment.transaction_ids = [row.id]
    world.bill_payments.put(payment)
