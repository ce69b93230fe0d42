import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import NOON


class TestMarkingReady:
    def test_makes_a_cleared_purchase_ready(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction()

        harbor.mark_ready(row.id)

        assert row.sync_status == "SYNC_READY"

    def test_is_possible_without_an_account(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(account_code=None, ready=True)

        assert row.sync_status == "SYNC_READY"

    def test_waits_until_the_purchase_has_cleared(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(state="PENDING")
        with pytest.raises(NotPossible, match="has not cleared"):
            harbor.mark_ready(row.id)

        harbor.clear(row.id)
        harbor.mark_ready(row.id)

        assert row.sync_status == "SYNC_READY"

    def test_is_not_for_what_is_synced(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(ready=True)
        harbor.press_export(row.id)

        with pytest.raises(NotPossible, match="synced already"):
            harbor.mark_ready(row.id)


class TestTakingBack:
    def test_makes_a_ready_purchase_unready(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(ready=True)

        harbor.take_back(row.id)

        assert row.sync_status == "NOT_SYNC_READY"

    def test_is_not_for_what_is_synced(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(ready=True)
        harbor.press_export(row.id)

        with pytest.raises(NotPossible):
            harbor.take_back(row.id)


class TestPressingExport:
    def test_syncs_everything_that_is_ready_and_says_so_in_the_ledger_only(
        self, harbor: BusinessHandle
    ) -> None:
        ready = [row.id for row in harbor.transactions("SYNC_READY")]

        exported = harbor.press_export()

        assert exported == ready
        entries = {entry["id"]: entry for entry in harbor.ledger()}
        assert {entries[row_id]["synced_by"] for row_id in ready} == {"export"}
        assert {entries[row_id]["reference_id"] for row_id in ready} == {None}


class TestEditing:
    def test_changes_what_was_named_and_nothing_else(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(account_code="6100", memo="Old", ready=True)

        harbor.edit(row.id, memo="New", accounting_date=NOON)

        assert (row.memo, row.accounting_date) == ("New", NOON)
        assert row.lines[0].account_code == "6100"
        assert row.sync_status == "SYNC_READY"

    def test_can_change_the_coding_and_the_amount(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(account_code="6100")

        harbor.edit(row.id, account_code="6400", minor=777)

        assert (row.minor, row.lines[0].minor, row.lines[0].account_code) == (777, 777, "6400")

    def test_is_over_once_synced(self, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(ready=True)
        harbor.press_export(row.id)

        with pytest.raises(NotPossible, match="locked"):
            harbor.edit(row.id, memo="Too late")


class TestSpending:
    def test_keeps_one_id_per_merchant(self, harbor: BusinessHandle) -> None:
        first = harbor.create_transaction(merchant="Uline")
        second = harbor.create_transaction(merchant="Uline")
        third = harbor.create_transaction(merchant="Probat")

        assert first.merchant_id == second.merchant_id != third.merchant_id

    def test_can_be_done_in_a_given_entity(self, sim: Simulator) -> None:
        northwind = sim.business("northwind-robotics")
        for entity in sim.world.entities.of("northwind-robotics"):
            row = northwind.create_transaction(entity_id=entity.id)
            assert row.entity_id == entity.id

    def test_needs_a_card(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="such a card"):
            harbor.create_transaction(entity_id="elsewhere")
