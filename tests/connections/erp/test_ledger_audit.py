from dataclasses import replace
from decimal import Decimal

from connections.erp.ledger_audit import LedgerEntry, audit
from connections.erp.records import State

ENTRY = LedgerEntry("a", "1", "2026-1", State.POSTED, Decimal("5.00"), Decimal("5.00"))


class TestAudit:
    def test_is_clean_when_all_is_there_once(self) -> None:
        assert audit(["a"], [ENTRY]).is_clean

    def test_finds_what_is_missing(self) -> None:
        assert audit(["a", "b"], [ENTRY]).missing == ["b"]

    def test_does_not_take_a_draft_for_posted(self) -> None:
        assert audit(["a"], [replace(ENTRY, state=State.DRAFT)]).missing == ["a"]

    def test_finds_what_is_there_twice(self) -> None:
        assert audit(["a"], [ENTRY, replace(ENTRY, erp_id="2")]).doubled == ["a"]

    def test_finds_what_does_not_balance(self) -> None:
        assert audit(["a"], [replace(ENTRY, credit=Decimal("4.99"))]).unbalanced == ["1"]

    def test_finds_what_nobody_can_explain(self) -> None:
        stranger = replace(ENTRY, ref="", erp_id="7")

        assert audit(["a"], [ENTRY, stranger]).unexplained == ["7"]

    def test_explains_a_reversal_by_what_it_takes_back(self) -> None:
        reversal = replace(ENTRY, ref="", erp_id="7", reverses="a")

        assert audit(["a"], [ENTRY, reversal]).is_clean
