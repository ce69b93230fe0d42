"""Transfers, cashbacks and statements of the card's account."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.store import SqliteStore
from tests.connections.ramp_simulator.side import NOON, Client, ManualClock, code_of

EARLIER, LATER = NOON - timedelta(days=20), NOON - timedelta(days=2)


def ids(client: Client, path: str, **query: Any) -> list[str]:
    return [row["id"] for row in client.every_row(path, **query)]


class TestTransfers:
    def test_become_ready_by_themselves_once_they_are_completed(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transfer("1250.00", status="INITIATED")
        before = client.get(f"/transfers/{row.id}").json()

        harbor.move_transfer(row.id, "COMPLETED")

        after = client.get(f"/transfers/{row.id}").json()
        assert (before["status"], before["sync_status"]) == ("INITIATED", "NOT_SYNC_READY")
        assert (after["status"], after["sync_status"]) == ("COMPLETED", "SYNC_READY")
        assert after["amount"]["amount"] == 125_000

    @pytest.mark.parametrize(
        "status", ["CANCELED", "ERROR", "REJECTED_BY_ODFI", "SUBMITTED_TO_RDFI"]
    )
    def test_are_not_ready_in_other_states(self, harbor: BusinessHandle, status: str) -> None:
        assert harbor.create_transfer(status=status).sync_status == "NOT_SYNC_READY"

    def test_that_come_back_stay_what_they_were_for_the_erp(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        ready, synced = harbor.create_transfer(), harbor.create_transfer()
        client.report((synced.id, "T1"), sync_type="TRANSFER_SYNC")

        for row in (ready, synced):
            harbor.move_transfer(row.id, "RETURNED_BY_RDFI")

        assert (ready.sync_status, synced.sync_status) == ("SYNC_READY", "SYNCED")
        assert ids(client, "/transfers", status="RETURNED_BY_RDFI") == [ready.id, synced.id]

    def test_are_listed_by_filters(
        self, sim: Simulator, client: Client, harbor: BusinessHandle
    ) -> None:
        old = harbor.create_transfer(at=EARLIER)
        new = harbor.create_transfer(at=LATER, status="INITIATED")
        border = (NOON - timedelta(days=10)).isoformat()
        [entity] = sim.world.entities.of(harbor.key)

        assert ids(client, "/transfers", sync_status="SYNC_READY") == [old.id]
        assert ids(client, "/transfers", status="INITIATED") == [new.id]
        assert ids(client, "/transfers", from_date=border) == [new.id]
        assert ids(client, "/transfers", to_date=border) == [old.id]
        assert ids(client, "/transfers", entity_id=entity.id) == [old.id, new.id]
        assert ids(client, "/transfers", entity_id=str(uuid4())) == []

    def test_know_which_are_without_a_report(self, client: Client, harbor: BusinessHandle) -> None:
        told, untold = harbor.create_transfer(), harbor.create_transfer()
        failed = [{"id": told.id, "error": {"message": "No bank account."}}]
        client.report(failed_syncs=failed, sync_type="TRANSFER_SYNC")

        assert ids(client, "/transfers", has_no_sync_commits="true") == [untold.id]
        assert told.export_error == "No bank account."

    def test_have_no_filter_sync_ready_so_it_finds_everything(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        rows = [harbor.create_transfer(status=status).id for status in ("COMPLETED", "ERROR")]

        assert ids(client, "/transfers", sync_ready="true") == rows

    def test_need_a_status_that_ramp_knows(self, harbor: BusinessHandle) -> None:
        with pytest.raises(NotPossible, match="COMPLETED"):
            harbor.create_transfer(status="LOST")


class TestCashbacks:
    def test_are_ready_at_once(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_cashback("18.75")

        [shown] = client.every_row("/cashbacks", sync_status="SYNC_READY")

        assert (shown["id"], shown["amount"]["amount"]) == (row.id, 1875)
        assert client.get(f"/cashbacks/{row.id}").json() == shown

    def test_have_no_decimals_where_the_money_has_none(self, sim: Simulator) -> None:
        row = sim.business("sakura-foods").create_cashback(1875)

        assert row.minor == 1875

    def test_are_listed_by_filters(self, client: Client, harbor: BusinessHandle) -> None:
        old, new = harbor.create_cashback(at=EARLIER), harbor.create_cashback(at=LATER)
        client.report((old.id, "C1"), sync_type="STATEMENT_CREDIT_SYNC")
        border = (NOON - timedelta(days=10)).isoformat()

        assert ids(client, "/cashbacks", sync_ready="true") == [new.id]
        assert ids(client, "/cashbacks", sync_ready="false") == [old.id]
        assert ids(client, "/cashbacks", from_date=border) == [new.id]
        assert ids(client, "/cashbacks", to_date=border) == [old.id]
        assert ids(client, "/cashbacks", entity_id=str(uuid4())) == []


class TestReports:
    @pytest.mark.parametrize(
        ("object_type", "sync_type"),
        [("transfer", "TRANSFER_SYNC"), ("cashback", "STATEMENT_CREDIT_SYNC")],
    )
    def test_sync_it_and_stand_in_the_ledger(
        self, client: Client, harbor: BusinessHandle, object_type: str, sync_type: str
    ) -> None:
        row = getattr(harbor, f"create_{object_type}")(minor=4200)

        other = code_of(client.report((row.id, "X1"), key="k0"))
        answer = client.report((row.id, "X1"), key="k1", sync_type=sync_type)

        assert (other, answer.status_code) == ("DEVELOPER_7062", 201)
        [entry] = [one for one in harbor.ledger() if one["object_type"] == object_type]
        assert (entry["id"], entry["sync_status"]) == (row.id, "SYNCED")
        assert (entry["reference"], entry["by_us"], entry["amount"]) == ("X1", True, 4200)

    def test_of_a_transfer_under_way_are_refused(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transfer(status="INITIATED")

        answer = client.report((row.id, "T1"), sync_type="TRANSFER_SYNC")

        assert code_of(answer) == "DEVELOPER_7062"
        assert row.id in answer.json()["error_v2"]["message"]


class TestStatements:
    @pytest.fixture
    def empty(self, clock: ManualClock) -> Simulator:
        return Simulator.with_scenario("empty", rate_limit=False, clock=clock)

    def test_add_up_by_entity_with_a_line_for_each_movement(self, empty: Simulator) -> None:
        northwind = empty.business("northwind-robotics")
        first, second = empty.world.entities.of(northwind.key)
        bought = northwind.create_transaction(minor=10_000, entity_id=first.id, at=EARLIER)
        refund = northwind.create_transaction(minor=-1_000, entity_id=first.id, at=EARLIER)
        elsewhere = northwind.create_transaction(minor=700, entity_id=second.id, at=EARLIER)
        pending = northwind.create_transaction(state="PENDING", entity_id=first.id, at=EARLIER)
        cashback = northwind.create_cashback(minor=150, entity_id=first.id, at=EARLIER)
        paid = northwind.create_transfer(minor=5_000, entity_id=first.id, at=EARLIER)
        northwind.create_transfer(minor=9, status="ERROR", entity_id=first.id, at=EARLIER)

        made = northwind.create_statement(opening={first.id: 5_000})

        client = Client(empty, northwind)
        shown = client.get(f"/statements/{made.id}").json()
        one, other = shown["balance_sections"]
        names = ("opening_balance", "charges", "credits", "payments", "ending_balance")
        assert [one[name]["amount"] for name in names] == [5_000, 10_000, 1_150, 5_000, 8_850]
        assert [other[name]["amount"] for name in names] == [0, 700, 0, 0, 700]
        assert shown["ending_balance"]["amount"] == 9_550
        assert {(line["id"], line["type"]) for line in shown["statement_lines"]} == {
            (bought.id, "CARD_TRANSACTION"),
            (refund.id, "CARD_TRANSACTION"),
            (elsewhere.id, "CARD_TRANSACTION"),
            (cashback.id, "CASHBACK"),
            (paid.id, "TRANSFER_PAYMENT"),
        }
        assert pending.statement_id is None

    def test_leave_out_what_was_before_they_begin(self, empty: Simulator) -> None:
        harbor = empty.business("harbor-coffee")
        harbor.create_transaction(at=EARLIER)
        later = harbor.create_transaction(at=LATER)

        statement = harbor.create_statement(begin=LATER)

        assert [line.id for line in statement.lines] == [later.id]

    def test_go_on_where_the_last_one_ended(
        self, client: Client, harbor: BusinessHandle, clock: ManualClock
    ) -> None:
        first = harbor.create_statement()
        clock.turn(days=5)
        harbor.create_transaction(minor=4_200, at=clock.now - timedelta(days=1))

        second = harbor.create_statement()

        shown = client.get(f"/statements/{second.id}").json()
        [section] = shown["balance_sections"]
        assert shown["preceding_statement_id"] == first.id
        assert shown["start_date"] == client.get(f"/statements/{first.id}").json()["end_date"]
        assert section["opening_balance"]["amount"] == first.sections[0].ending
        assert section["charges"]["amount"] == 4_200

    def test_take_what_cleared_too_late_for_the_last_one(self, empty: Simulator) -> None:
        harbor = empty.business("harbor-coffee")
        late = harbor.create_transaction(state="PENDING", at=EARLIER)
        under_way = harbor.create_transfer(status="INITIATED", at=EARLIER)
        on_time = harbor.create_transaction(at=EARLIER)
        first = harbor.create_statement(end=LATER)
        harbor.clear(late.id)
        harbor.move_transfer(under_way.id, "COMPLETED")

        second = harbor.create_statement()

        assert [line.id for line in first.lines] == [on_time.id]
        assert [line.id for line in second.lines] == [late.id, under_way.id]

    def test_of_one_entity_leave_what_the_others_owe(self, empty: Simulator) -> None:
        northwind = empty.business("northwind-robotics")
        first, second = empty.world.entities.of(northwind.key)
        northwind.create_transaction(minor=500, entity_id=first.id, at=EARLIER)
        northwind.create_statement(end=LATER)
        northwind.create_statement(entity_ids=[second.id], end=NOON - timedelta(days=1))

        last = northwind.create_statement()

        assert [section.opening for section in last.sections] == [500, 0]

    def test_are_listed_by_when_they_end(self, client: Client, harbor: BusinessHandle) -> None:
        old = harbor.create_statement(end=EARLIER)
        new = harbor.create_statement(end=LATER)
        border = (NOON - timedelta(days=10)).isoformat()

        assert ids(client, "/statements") == [old.id, new.id]
        assert ids(client, "/statements", from_date=border) == [new.id]
        assert ids(client, "/statements", to_date=border) == [old.id]

    def test_are_named_by_what_stands_on_them(self, client: Client, harbor: BusinessHandle) -> None:
        [cashback, transfer] = harbor.create_cashback(at=LATER), harbor.create_transfer(at=LATER)
        statement = harbor.create_statement()
        harbor.create_transfer()
        bought = [row.id for row in harbor.transactions() if row.state == "CLEARED"]

        assert ids(client, "/cashbacks", statement_id=statement.id) == [cashback.id]
        assert ids(client, "/transfers", statement_id=statement.id) == [transfer.id]
        assert ids(client, "/transactions", statement_id=statement.id) == bought
        assert ids(client, "/transactions", has_statement="true") == bought
        assert not set(ids(client, "/transactions", has_statement="false")) & set(bought)
        assert client.get(f"/transactions/{bought[0]}").json()["statement_id"] == statement.id

    def test_can_be_of_one_entity_only(self, sim: Simulator) -> None:
        northwind = sim.business("northwind-robotics")
        _, second = sim.world.entities.of(northwind.key)

        statement = northwind.create_statement(entity_ids=[second.id])

        lines = {line.id for line in statement.lines}
        rows = [row for row in northwind.transactions() if row.id in lines]
        assert [section.entity_id for section in statement.sections] == [second.id]
        assert {row.entity_id for row in rows} == {second.id}

    def test_outlive_the_process_with_everything_on_them(
        self, clock: ManualClock, tmp_path: Path
    ) -> None:
        def reopen() -> Simulator:
            store = SqliteStore(tmp_path / "ramp.sqlite")
            return Simulator.with_scenario("empty", store=store, clock=clock)

        sim = reopen()
        harbor = sim.business("harbor-coffee")
        rows = [
            harbor.create_reimbursement(original=(80, "EUR"), ready=True),
            harbor.create_transfer(at=EARLIER),
            harbor.create_cashback(at=EARLIER),
            harbor.create_statement(),
        ]
        sim.close()

        again = reopen()
        kept = again.business("harbor-coffee")
        assert [
            *kept.reimbursements("SYNC_READY"),
            *kept.transfers("SYNC_READY"),
            *kept.cashbacks("SYNC_READY"),
            *kept.statements(),
        ] == rows
        again.close()


@pytest.mark.parametrize("path", ["/cashbacks", "/reimbursements", "/statements", "/transfers"])
class TestEveryOneOfThem:
    def test_needs_its_scope(self, client: Client, path: str) -> None:
        client.sign_in("accounting:read")

        assert code_of(client.get(path)) == "DEVELOPER_7100"

    def test_is_not_found_by_an_id_of_nothing(self, client: Client, path: str) -> None:
        assert client.get(f"{path}/{uuid4()}").status_code == 404
