"""Our reference survives every ERP: what exactly-once rests on wherever the ERP only searches."""

import uuid
from collections.abc import Sequence
from dataclasses import replace

import pytest

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.errors import ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import DocKind, Document, Idempotency, Posted, Ref
from syncing.engine import SHORTEST_REFERENCE
from tests.contract.erp_sides import LedgerSide, Papers

LONGEST = max(DocKind, key=len)


def keeps_references_apart(erp: ErpAdapter, papers: Papers) -> bool:
    """Write two that differ in their last character only, search for each, compare."""
    tenant, one = str(uuid.uuid4()), str(uuid.uuid4())[:-1]
    first, second = (Ref(tenant, DocKind.JOURNAL, f"{one}{last}") for last in "ab")
    booked = erp.post(replace(papers.journal("1.00"), ref=first))
    if erp.find(second) is not None:
        return False
    found = erp.find(first)
    return found is not None and (found.ref, found.erp_id) == (booked.ref, booked.erp_id)


class TestEveryAdapter:
    @pytest.mark.matrix("X18")
    def test_keeps_our_reference_to_the_letter(self, erp: ErpAdapter, papers: Papers) -> None:
        assert keeps_references_apart(erp, papers)

    @pytest.mark.matrix("X18")
    def test_has_room_for_a_reference_that_is_unique(self, erp: ErpAdapter) -> None:
        limit = erp.capabilities().ref_limit

        assert limit >= SHORTEST_REFERENCE
        longest = Ref(str(uuid.uuid4()), LONGEST, str(uuid.uuid4()))
        assert len(longest.short(limit)) <= limit


class _Cutting(InMemoryErp):
    """Cuts what is too long for its field, and says nothing of it."""

    def find(self, ref: Ref) -> Posted | None:
        return super().find(_cut(ref))

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        return super().post_many([replace(doc, ref=_cut(doc.ref)) for doc in docs])

    def post(self, doc: Document) -> Posted:
        return super().post(replace(doc, ref=_cut(doc.ref)))


def _cut(ref: Ref) -> Ref:
    return replace(ref, ramp_id=ref.ramp_id[:20])


@pytest.mark.matrix("X18")
def test_an_erp_that_cuts_it_is_found_out() -> None:
    side = LedgerSide(Idempotency.LOOKUP)

    assert keeps_references_apart(side.adapter, Papers(side))
    assert not keeps_references_apart(_Cutting(idempotency=Idempotency.LOOKUP), Papers(side))
