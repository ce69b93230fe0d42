"""What every ERP tells of the documents that it holds: the ground that verification stands on."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from connections.erp.ledger_audit import AuditableErp, LedgerEntry
from connections.erp.port import ErpAdapter
from connections.erp.records import Document, Idempotency
from tests.contract.erp_sides import Papers, Side


def entry_of(erp: ErpAdapter, document: Document) -> LedgerEntry:
    """The one entry under a document's reference."""
    assert isinstance(erp, AuditableErp)
    (entry,) = [
        one for one in erp.ledger_entries(document.ref.full) if one.ref == document.ref.full
    ]
    return entry


@pytest.mark.parametrize("kind", ["journal", "bill", "credit"])
def test_a_document_is_told_by_the_number_that_people_use(
    erp: ErpAdapter, papers: Papers, kind: str
) -> None:
    document = getattr(papers, kind)("12.34")
    posted = erp.post(document)

    entry = entry_of(erp, document)

    assert (entry.number, entry.erp_id) == (posted.number, posted.erp_id)
    assert entry.debit == entry.credit == Decimal("12.34")
    assert (entry.total, entry.currency) == (Decimal("12.34"), "USD")


def test_a_purchase_with_a_part_returned_is_over_what_is_left(
    erp: ErpAdapter, papers: Papers
) -> None:
    spent, owed = papers.journal("12.34").lines
    lines = [replace(spent, amount=Decimal("15.00")), replace(spent, amount=Decimal("-2.66")), owed]
    document = replace(papers.journal("12.34"), lines=lines)
    erp.post(document)

    entry = entry_of(erp, document)

    assert entry.total == Decimal("15.00")
    assert entry.is_over(Decimal("12.34"))
    assert not entry.is_over(Decimal("17.66"))


def test_a_payment_is_an_entry_beside_its_bill(erp: ErpAdapter, papers: Papers) -> None:
    bill = papers.bill("110.00")
    erp.post(bill)
    payment = papers.payment(bill, "40.00")
    posted = erp.post(payment)

    entry = entry_of(erp, payment)

    assert (entry.number, entry.total) == (posted.number, Decimal("40.00"))
    assert entry_of(erp, bill).total == Decimal("110.00")


def test_documents_are_found_by_their_references_and_no_others(
    erp: ErpAdapter, papers: Papers
) -> None:
    mine, bill, other = papers.journal("5.00"), papers.bill("7.00"), papers.journal("9.00")
    for document in (mine, bill, other):
        erp.post(document)

    assert isinstance(erp, AuditableErp)
    found = erp.entries_under([mine.ref.full, bill.ref.full, "ramp-nobody-journal-1"])

    assert {one.ref: one.total for one in found} == {
        mine.ref.full: Decimal("5.00"),
        bill.ref.full: Decimal("7.00"),
    }
    assert erp.entries_under([]) == []


@pytest.mark.parametrize("kind", ["journal", "bill"])
def test_a_voided_document_has_an_entry_that_takes_it_back(
    erp: ErpAdapter, papers: Papers, side: Side, kind: str
) -> None:
    if kind == "bill" and erp.capabilities().idempotency is not Idempotency.UNIQUE_KEY:
        pytest.skip("Only an ERP with our add-on takes bills back for us.")
    document = getattr(papers, kind)()
    erp.post(document)
    erp.void(document.ref, side.today, "booked by mistake")

    assert isinstance(erp, AuditableErp)
    for entries in (
        erp.ledger_entries(document.ref.full),
        erp.entries_under([document.ref.full]),
    ):
        assert [one.ref for one in entries].count(document.ref.full) == 1
        assert [one.reverses for one in entries].count(document.ref.full) == 1


def test_what_was_entered_before_may_be_left_out(erp: ErpAdapter, papers: Papers) -> None:
    document = papers.journal()
    erp.post(document)

    assert isinstance(erp, AuditableErp)
    lately = erp.ledger_entries(document.ref.full, since=datetime.now(UTC) - timedelta(hours=1))

    assert document.ref.full in [one.ref for one in lately]
