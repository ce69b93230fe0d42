"""Files on documents: what every ERP adapter that takes them keeps to."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.port import ErpAdapter
from connections.erp.records import DocKind, Document, Evidence, Idempotency
from tests.contract.erp_sides import Papers, Side

PICTURE = Evidence("0a0ed428-0250-4993-96ad-94cd77bc86b6", "receipt.png", "image/png", b"\x89PNG\0")


def booked(erp: ErpAdapter, papers: Papers, kind: DocKind) -> Document:
    match kind:
        case DocKind.JOURNAL:
            doc = papers.journal()
        case DocKind.BILL:
            doc = papers.bill()
        case DocKind.VENDOR_CREDIT:
            doc = papers.credit()
        case DocKind.BILL_PAYMENT:
            bill = papers.bill("110.00")
            erp.post(bill)
            doc = papers.payment(bill, "60.00")
    erp.post(doc)
    return doc


@pytest.mark.parametrize("kind", list(DocKind))
def test_a_file_is_attached_once_to_each_kind_of_document(
    erp: ErpAdapter, papers: Papers, side: Side, kind: DocKind
) -> None:
    doc = booked(erp, papers, kind)

    first = erp.attach(doc.ref, PICTURE)
    second = erp.attach(doc.ref, PICTURE)

    assert first == second
    ((name, content),) = side.files(doc.ref)
    assert content == PICTURE.content
    assert name.startswith("receipt")
    assert name.endswith(".png")


def test_the_document_stays_one_and_as_it_was(erp: ErpAdapter, papers: Papers, side: Side) -> None:
    doc = booked(erp, papers, DocKind.JOURNAL)
    before = erp.find(doc.ref)

    erp.attach(doc.ref, PICTURE)

    assert erp.find(doc.ref) == before
    assert side.count(doc.ref) == 1


def test_files_of_other_sources_and_documents_are_others(
    erp: ErpAdapter, papers: Papers, side: Side
) -> None:
    one, other = (booked(erp, papers, DocKind.JOURNAL) for _ in range(2))

    ids = {
        erp.attach(one.ref, PICTURE),
        erp.attach(one.ref, replace(PICTURE, source="another")),
        erp.attach(other.ref, PICTURE),
    }

    assert len(ids) == 3
    assert [len(side.files(doc.ref)) for doc in (one, other)] == [2, 1]


def test_a_file_whose_answer_was_lost_is_attached_once(
    erp: ErpAdapter, papers: Papers, side: Side
) -> None:
    doc = booked(erp, papers, DocKind.JOURNAL)
    side.lose_next_attach_answer()

    with pytest.raises(ErpError) as lost:
        erp.attach(doc.ref, PICTURE)
    erp.attach(doc.ref, PICTURE)

    assert lost.value.outcome is Outcome.UNKNOWN
    assert len(side.files(doc.ref)) == 1


def test_twins_at_the_same_moment_are_attached_once(
    erp: ErpAdapter, papers: Papers, side: Side
) -> None:
    if erp.capabilities().idempotency != Idempotency.UNIQUE_KEY:
        pytest.skip("needs a key that the ERP enforces")
    doc = booked(erp, papers, DocKind.JOURNAL)

    with ThreadPoolExecutor(max_workers=4) as pool:
        ids = set(pool.map(lambda file: erp.attach(doc.ref, file), [PICTURE] * 4))

    assert len(ids) == 1
    assert len(side.files(doc.ref)) == 1


def test_names_with_slashes_breaks_and_no_ending_are_taken(
    erp: ErpAdapter, papers: Papers, side: Side
) -> None:
    doc = booked(erp, papers, DocKind.JOURNAL)

    erp.attach(doc.ref, replace(PICTURE, name="a/b\nc"))

    assert len(side.files(doc.ref)) == 1


def test_a_document_that_is_not_there_takes_no_file(erp: ErpAdapter, papers: Papers) -> None:
    with pytest.raises(ErpError) as refused:
        erp.attach(papers.ref(DocKind.JOURNAL), PICTURE)

    assert refused.value.code is Code.REJECTED_PAYLOAD
    assert refused.value.outcome is Outcome.NOT_POSTED


def test_says_how_large_a_file_may_be(erp: ErpAdapter) -> None:
    capabilities = erp.capabilities()

    assert capabilities.attachments
    assert capabilities.largest_attachment >= 1024 * 1024
