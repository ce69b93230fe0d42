"""What is due of a bill and of its payment: the two-phase table (R-55, R-56); of a transfer. Pure.

| sync_status            | status | bill    | payment               |
|------------------------|--------|---------|-----------------------|
| NOT_SYNCED             | OPEN   | post    | nothing yet           |
| NOT_SYNCED             | PAID   | post    | then post or confirm  |
| BILL_SYNCED            | OPEN   | nothing | wait                  |
| BILL_SYNCED            | PAID   | nothing | post or confirm       |
| BILL_AND_PAYMENT_SYNCED| either | nothing | nothing               |
| anything else of either         | hold    | hold                  |

Whether a payment is posted or only confirmed lies in how the bill was paid: `payment_action`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from connections.ramp.spend import Bill, BillPayment, Transfer
from rampbridge.lib.money import Money
from syncing.cannot_post import CreditsDoNotFit, UnknownValue, spoken


class Action(StrEnum):
    """What to do about one phase of a bill."""

    NOTHING = "nothing"
    """There is nothing to sync, or it is synced already."""
    POST = "post"
    """A document belongs into the ERP."""
    CONFIRM = "confirm"
    """No document: the ERP has it in another form. Only tell Ramp, with the bill's number."""
    WAIT = "wait"
    """Nothing to do yet: the payment is on its way (a cheque that is not cashed, gotcha 11)."""
    HOLD = "hold"
    """A person of ours must look. `reason` says at what."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One action for each phase; the payment's comes after the bill's."""

    bill: Action
    payment: Action
    reason: str = ""
    """Words for what is held, waits, or needs nothing."""


CARD_METHODS = frozenset(
    {"CARD", "ONE_TIME_CARD", "ONE_TIME_CARD_DELIVERY", "AUTOMATIC_CARD_PAYMENT"}
)
"""The money arrives as card transactions too; a payment beside them would be a second one
(gotcha 13)."""

BANK_METHODS = frozenset(
    {"ACH", "CHECK", "DOMESTIC_WIRE", "INTERNATIONAL", "LOCAL_BANK_TRANSFER", "RTP", "SWIFT"}
)
"""The money leaves the bank account of the posting profile."""

MANUAL_BANK_METHODS = frozenset(
    {"CHECK", "CROSS_BORDER_PAYMENT", "DIRECT_DEBIT", "DOMESTIC_WIRE_TRANSFER"}
)
"""Paid outside Ramp, but from the bank all the same."""

_UNDER_WAY = frozenset(
    {
        "ACH_CONFIRMED",
        "INITIATED",
        "NOT_ACKED",
        "PROCESSING_BY_ODFI",
        "SUBMITTED_TO_FED",
        "SUBMITTED_TO_RDFI",
        "UPLOADED",
    }
)
_WITHOUT_MONEY = frozenset(
    {"CANCELED", "ERROR", "NOT_ENOUGH_FUNDS", "REJECTED_BY_ODFI", "UNNECESSARY"}
)

_DUE: Mapping[tuple[str, str], tuple[Action, bool]] = {
    ("NOT_SYNCED", "OPEN"): (Action.POST, False),
    ("NOT_SYNCED", "PAID"): (Action.POST, True),
    ("BILL_SYNCED", "OPEN"): (Action.NOTHING, False),
    ("BILL_SYNCED", "PAID"): (Action.NOTHING, True),
    ("BILL_AND_PAYMENT_SYNCED", "OPEN"): (Action.NOTHING, False),
    ("BILL_AND_PAYMENT_SYNCED", "PAID"): (Action.NOTHING, False),
}
"""What is due of the bill, and whether its payment is."""


def decide(bill: Bill) -> Decision:
    """What is due of a bill that Ramp lists as ready to sync.

    That a bill is ready stands in no field of it; whoever read it by its id asks the list too.
    """
    if bill.archived_at is not None:
        return Decision(Action.NOTHING, Action.NOTHING, "The bill is archived in Ramp.")
    if bill.enable_accounting_sync is False:
        return Decision(
            Action.NOTHING,
            Action.NOTHING,
            "The bill is not meant to be synced: so it says in Ramp.",
        )
    due = _DUE.get((bill.sync_status, bill.status))
    if due is None:
        return Decision(Action.HOLD, Action.HOLD, _unknown(bill))
    action, is_paid = due
    if is_paid:
        payment, reason = payment_action(bill)
        return Decision(action, payment, reason)
    if bill.sync_status == "BILL_SYNCED":
        return Decision(action, Action.WAIT, "The payment is not complete yet.")
    return Decision(action, Action.NOTHING)


def payment_action(bill: Bill) -> tuple[Action, str]:
    """What becomes of a paid bill's payment, and why where that is not a document.

    An accountant expects one document for each movement of the bank account that is not in the
    books yet. So:

    - by card: confirm. The card transactions are booked by themselves;
    - by vendor credits alone, or nothing left to pay: confirm. No money moved;
    - outside Ramp and entered in the ERP there (PAID_IN_ERP): confirm;
    - from the bank, through Ramp or outside: post;
    - outside Ramp in cash, by another card or another way: hold. Which account the money left
      is in no profile, and a payment from the wrong one is worse than a late one.
    """
    payment = bill.payment
    if payment is None:
        return Action.HOLD, "Ramp calls this bill paid but shows no payment."
    method = payment.payment_method
    if method in CARD_METHODS:
        return Action.CONFIRM, "The bill was paid by card: the card transaction is the payment."
    if method == "PAID_MANUALLY":
        action, reason = _paid_outside(payment)
    elif method in BANK_METHODS or method == "VENDOR_CREDIT":
        action, reason = Action.POST, ""
    else:
        return Action.HOLD, UnknownValue("payment method", method).title
    return _unless_set_off(bill, action, reason)


def owed(bill: Bill) -> Money:
    """What is left of a bill after the vendor credits set off against it: its own payment.

    Never the payment's amount, which is that of all bills paid together (gotcha 9).

    :raises CreditsDoNotFit: if the credits exceed the bill or are in another currency
    """
    applied = [one.amount.money for one in bill.applied_vendor_credits if one.amount.amount]
    foreign = next((one for one in applied if one.currency != bill.money.currency), None)
    if foreign is not None:
        raise CreditsDoNotFit(bill.money, foreign)
    set_off = sum(applied, Money.zero(bill.money.currency, bill.money.exponent))
    if set_off > bill.money:
        raise CreditsDoNotFit(bill.money, set_off)
    return bill.money - set_off


def transfer_action(transfer: Transfer) -> tuple[Action, str]:
    """What becomes of a payment of the card balance, and why where that is not a document.

    Only a completed one is posted. One that the bank took back may be in the ERP or not, and may
    be repeated or not: a person decides.
    """
    status = transfer.status
    if status == "COMPLETED":
        return Action.POST, ""
    if status in _UNDER_WAY:
        return Action.WAIT, f"The transfer is {spoken(status)}, so not completed yet."
    if status == "RETURNED_BY_RDFI":
        return (
            Action.HOLD,
            "The bank has returned this transfer, so the card balance is not paid."
            " If the transfer is in the ERP, take it back there.",
        )
    if status in _WITHOUT_MONEY:
        return Action.HOLD, f"The transfer is {spoken(status)}: no money has moved."
    return Action.HOLD, UnknownValue("status", status).title


def _unknown(bill: Bill) -> str:
    if bill.sync_status not in {sync_status for sync_status, _ in _DUE}:
        return UnknownValue("sync status", bill.sync_status).title
    return UnknownValue("status", bill.status).title


def _paid_outside(payment: BillPayment) -> tuple[Action, str]:
    how = payment.details.manual_payment_method if payment.details else ""
    if how == "PAID_IN_ERP":
        return Action.CONFIRM, "The payment was entered in the ERP by hand."
    if how in MANUAL_BANK_METHODS:
        return Action.POST, ""
    way = spoken(how) if how else "it does not say how"
    return Action.HOLD, f"The bill was paid outside Ramp, {way}, and no account is set for that."


def _unless_set_off(bill: Bill, action: Action, reason: str) -> tuple[Action, str]:
    """The same, unless vendor credits have changed what there is to pay."""
    if action != Action.POST:
        return action, reason
    assert bill.payment is not None
    try:
        left = owed(bill)
    except CreditsDoNotFit as error:
        return Action.HOLD, error.title
    if not left:
        return Action.CONFIRM, "Vendor credits have settled the bill; no money moved."
    if bill.payment.payment_method == "VENDOR_CREDIT":
        return Action.HOLD, f"The bill was paid by vendor credits, yet {left} of it is left over."
    return action, reason
