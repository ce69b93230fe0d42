"""What must be true of each bill: it is paid once, and its expense stands once."""

from decimal import Decimal

from connections.erp.adapters.in_memory_books import Entry
from connections.erp.records import DocKind
from connections.ramp_simulator.bill_records import Bill
from syncing.models import SyncItem
from tests.simulation.expected import is_by_card, owed
from tests.simulation.findings import Company, Findings


def check(company: Company, found: Findings) -> None:
    """Compare what the ledger has been paid of each bill with what was owed."""
    paid = _paid(company)
    for bill in company.business.bills():
        item = company.items.get(("bill", bill.id))
        if item is None or not item.erp_id:
            continue
        own = Decimal(owed(bill)).scaleb(-item.exponent)
        if paid.get(bill.id, Decimal(0)) > own:
            found.doubled.append(f"{paid[bill.id]} is paid of bill {bill.id} over {own}")
        if bill.status == "PAID" and is_by_card(company.business, bill):
            _check_cards(company, bill, found)
        elif _is_through(company, "bill_payment", bill.id) and paid.get(bill.id, 0) != own:
            found.lost.append(f"{paid.get(bill.id)} is paid of bill {bill.id} over {own}")


def _paid(company: Company) -> dict[str, Decimal]:
    """What the ledger's payments make of each bill."""
    paid: dict[str, Decimal] = {}
    for entries in company.booked.values():
        for entry in entries:
            for line in entry.doc.lines if entry.doc.kind is DocKind.BILL_PAYMENT else ():
                bill = line.applies_to.ramp_id if line.applies_to else line.applies_to_id
                paid[bill] = paid.get(bill, Decimal(0)) + line.amount
    return paid


def _check_cards(company: Company, bill: Bill, found: Findings) -> None:
    """The card's transaction settles the bill, or is held up to people (ADR 0020)."""
    payment = company.business.bill_payment(bill.id)
    for card in payment.transaction_ids if payment else ():
        item = company.items.get(("transaction", card))
        if item is None:
            continue
        for entry in company.documents(card, DocKind.JOURNAL):
            if entry.doc.kind is DocKind.JOURNAL:
                _check_is_told(item, bill, found)
                continue
            found.types["settled by card"] += 1
            if not _settles(entry, bill):
                found.lost.append(f"{entry.number} of card {card} does not settle {bill.id}")


def _check_is_told(card: SyncItem, bill: Bill, found: Findings) -> None:
    """Whatever keeps it from being through is told first; the night after, this is."""
    found.types["expense twice"] += 1
    if card.state == "ACKED":
        found.unexplained.append(
            f"{card.ramp_id} is an expense beside the bill {bill.id} it pays, and nobody is told"
        )


def _settles(entry: Entry, bill: Bill) -> bool:
    own = Decimal(owed(bill)).scaleb(-2)
    return any(
        line.applies_to is not None and line.applies_to.ramp_id == bill.id and line.amount == own
        for line in entry.doc.lines
    )


def _is_through(company: Company, object_type: str, ramp_id: str) -> bool:
    item = company.items.get((object_type, ramp_id))
    return item is not None and item.state == "ACKED"
