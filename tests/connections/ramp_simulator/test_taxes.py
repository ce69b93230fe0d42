"""Taxes come in strict order: accounts, rates, the one field, codes."""

from typing import Any

import httpx
import pytest

from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.ramp_simulator.side import Client, code_of

RATES, FIELD, CODES = (
    "/accounting/tax/rates",
    "/accounting/tax/code",
    "/accounting/tax/code/options",
)


@pytest.fixture
def account(client: Client) -> str:
    """Ramp's id of a GL account."""
    return str(client.every_row("/accounting/accounts")[0]["ramp_id"])


def rate(row_id: str, account: str, value: Any = "0.2", **more: Any) -> dict[str, Any]:
    described = {"id": row_id, "name": row_id, "rate": value, "accounting_gl_account_id": account}
    return described | more


def upload(client: Client, account: str, *ids: str) -> list[dict[str, Any]]:
    body = {"tax_rates": [rate(one, account) for one in ids]}
    rows: list[dict[str, Any]] = client.post(RATES, body).json()["tax_rates"]
    return rows


def code(client: Client, row_id: str = "full", *rates: str) -> httpx.Response:
    options = [{"id": row_id, "name": row_id, "tax_rate_ids": list(rates)}]
    return client.post(CODES, {"options": options})


def codings(line: dict[str, Any]) -> dict[str, str]:
    """What a line is coded to, by kind."""
    selections = line["accounting_field_selections"]
    return {one["category_info"]["type"]: one["external_id"] for one in selections}


class TestRates:
    @pytest.mark.parametrize("value", ["0.20", 0.2, 0, "0.0"])
    def test_are_fractions_as_text_or_as_numbers(
        self, client: Client, account: str, value: Any
    ) -> None:
        answer = client.post(RATES, {"tax_rates": [rate("vat", account, value)]})

        assert answer.status_code == 201
        [row] = answer.json()["tax_rates"]
        assert row["rate"] == str(value)

    @pytest.mark.parametrize("value", ["-0.1", "a lot", "NaN", None])
    def test_are_nothing_else(self, client: Client, account: str, value: Any) -> None:
        answer = client.post(RATES, {"tax_rates": [rate("vat", account, value)]})

        assert (answer.status_code, code_of(answer)) == (422, "DEVELOPER_7001")

    def test_need_a_gl_account_that_ramp_knows(self, client: Client, account: str) -> None:
        unknown = "00000000-0000-4000-8000-000000000000"
        without = rate("a", account)
        del without["accounting_gl_account_id"]

        assert client.post(RATES, {"tax_rates": [without]}).status_code == 422
        assert client.post(RATES, {"tax_rates": [rate("a", unknown)]}).status_code == 400
        assert client.post(RATES, {"tax_rates": [rate("a", "erp-6100")]}).status_code == 422
        assert client.every_row(RATES) == []

    def test_that_are_known_refuse_the_batch(self, client: Client, account: str) -> None:
        upload(client, account, "vat")

        answer = client.post(RATES, {"tax_rates": [rate("new", account), rate("vat", account)]})

        assert answer.status_code == 400
        assert [row["id"] for row in client.every_row(RATES)] == ["vat"]

    @pytest.mark.parametrize(("count", "status"), [(0, 422), (500, 201), (501, 422)])
    def test_come_by_the_batch(self, client: Client, account: str, count: int, status: int) -> None:
        rates = [rate(str(number), account) for number in range(count)]

        assert client.post(RATES, {"tax_rates": rates}).status_code == status

    def test_are_changed_and_deleted_for_good(self, client: Client, account: str) -> None:
        [row, _] = upload(client, account, "vat", "gst")
        path = f"{RATES}/{row['ramp_id']}"

        changed = client.patch(path, {"rate": "0.21"}).json()

        assert (changed["rate"], changed["name"]) == ("0.21", "vat")
        assert client.patch(path, {"reactivate": True}).status_code == 422
        assert client.delete(path, {}).status_code == 204
        assert [row["id"] for row in client.every_row(RATES)] == ["gst"]
        assert [row["id"] for row in upload(client, account, "vat")] == ["vat"]


class TestTheField:
    def test_is_there_once(self, client: Client) -> None:
        assert client.get(FIELD).status_code == 404
        made = client.post(FIELD, {"name": "Tax", "display_name": "VAT"})

        assert made.status_code == 201
        assert client.get(FIELD).json() == made.json()
        assert client.post(FIELD, {"name": "Another"}).status_code == 400
        assert client.patch(FIELD, {"name": "Taxes"}).json()["name"] == "Taxes"

    def test_makes_room_for_another_when_it_is_deleted(self, client: Client) -> None:
        first = client.post(FIELD, {"name": "Tax"}).json()

        assert client.delete(FIELD, {}).status_code == 204

        assert client.get(FIELD).status_code == 404
        assert client.delete(FIELD, {}).status_code == 404
        assert client.post(FIELD, {"name": "Tax"}).json()["ramp_id"] != first["ramp_id"]

    def test_is_one_per_connection(self, client: Client) -> None:
        client.post(FIELD, {"name": "Tax"})
        body = {"remote_provider_name": "next", "is_active": False}
        waiting = client.post("/accounting/connection", body).json()["id"]

        of_theirs = {"name": "Tax", "accounting_connection_id": waiting}

        assert client.post(FIELD, of_theirs).status_code == 201
        assert client.get(FIELD, accounting_connection_id=waiting).status_code == 200


class TestCodes:
    def test_need_the_field_and_their_rates(self, client: Client, account: str) -> None:
        assert code(client).status_code == 400
        client.post(FIELD, {"name": "Tax"})
        refused = code(client, "full", "vat")
        assert refused.status_code == 400
        assert "vat" in refused.json()["error_v2"]["message"]

        upload(client, account, "vat", "gst")

        made = code(client, "full", "vat", "gst")
        assert made.status_code == 201
        assert made.json()["options"][0]["tax_rate_ids"] == ["vat", "gst"]

    def test_name_rates_by_the_erps_ids_and_not_by_ramps(
        self, client: Client, account: str
    ) -> None:
        client.post(FIELD, {"name": "Tax"})
        [row] = upload(client, account, "vat")

        assert code(client, "full", row["ramp_id"]).status_code == 400

    def test_get_another_list_of_rates_by_patch(self, client: Client, account: str) -> None:
        client.post(FIELD, {"name": "Tax"})
        upload(client, account, "vat", "gst")
        [row] = code(client, "full", "vat").json()["options"]
        path = f"{CODES}/{row['ramp_id']}"

        assert client.patch(path, {"tax_rate_ids": ["gst"]}).json()["tax_rate_ids"] == ["gst"]
        assert client.patch(path, {"tax_rate_ids": ["pst"]}).status_code == 400
        assert client.patch(path, {"name": "Half"}).json()["tax_rate_ids"] == ["gst"]

    def test_that_are_deleted_stay_so(self, client: Client) -> None:
        client.post(FIELD, {"name": "Tax"})
        [row] = code(client).json()["options"]
        path = f"{CODES}/{row['ramp_id']}"

        assert client.delete(path, {}).status_code == 204

        assert client.patch(path, {"reactivate": True}).status_code == 422
        [shown] = client.every_row(CODES)
        assert shown["is_active"] is False


class TestCoding:
    @pytest.fixture
    def taxed(self, harbor: BusinessHandle) -> BusinessHandle:
        tax = {"id": "t-20", "name": "VAT 20 %", "rate": "0.2", "account_id": "erp-2150"}
        harbor.upload_chart(tax_codes=[tax])
        return harbor

    def test_comes_back_on_the_lines_of_a_bill(self, client: Client, taxed: BusinessHandle) -> None:
        bill = taxed.create_bill(lines=[(9000, "6100"), (9000, "6200")], tax_code="t-20")

        shown = client.get(f"/bills/{bill.id}").json()

        kinds = [
            {
                one["category_info"]["type"]: one["external_id"]
                for one in line["accounting_field_selections"]
            }
            for line in shown["line_items"]
        ]
        assert [kind["TAX_CODE"] for kind in kinds] == ["t-20", "t-20"]
        assert [kind["GL_ACCOUNT"] for kind in kinds] == ["erp-6100", "erp-6200"]

    def test_comes_back_on_the_lines_of_a_purchase(
        self, client: Client, taxed: BusinessHandle
    ) -> None:
        row = taxed.create_transaction(account_code="6100", tax_code="t-20")

        [line] = client.get(f"/transactions/{row.id}").json()["line_items"]
        taxed.edit(row.id, tax_code="")
        [cleared] = client.get(f"/transactions/{row.id}").json()["line_items"]

        assert "TAX_CODE" in {one["type"] for one in line["accounting_field_selections"]}
        assert "TAX_CODE" not in {one["type"] for one in cleared["accounting_field_selections"]}

    def test_is_done_by_a_client_too(self, client: Client, taxed: BusinessHandle) -> None:
        row = taxed.create_transaction(account_code="6100")
        [tax_code] = client.every_row(CODES)
        field = client.get(FIELD).json()["ramp_id"]

        answer = client.post(
            "/accounting/codings",
            {
                "object_type": "TRANSACTION",
                "object_id": row.id,
                "accounting_field_selections": [
                    {"field_id": field, "field_option_id": tax_code["ramp_id"]}
                ],
            },
        )

        assert answer.status_code == 201
        [line] = client.get(f"/transactions/{row.id}").json()["line_items"]
        assert codings(line)["TAX_CODE"] == "t-20"

    def test_needs_the_field(self, client: Client, taxed: BusinessHandle) -> None:
        bill = taxed.create_bill(account_code="6100", tax_code="t-20")
        client.delete(FIELD, {})

        [line] = client.get(f"/bills/{bill.id}").json()["line_items"]

        kinds = {one["category_info"]["type"] for one in line["accounting_field_selections"]}
        assert kinds == {"GL_ACCOUNT"}

    def test_to_a_code_that_was_deleted_keeps_the_bill_from_syncing(
        self, client: Client, taxed: BusinessHandle
    ) -> None:
        bill = taxed.create_bill(account_code="6100", tax_code="t-20")
        [row] = client.every_row(CODES)
        client.delete(f"{CODES}/{row['ramp_id']}", {})

        answer = client.report((bill.id, "B-1"), sync_type="BILL_SYNC")

        assert answer.status_code == 400
