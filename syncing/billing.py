"""The order of a bill and its payment (rule 10, fault K13), and invoice numbers that repeat.

A payment waits until its bill is in the ERP. What was paid by card is booked with the card's
transaction: such a payment is only confirmed, with the bill's document, and never posted (F-07).
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connections.ramp.spend import Bill
from syncing.cannot_post import BillNotNamed, PaymentNotDue
from syncing.claims import Claimed
from syncing.decisions import Action, decide
from syncing.models import SyncItem
from syncing.references import speakable
from syncing.statements import rows
from syncing.states import ItemState

BILL = SyncItem.ObjectType.BILL
PAYMENT = SyncItem.ObjectType.BILL_PAYMENT


@dataclass(frozen=True, slots=True)
class BillItem:
    """A payment's bill, as far as it has come with us."""

    id: int
    label: str
    state: str
    erp_id: str
    erp_number: str
    erp_url: str

    @property
    def is_booked(self) -> bool:
        """Whether we know its document in the ERP, whoever booked it."""
        return bool(self.erp_id)

    @property
    def is_elsewhere(self) -> bool:
        """Whether somebody else synced it, so that we shall never post it."""
        return self.state == ItemState.EXTERNAL and not self.is_booked


@dataclass(frozen=True, slots=True)
class Wait:
    """What a payment waits for, as `results.record_waiting` takes it."""

    cause: str
    words: str


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The document that settles a payment already, and why there is none of its own."""

    erp_id: str
    number: str
    url: str
    why: str


@dataclass(frozen=True, slots=True)
class Pay:
    """A document is due of the payment."""

    bill_is_ours: bool


def cause_of_waiting(ramp_id: uuid.UUID) -> str:
    """The name of what the payment of a bill waits for."""
    return f"bill:{ramp_id}"


def next_step(payment: Claimed, bill: BillItem | None) -> Wait | Confirmation | Pay:
    """What to do about a payment now. `bill` is None if its bill never came by us.

    :raises CannotPost: if a person must decide
    :raises SchemaSurprise: if the body is not as Ramp's contract says
    """
    read = Bill.parse(payment.body)
    decision = decide(read)
    if decision.payment is Action.HOLD:
        raise PaymentNotDue(decision.reason)
    if decision.payment in (Action.WAIT, Action.NOTHING):
        reason = decision.reason or "Nothing is due of this payment now, by what Ramp says."
        return Wait(f"ramp:{payment.ramp_id}", reason)
    is_confirmed = decision.payment is Action.CONFIRM
    if (wait := awaits(payment, bill)) is not None:
        return wait
    if bill is not None and bill.is_booked:
        if is_confirmed:
            return Confirmation(bill.erp_id, bill.erp_number, bill.erp_url, decision.reason)
        return Pay(bill_is_ours=True)
    if not read.remote_id:
        raise BillNotNamed
    if is_confirmed:
        return Confirmation(read.remote_id, read.remote_id, "", decision.reason)
    return Pay(bill_is_ours=False)


def awaits(payment: Claimed, bill: BillItem | None) -> Wait | None:
    """What a payment waits for that the ERP turned down for want of its bill, if it is to come."""
    if bill is None or bill.is_booked or bill.is_elsewhere:
        return None
    return Wait(cause_of_waiting(payment.ramp_id), waits_for(bill))


def waits_for(bill: BillItem) -> str:
    """Why what pays a bill waits for it, in words."""
    name = f"{bill.label} ({speakable(bill.id)})"
    match bill.state:
        case ItemState.FAILED | ItemState.REVIEW | ItemState.MISMATCH:
            return f"Waits for its bill {name}, which needs attention first."
        case ItemState.WITHDRAWN:
            return f"Waits for its bill {name}, which was taken back in Ramp."
        case _:
            return f"Waits for its bill {name} to be in the ERP."


def bills_of(connection_id: uuid.UUID, payments: Sequence[Claimed]) -> Mapping[uuid.UUID, BillItem]:
    """The bills of payments, by Ramp's id.

    Look with the payments locked: their release by the bill's posting then comes after.
    """
    found = rows(
        """
        SELECT ramp_id, id, label, state, erp_id, erp_number, erp_url FROM syncing_syncitem
        WHERE connection_id = %s AND object_type = 'bill' AND phase = 0 AND ramp_id = ANY(%s)
        """,
        [connection_id, [payment.ramp_id for payment in payments]],
    )
    return {ramp_id: BillItem(*bill) for ramp_id, *bill in found}


def with_taken_numbers(bills: Sequence[Claimed]) -> frozenset[int]:
    """Those bills whose invoice number an earlier bill of the same vendor has (gotcha 10)."""
    found = rows(TAKEN_NUMBERS, [[bill.id for bill in bills]])
    return frozenset(id_ for (id_,) in found)


TAKEN_NUMBERS = """
    SELECT mine.id
    FROM syncing_syncitem mine
    WHERE mine.id = ANY(%s) AND mine.invoice_number <> '' AND EXISTS (
        SELECT FROM syncing_syncitem other
        WHERE lower(other.invoice_number) = lower(mine.invoice_number)  -- as it is indexed
          AND other.connection_id = mine.connection_id AND other.invoice_number <> ''
          AND other.invoice_number = mine.invoice_number
          AND lower(other.label) = lower(mine.label) AND other.object_type = 'bill'
          AND other.id < mine.id AND other.state <> 'WITHDRAWN')
"""
