from dataclasses import replace
from decimal import Decimal

from connections.erp.ledger_audit import LedgerEntry
from connections.erp.records import State
from rampbridge.lib.money import Money
from syncing.verification import Differences, OurItem, RampRow, compare

MONEY = Money(1234, "USD", 2)
RAMP = RampRow("transaction", "t1", "SYNCED", "42", by_us=True, money=MONEY)
OURS = OurItem("transaction", "t1", "ramp-b-journal-t1", "ACKED", "42", MONEY)
ENTRY = LedgerEntry(
    "ramp-b-journal-t1", "7", "42", State.POSTED, debit=Decimal("12.34"), credit=Decimal("12.34")
)


def differences(
    ramp: RampRow | None = RAMP, ours: OurItem | None = OURS, *erp: LedgerEntry
) -> Differences:
    items = {(ours.object_type, ours.ramp_id): ours} if ours else {}
    return compare([ramp] if ramp else [], items, erp, items)


class TestCompare:
    def test_finds_nothing_where_all_three_agree(self) -> None:
        assert differences(RAMP, OURS, ENTRY).is_clean

    def test_misses_a_document_that_the_erp_does_not_hold(self) -> None:
        assert differences(RAMP, OURS).counts()["missing"] == 1

    def test_misses_what_is_ready_in_ramp_and_unknown_to_us(self) -> None:
        ready = replace(RAMP, sync_status="SYNC_READY", reference="", by_us=False)

        assert differences(ready, None).counts()["missing"] == 1

    def test_misses_a_document_for_what_ramp_calls_synced_by_us(self) -> None:
        failed = replace(OURS, state="FAILED", number="")

        assert differences(RAMP, failed).counts()["missing"] == 1

    def test_counts_a_reference_that_two_documents_carry(self) -> None:
        twin = replace(ENTRY, erp_id="8", number="43")

        assert differences(RAMP, OURS, ENTRY, twin).counts()["doubled"] == 1

    def test_counts_a_document_whose_sides_differ(self) -> None:
        crooked = replace(ENTRY, credit=Decimal("12.33"))

        assert differences(RAMP, OURS, crooked).counts()["unbalanced"] == 1

    def test_counts_a_document_over_another_amount(self) -> None:
        other = replace(ENTRY, debit=Decimal("12.35"), credit=Decimal("12.35"))

        assert differences(RAMP, OURS, other).counts()["unbalanced"] == 1

    def test_takes_a_refund_for_what_it_is(self) -> None:
        back = Money(-1234, "USD", 2)

        assert differences(replace(RAMP, money=back), replace(OURS, money=back), ENTRY).is_clean

    def test_cannot_explain_a_document_of_an_item_that_claims_none(self) -> None:
        ready = replace(RAMP, sync_status="SYNC_READY", reference="", by_us=False)
        waiting = replace(OURS, state="READY", number="")

        assert differences(ready, waiting, ENTRY).counts()["unexplained"] == 1

    def test_explains_a_document_of_an_item_that_is_being_posted(self) -> None:
        ready = replace(RAMP, sync_status="SYNC_READY", reference="", by_us=False)
        posting = replace(OURS, state="POSTING", number="")

        assert differences(ready, posting, ENTRY).is_clean

    def test_cannot_explain_a_number_that_ramp_was_not_told(self) -> None:
        assert differences(replace(RAMP, reference="41"), OURS, ENTRY).counts()["unexplained"] == 1

    def test_leaves_drafts_and_exports_alone(self) -> None:
        exported = replace(RAMP, reference="", by_us=False)
        external = replace(OURS, state="EXTERNAL", number="")
        draft = replace(ENTRY, state=State.DRAFT)

        assert differences(exported, external, draft).is_clean

    def test_tells_a_bill_from_its_payment_though_they_share_an_id(self) -> None:
        bill = replace(RAMP, object_type="bill")
        payment = replace(bill, object_type="bill_payment", sync_status="SYNC_READY", by_us=False)
        ours = replace(OURS, object_type="bill")

        found = compare([bill, payment], {("bill", "t1"): ours}, [ENTRY], {("bill", "t1"): ours})

        assert found.missing == ["bill_payment t1 is ready in Ramp and unknown to us"]

    def test_asks_for_no_document_of_what_another_one_books(self) -> None:
        assert differences(RAMP, replace(OURS, ref="")).is_clean

    def test_compares_a_foreign_document_in_its_own_currency(self) -> None:
        foreign = replace(ENTRY, debit=Decimal("11.00"), credit=Decimal("11.00"))

        assert differences(RAMP, OURS, foreign).counts()["unbalanced"] == 1
        assert differences(RAMP, OURS, replace(foreign, total=Decimal("12.34"))).is_clean
