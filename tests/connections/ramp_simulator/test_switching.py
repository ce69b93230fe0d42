"""A connection beside the active one is prepared, marked ready, and switched to."""

from typing import Any

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.direct import CLASS, CLASSES
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.people import NotPossible
from tests.connections.ramp_simulator.side import ACCOUNTS, DEPARTMENTS, Client, code_of

ENGINEERING = CLASSES[0][0]
MAPPED: dict[str, dict[str, str]] = {"fields": {"qbo-class": "dep"}}


@pytest.fixture
def business(sim: Simulator) -> BusinessHandle:
    """Its seat is held by a provider that Ramp runs itself."""
    business = sim.business("harbor-coffee")
    business.connect_provider(vendors=("Uline",))
    return business


@pytest.fixture
def client(sim: Simulator, business: BusinessHandle) -> Client:
    return Client(sim, business)


@pytest.fixture
def new(client: Client) -> str:
    """The id of ours, with its chart, not active yet."""
    ours = create(client)
    named = {"accounting_connection_id": ours}
    client.post("/accounting/accounts", {"gl_accounts": ACCOUNTS, **named})
    client.post("/accounting/vendors", {"vendors": [{"id": "71", "name": "Uline"}], **named})
    field = {"id": "dep", "name": "Department", "input_type": "SINGLE_CHOICE"}
    made = client.post("/accounting/fields", field | {"is_splittable": True, **named}).json()
    options = [{"id": one["id"], "value": one["name"], "code": one["code"]} for one in DEPARTMENTS]
    client.post(
        "/accounting/field-options", {"field_id": made["ramp_id"], "options": options, **named}
    )
    return ours


def create(client: Client, name: str = "rampbridge") -> str:
    body = {"remote_provider_name": name, "is_active": False}
    return str(client.post("/accounting/connection", body).json()["id"])


def mark(client: Client, connection_id: str) -> Any:
    return client.post(f"/accounting/connection/{connection_id}/ready-to-migrate", {})


def codings(client: Client, row_id: str) -> set[str]:
    """What is shown of a transaction's only line, by the ERP's ids."""
    [line] = client.get(f"/transactions/{row_id}").json()["line_items"]
    return {one["external_id"] for one in line["accounting_field_selections"]}


class TestMarkingReady:
    def test_offers_an_inactive_connection(self, client: Client, new: str) -> None:
        answer = mark(client, new)

        assert answer.status_code == 200
        assert answer.json()["is_ready_to_migrate"] is True
        assert client.get(f"/accounting/connection/{new}").json()["is_active"] is False

    def test_refuses_the_connection_that_is_active(
        self, client: Client, business: BusinessHandle
    ) -> None:
        assert business.connection

        answer = mark(client, business.connection.id)

        assert answer.status_code == 400
        assert "Only an inactive API connection" in answer.text

    def test_refuses_where_there_is_nothing_to_leave(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        business.disconnect()

        assert "no other active accounting connection" in mark(client, new).text

    def test_refuses_to_mark_twice(self, client: Client, new: str) -> None:
        mark(client, new)

        assert "already marked" in mark(client, new).text

    def test_refuses_beside_another_migration(self, client: Client, new: str) -> None:
        mark(client, create(client, "OtherBridge"))

        answer = mark(client, new)

        assert code_of(answer) == "DEVELOPER_7001"
        assert "Another migration is already in progress" in answer.text


class TestSwitching:
    def test_gives_us_the_seat_and_takes_it_from_the_other(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        mark(client, new)

        business.switch_provider("rampbridge")

        rows = client.get("/accounting/all-connections").json()["connections"]
        assert [(row["status"], row["is_ready_to_migrate"]) for row in rows] == [
            ("unlinked", False),
            ("linked", False),
        ]
        assert client.get("/accounting/connection").json()["id"] == new

    def test_needs_a_connection_that_is_marked(self, business: BusinessHandle, new: str) -> None:
        with pytest.raises(NotPossible, match="does not offer rampbridge"):
            business.switch_provider("rampbridge")

    def test_loses_what_was_ready_and_keeps_what_was_synced(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        business.create_transfer("500.00")
        synced = business.sync_directly(most=2)
        mark(client, new)

        business.switch_provider("rampbridge", MAPPED)

        assert len(business.transactions("SYNCED")) == synced == 2
        assert business.transactions("SYNC_READY") == []
        assert business.transfers("SYNC_READY") == []

    def test_leaves_bills_in_flight_behind(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        bill = business.create_bill("75.00", account_code="6400", vendor="Uline")
        mark(client, new)

        business.switch_provider("rampbridge", MAPPED)

        assert client.get(f"/bills/{bill.id}").json()["enable_accounting_sync"] is False
        assert business.bills(sync_ready=True) == []

    @pytest.mark.parametrize(
        ("account", "after"),
        [
            pytest.param("6200", "erp-6200", id="by its code"),
            pytest.param("61", "erp-6500", id="by its name"),
            pytest.param("7100", "erp-6400", id="as the customer chose"),
            pytest.param("88", None, id="lost"),
        ],
    )
    def test_carries_an_account_along(
        self, client: Client, business: BusinessHandle, new: str, account: str, after: str | None
    ) -> None:
        row = business.create_transaction(account_code=account)
        mark(client, new)

        business.switch_provider("rampbridge", MAPPED | {"accounts": {"62": "erp-6400"}})

        assert codings(client, row.id) == ({after} if after else set())

    def test_carries_a_field_along_only_if_it_is_mapped(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        row = business.create_transaction(account_code="6200", options={CLASS: ENGINEERING})
        assert codings(client, row.id) == {"58", ENGINEERING}
        mark(client, new)

        business.switch_provider("rampbridge")

        assert codings(client, row.id) == {"erp-6200"}

    def test_carries_the_options_of_a_field_that_is_mapped(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        row = business.create_transaction(account_code="6200", options={CLASS: ENGINEERING})
        mark(client, new)

        business.switch_provider("rampbridge", MAPPED)

        assert codings(client, row.id) == {"erp-6200", "dep-1"}

    def test_links_vendors_to_their_likes(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        linked = business.create_vendor("Uline", linked_to="V-1")
        lost = business.create_vendor("Baker", linked_to="V-9")
        mark(client, new)

        business.switch_provider("rampbridge")

        assert (linked.linked_to, lost.linked_to) == ("71", None)

    def test_can_be_taken_back_by_reconnecting_the_old_provider(
        self, client: Client, business: BusinessHandle, new: str
    ) -> None:
        assert business.connection
        old = business.connection.id
        mark(client, new)
        business.switch_provider("rampbridge")

        business.switch_back(old)

        assert client.get("/accounting/connection").json()["id"] == old


class TestFaults:
    def test_the_incumbent_comes_back_from_a_creation_that_is_to_stay_inactive(
        self, sim: Simulator, client: Client, business: BusinessHandle
    ) -> None:
        assert business.connection
        sim.fault("incumbent_returned")

        assert create(client) == business.connection.id
        assert create(client) != business.connection.id

    def test_the_chart_changes_while_somebody_reads_it(
        self, sim: Simulator, client: Client
    ) -> None:
        sim.fault("chart_changed", "GET /accounting/vendors", row_id="58", message="Subscriptions")
        before = client.every_row("/accounting/accounts", remote_id="58")

        client.every_row("/accounting/vendors")

        [after] = client.every_row("/accounting/accounts", remote_id="58")
        assert (before[0]["name"], after["name"]) == ("Software", "Subscriptions")

    def test_a_lost_answer_has_marked_it_all_the_same(
        self, sim: Simulator, client: Client, new: str
    ) -> None:
        sim.fault("lost_answer", "POST /accounting/connection/{connection_id}/ready-to-migrate")

        assert mark(client, new).status_code == 504
        assert "already marked" in mark(client, new).text


def test_the_provider_syncs_everything_that_is_ready(business: BusinessHandle) -> None:
    business.create_reimbursement("90.00", account_code="6100", ready=True)
    business.create_cashback("18.75")
    bill = business.create_bill("75.00", account_code="6400", vendor="Uline")
    business.pay_bill(bill.id)

    business.sync_directly()

    assert business.sync_directly() == 0
    assert business.bill(bill.id).sync_status == "BILL_AND_PAYMENT_SYNCED"
    assert business.transactions("SYNC_READY") == []


def test_only_a_provider_of_ramps_own_syncs_by_itself(harbor: BusinessHandle) -> None:
    with pytest.raises(NotPossible):
        harbor.sync_directly()


def test_the_switch_is_played_over_the_simulators_own_interface(client: Client, new: str) -> None:
    mark(client, new)
    at = "/_simulator/businesses/harbor-coffee"

    synced = client.http.post(f"{at}/provider/sync", json={"most": 3})
    switched = client.http.post(f"{at}/switch", json={"to": "rampbridge", **MAPPED})

    assert synced.json() == {"synced": 3}
    assert (switched.json()["id"], switched.json()["is_active"]) == (new, True)
