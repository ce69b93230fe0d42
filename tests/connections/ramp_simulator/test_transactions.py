from datetime import timedelta
from typing import Any

import pytest

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import (
    ACCOUNTS,
    DEPARTMENTS,
    NOON,
    Client,
    ManualClock,
)


def shown(client: Client, row_id: str, **query: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/transactions/{row_id}", **query).json()
    return answer


def ids(client: Client, **query: Any) -> set[str]:
    return {row["id"] for row in client.every_row("/transactions", page_size=100, **query)}


class TestAmounts:
    def test_are_major_units_on_top_and_minor_units_on_lines(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction("18.40")

        answer = shown(client, row.id)

        assert answer["amount"] == 18.4
        assert answer["entity_amount"] == {"value": 1840, "currency": "USD"}
        assert answer["line_items"][0]["amount"] == {
            "amount": 1840,
            "currency_code": "USD",
            "minor_unit_conversion_rate": 100,
        }

    def test_of_yen_have_no_decimals(self, sim: Simulator) -> None:
        sakura = sim.business("sakura-foods")
        row = sakura.create_transaction(1200)

        answer = shown(Client(sim, sakura), row.id)

        assert answer["amount"] == 1200
        assert answer["minor_unit_conversion_rate"] == 1
        assert answer["entity_amount"] == {"value": 1200, "currency": "JPY"}

    def test_of_a_refund_are_negative(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction("-5.00")

        answer = shown(client, row.id)

        assert answer["amount"] == -5
        assert answer["line_items"][0]["amount"]["amount"] == -500

    def test_of_a_foreign_purchase_are_in_the_merchants_currency_on_its_lines(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(
            minor=1000, original=(921, "EUR"), lines=[(333, "6100"), (667, "6300")]
        )

        answer = shown(client, row.id)

        lines = answer["line_items"]
        assert [line["converted_amount"]["amount"] for line in lines] == [333, 667]
        assert {line["amount"]["currency_code"] for line in lines} == {"EUR"}
        assert sum(line["amount"]["amount"] for line in lines) == 921
        assert answer["original_transaction_amount"]["amount"] == 921
        assert answer["currency_code"] == "USD"


class TestCodings:
    def test_put_the_account_on_the_line_and_the_vendor_on_the_body(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        harbor.upload_chart(vendors=[{"id": "v1", "name": "Uline"}])
        row = harbor.create_transaction(merchant="Uline", account_code="6400")

        answer = shown(client, row.id)

        [account] = answer["line_items"][0]["accounting_field_selections"]
        assert (account["external_id"], account["external_code"]) == ("erp-6400", "6400")
        assert account["type"] == account["category_info"]["type"] == "GL_ACCOUNT"
        assert account["category_info"]["external_id"] == "Category"
        [vendor] = answer["accounting_field_selections"]
        assert (vendor["external_id"], vendor["type"]) == ("v1", "MERCHANT")

    @pytest.mark.parametrize("is_splittable", [True, False])
    def test_put_a_field_on_the_line_only_if_it_can_be_split(
        self, client: Client, harbor: BusinessHandle, is_splittable: bool
    ) -> None:
        row = harbor.create_transaction(department="SAL")
        [field] = client.every_row("/accounting/fields")
        client.patch(f"/accounting/fields/{field['ramp_id']}", {"is_splittable": is_splittable})

        answer = shown(client, row.id)

        on_line = answer["line_items"][0]["accounting_field_selections"]
        on_body = answer["accounting_field_selections"]
        assert (len(on_line), len(on_body)) == ((1, 0) if is_splittable else (0, 1))
        [selection] = on_line or on_body
        assert (selection["external_id"], selection["type"]) == ("dep-2", "OTHER")
        assert selection["category_info"]["external_id"] == "department"

    def test_are_absent_until_the_account_was_uploaded(self, sim: Simulator) -> None:
        northwind = sim.business("northwind-robotics")
        client = Client(sim, northwind)
        row = northwind.create_transaction(account_code="6200", department="ENG")
        before = shown(client, row.id)["line_items"][0]["accounting_field_selections"]

        northwind.upload_chart(accounts=ACCOUNTS, departments=DEPARTMENTS)

        after = shown(client, row.id)["line_items"][0]["accounting_field_selections"]
        assert before == []
        assert [selection["name"] for selection in after] == ["Software", "Engineering"]

    def test_come_alive_when_a_client_uploads_the_chart_itself(self, sim: Simulator) -> None:
        client = Client(sim, sim.business("northwind-robotics"))
        row = client.business.create_transaction(account_code="6200", department="ENG")
        client.post("/accounting/connection", {"remote_provider_name": "rampbridge"})
        client.post("/accounting/accounts", {"gl_accounts": ACCOUNTS})
        field = client.post(
            "/accounting/fields",
            {"id": "f", "name": "Cost center", "input_type": "SINGLE_CHOICE"},
        ).json()
        options = [{"id": "9", "value": "Engineering", "code": "ENG"}]
        client.post("/accounting/field-options", {"field_id": field["ramp_id"], "options": options})

        answer = shown(client, row.id)

        [account] = answer["line_items"][0]["accounting_field_selections"]
        assert account["external_code"] == "6200"
        [department] = answer["accounting_field_selections"]
        assert department["external_id"] == "9"

    def test_that_point_nowhere_leave_the_line_uncoded(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(account_code="6999", ready=True)

        assert shown(client, row.id)["line_items"][0]["accounting_field_selections"] == []

    def test_stay_when_the_account_is_deleted(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(account_code="6100")
        [account] = client.every_row("/accounting/accounts", code="6100")

        client.delete(f"/accounting/accounts/{account['ramp_id']}", {})

        assert len(shown(client, row.id)["line_items"][0]["accounting_field_selections"]) == 1

    def test_do_not_outlive_the_connection(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(account_code="6100")

        client.delete("/accounting/connection", {})

        assert shown(client, row.id)["line_items"][0]["accounting_field_selections"] == []


class TestFilters:
    def test_find_by_sync_status(self, client: Client, harbor: BusinessHandle) -> None:
        for status in ("SYNC_READY", "NOT_SYNC_READY"):
            found = ids(client, sync_status=status, state="ALL")
            assert found == {row.id for row in harbor.transactions(status)}

    def test_hide_declined_ones_unless_asked(self, client: Client, harbor: BusinessHandle) -> None:
        declined = harbor.create_transaction(state="DECLINED").id

        assert declined not in ids(client)
        assert declined in ids(client, state="ALL")
        assert declined in ids(client, state="DECLINED")

    def test_find_by_entity(self, sim: Simulator) -> None:
        northwind = sim.business("northwind-robotics")
        client = Client(sim, northwind)
        first, second = client.every_row("/entities")

        by_entity = [ids(client, entity_id=entity["id"]) for entity in (first, second)]

        assert by_entity[0] | by_entity[1] == ids(client)
        assert not by_entity[0] & by_entity[1]

    def test_find_by_date(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(at=NOON - timedelta(days=300))

        assert ids(client, to_date=(NOON - timedelta(days=299)).isoformat()) == {row.id}
        assert row.id not in ids(client, from_date=(NOON - timedelta(days=299)).isoformat())

    def test_find_by_amount(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction("999999.99")

        assert ids(client, min_amount="999999") == {row.id}
        assert row.id not in ids(client, max_amount="999999")

    def test_find_what_changed_and_what_was_synced_since(
        self, client: Client, harbor: BusinessHandle, clock: ManualClock
    ) -> None:
        since = clock.now.isoformat()
        clock.turn(minutes=5)
        edited, synced = harbor.transactions("SYNC_READY")[:2]
        harbor.edit(edited.id, memo="New memo")
        client.report((synced.id, "M1"))
        later = (clock.now - timedelta(minutes=1)).isoformat()

        assert ids(client, updated_after=later) == {edited.id, synced.id}
        assert ids(client, synced_after=since) == {synced.id}

    def test_find_what_nobody_has_reported_on(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.transactions("SYNC_READY")[0]
        client.report((row.id, "M1"))

        assert row.id not in ids(client, has_no_sync_commits="true")

    def test_find_by_person_card_and_merchant(self, client: Client, harbor: BusinessHandle) -> None:
        row = shown(client, harbor.create_transaction(merchant="Only Here").id)

        assert ids(client, merchant_id=row["merchant_id"]) == {row["id"]}
        assert row["id"] in ids(client, user_id=row["card_holder"]["user_id"])
        assert row["id"] in ids(client, card_id=row["card_id"])
        assert row["id"] in ids(client, department_id=row["card_holder"]["department_id"])

    def test_find_by_what_it_is_coded_to(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.create_transaction(account_code="6500")
        [account] = client.every_row("/accounting/accounts", code="6500")

        found = ids(client, accounting_field_selection_id=account["ramp_id"])

        assert row.id in found
        assert found < ids(client)

    def test_order_by_date_and_by_amount(self, client: Client) -> None:
        rows = client.every_row("/transactions", order_by_date_desc="true", page_size=7)
        times = [row["user_transaction_time"] for row in rows]
        assert times == sorted(times, reverse=True)

        rows = client.every_row("/transactions", order_by_amount_asc="true", page_size=7)
        amounts = [row["amount"] for row in rows]
        assert amounts == sorted(amounts)

    def test_allow_only_one_order(self, client: Client) -> None:
        query = {"order_by_date_asc": "true", "order_by_amount_asc": "true"}

        assert client.get("/transactions", **query).status_code == 422

    def test_give_merchant_data_only_if_asked(self, client: Client, harbor: BusinessHandle) -> None:
        row = harbor.transactions()[0]

        assert "merchant_data" not in shown(client, row.id)
        assert "merchant_data" in shown(client, row.id, include_merchant_data="true")
