from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from connections.erp.ledger_audit import LedgerEntry
from connections.erp.records import State
from rampbridge.lib.money import Money
from syncing.reconcile import Differences, OurItem, RampRow, compare

MONEY = Money(1234, "USD", 2)
RAMP = RampRow("t1", "SYNCED", "42", by_us=True, money=MONEY)
OURS = OurItem("t1", "ramp-b-journal-t1", "ACKED", "42", MONEY)
ENTRY = LedgerEntry(
    "ramp-b-journal-t1", "7", "42", State.POSTED, debit=Decimal("12.34"), credit=Decimal("12.34")
)


def differences(
    ramp: RampRow | None = RAMP, ours: OurItem | None = OURS, *erp: LedgerEntry
) -> Differences:
    items: Mapping[str, OurItem] = {ours.ramp_id: ours} if ours else {}
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
