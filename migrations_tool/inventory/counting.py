"""Ramp's lists, each read once from its beginning to its end, and what is counted of a page."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.spend import Bill
from migrations_tool.inventory import tally as states
from migrations_tool.inventory.tally import Tally
from rampbridge.lib.money import Money
from syncing.cannot_post import CreditsDoNotFit, NoAccountingDate, UnknownValue
from syncing.decisions import owed
from syncing.kinds import KINDS, Kind, Standing

Pages = Iterator[Page[Any]]
IN_FLIGHT, BEFORE_LINK, OPEN_CREDITS = "bills_in_flight", "before_the_link", "open_credits"

_STATES: Mapping[Standing, str] = {
    Standing.READY: states.READY,
    Standing.NOT_READY: states.NOT_READY,
    Standing.SYNCED: states.SYNCED,
    Standing.UNKNOWN: states.UNKNOWN,
}


@dataclass(frozen=True, slots=True)
class Reading:
    """One list of Ramp's."""

    name: str
    label: str
    pages: Callable[[RampClient, str | None], Pages]
    """From a cursor on; None is the beginning."""
    count: Callable[[Tally, Page[Any]], None]


def _simple(object_type: str) -> Callable[[Tally, Page[Any]], None]:
    def count(tally: Tally, page: Page[Any]) -> None:
        kind = KINDS[object_type]
        tally.malformed(object_type, len(page.malformed))
        for one in page.items:
            standing = kind.standing(one)
            if standing is Standing.UNKNOWN:
                tally.unknown(object_type, one.sync_status)
            elif standing is Standing.READY:
                tally.ready_since(_day_of(kind, one))
            tally.add(object_type, _entity(one.entity_id), _STATES[standing], one.money)

    return count


def _day_of(kind: Kind, one: Any) -> date | None:
    """The day in the books; None where nobody can tell."""
    try:
        return kind.snapshot(one).accounting_date
    except (NoAccountingDate, UnknownValue):
        return None


def _ready_bills(tally: Tally, page: Page[Bill]) -> None:
    """No bill says of itself whether it is ready (R-56): only this list does."""
    for bill in page.items:
        if KINDS["bill"].standing(bill) is Standing.READY:
            tally.add("bill", _entity(bill.entity_id), states.READY, bill.money)
            tally.ready_since(_day_of(KINDS["bill"], bill))
        if KINDS["bill_payment"].standing(bill) is Standing.READY:
            tally.add("bill_payment", _entity(bill.entity_id), states.READY, _paid(bill))


def _all_bills(tally: Tally, page: Page[Bill]) -> None:
    tally.malformed("bill", len(page.malformed))
    for bill in page.items:
        standing = KINDS["bill"].standing(bill)
        if standing is Standing.UNKNOWN:
            tally.unknown("bill", " / ".join((bill.sync_status, bill.status)))
        tally.add("bill", _entity(bill.entity_id), _unless_ready(standing), bill.money)
        if bill.payment is not None or bill.status == "PAID":
            of_payment = _unless_ready(KINDS["bill_payment"].standing(bill))
            tally.add("bill_payment", _entity(bill.entity_id), of_payment, _paid(bill))


def _unless_ready(standing: Standing) -> str:
    """What the list of all bills can tell; which of the rest are ready, the other list says."""
    decided = {Standing.SYNCED, Standing.UNKNOWN}
    return _STATES[standing] if standing in decided else states.UNSYNCED


def _credits(tally: Tally, page: Page[Any]) -> None:
    tally.malformed("vendor_credit", len(page.malformed))
    for credit in page.items:
        tally.add("vendor_credit", _entity(credit.entity_id), states.UNTRACKED, credit.money)
        left = credit.remaining_amount
        if left is not None and left.amount:
            tally.add_beside(OPEN_CREDITS, left.money)


def add_flights(tally: Tally, bills: Sequence[Bill], flying: Collection[UUID]) -> None:
    """Count those of a page that the switch does not carry along."""
    for bill in bills:
        if bill.id in flying:
            tally.add_beside(IN_FLIGHT, bill.money)


READINGS: Sequence[Reading] = (
    Reading(
        "transaction",
        "Card transactions",
        lambda ramp, start: ramp.transactions(start=start),
        _simple("transaction"),
    ),
    Reading(
        "reimbursement",
        "Reimbursements",
        lambda ramp, start: ramp.reimbursements(start=start, direction="BUSINESS_TO_USER"),
        _simple("reimbursement"),
    ),
    Reading(
        "repayment",
        "What employees pay back",
        lambda ramp, start: ramp.reimbursements(start=start, direction="USER_TO_BUSINESS"),
        _simple("reimbursement"),
    ),
    Reading(
        "ready_bill",
        "Bills that are ready",
        lambda ramp, start: ramp.bills(start=start, sync_ready=True),
        _ready_bills,
    ),
    Reading("bill", "Bills", lambda ramp, start: ramp.bills(start=start), _all_bills),
    Reading(
        "transfer",
        "Transfers",
        lambda ramp, start: ramp.transfers(start=start),
        _simple("transfer"),
    ),
    Reading(
        "cashback",
        "Cashback",
        lambda ramp, start: ramp.cashbacks(start=start),
        _simple("cashback"),
    ),
    Reading(
        "vendor_credit",
        "Vendor credits",
        lambda ramp, start: ramp.vendor_credits(start=start, include_fully_used=True),
        _credits,
    ),
)


def _paid(bill: Bill) -> Money:
    """What this bill's own payment is: less the credits set off against it."""
    try:
        return owed(bill)
    except CreditsDoNotFit:
        return bill.money


def _entity(ramp_id: UUID | None) -> str:
    return str(ramp_id) if ramp_id else ""
