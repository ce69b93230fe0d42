"""Documents are found by number and by looks, for people who decide. Live against Tryton too."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from connections.erp.port import ErpAdapter
from connections.erp.records import DocKind, Document, Posted, State
from connections.erp.search import FoundDocument, Likeness, SearchableErp
from tests.contract.erp_sides import Papers
from tests.contract.test_erp_adapters import TOTALS, one_of


def searchable(erp: ErpAdapter) -> SearchableErp:
    assert isinstance(erp, SearchableErp)
    return erp


def like(doc: Document, amount: Decimal, *, days: int = 3) -> Likeness:
    return Likeness(
        kind=doc.kind,
        amount=amount,
        currency=doc.currency,
        around=doc.posting_date + timedelta(days=days),
        within=timedelta(days=3),
        party_id=doc.party,
    )


def the_one(found: list[FoundDocument], posted: Posted) -> FoundDocument:
    (one,) = [one for one in found if one.erp_id == posted.erp_id]
    return one


@pytest.mark.parametrize("kind", list(DocKind))
class TestEachKindOfDocument:
    def test_is_found_by_its_number_and_by_its_id(
        self, erp: ErpAdapter, papers: Papers, kind: DocKind
    ) -> None:
        doc = one_of(kind, erp, papers)
        posted = erp.post(doc)

        by_number = searchable(erp).documents_numbered(kind, posted.number)
        by_id = searchable(erp).documents_numbered(kind, posted.erp_id)

        one = the_one(list(by_number), posted)
        assert the_one(list(by_id), posted) == one
        assert (one.number, one.total, one.currency) == (posted.number, TOTALS[kind], doc.currency)
        assert (one.posting_date, one.state) == (doc.posting_date, State.POSTED)
        assert one.ref == doc.ref.full
        assert (one.kind, one.url) == (kind, posted.url)
        if kind is not DocKind.JOURNAL:
            assert one.party_id == doc.party
            assert one.party

    def test_is_found_by_what_it_looks_like(
        self, erp: ErpAdapter, papers: Papers, kind: DocKind
    ) -> None:
        doc = one_of(kind, erp, papers)
        posted = erp.post(doc)
        amount = TOTALS[kind]

        found = searchable(erp).documents_like(like(doc, amount))
        too_late = searchable(erp).documents_like(like(doc, amount, days=4))
        too_much = searchable(erp).documents_like(like(doc, amount + 1))

        assert the_one(list(found), posted).total == amount
        assert posted.erp_id not in [one.erp_id for one in [*too_late, *too_much]]


def test_a_bill_is_found_by_its_suppliers_number_whatever_it_is_over(
    erp: ErpAdapter, papers: Papers
) -> None:
    doc = papers.bill()
    posted = erp.post(doc)

    by_number = searchable(erp).documents_numbered(DocKind.BILL, doc.number)
    other = Likeness(
        DocKind.BILL, Decimal("999999.00"), doc.currency, doc.posting_date, timedelta(days=3),
        doc.party, doc.number,
    )  # fmt: skip

    assert the_one(list(by_number), posted).supplier_number == doc.number
    assert the_one(list(searchable(erp).documents_like(other)), posted).total == TOTALS[doc.kind]


def test_a_number_that_nobody_has_finds_nothing(erp: ErpAdapter) -> None:
    for number in ("NO-SUCH-NUMBER", "", "   ", "99999999999999999999"):
        assert not searchable(erp).documents_numbered(DocKind.JOURNAL, number)
