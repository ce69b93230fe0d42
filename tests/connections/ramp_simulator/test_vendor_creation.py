"""A purchase must be coded to a vendor of the ERP before it can be called synced."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import Transaction
from connections.ramp_simulator.seats import VENDOR_CREATION
from tests.connections.ramp_simulator.side import Client, code_of

NEEDS = "requires_accounting_vendor_creation_to_sync"


class VendorSide:
    """A client that switched vendor creation on, and one purchase whose merchant is no vendor."""

    def __init__(self, client: Client, harbor: BusinessHandle) -> None:
        self.client = client
        self.harbor = harbor
        connection = harbor.connection
        assert connection is not None
        path = f"/accounting/connection/{connection.id}"
        client.patch(path, {"settings": {VENDOR_CREATION: True}})
        self.row = self.buy()

    def buy(self, **details: Any) -> Transaction:
        return self.harbor.create_transaction(
            merchant="Uline", account_code="6400", ready=True, **details
        )

    def upload(self, name: str = "Uline") -> dict[str, Any]:
        body = {"vendors": [{"id": f"erp-{name}", "name": name}]}
        uploaded: dict[str, Any] = self.client.post("/accounting/vendors", body).json()
        found: dict[str, Any] = uploaded["vendors"][0]
        return found

    def code(
        self,
        field_id: str,
        option_id: str,
        *,
        row: Transaction | None = None,
        key: str = "accounting_field_selections",
    ) -> httpx.Response:
        return self.client.post(
            "/accounting/codings",
            {
                "object_type": "TRANSACTION",
                "object_id": (row or self.row).id,
                key: [{"field_id": field_id, "field_option_id": option_id}],
            },
        )

    def code_to(self, vendor: dict[str, Any], **more: Any) -> httpx.Response:
        return self.code(vendor["vendor_category_info"]["ramp_id"], vendor["ramp_id"], **more)

    def shown(self, row: Transaction | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = self.client.get(f"/transactions/{(row or self.row).id}").json()
        return answer

    def report(self, key: str) -> httpx.Response:
        return self.client.report((self.row.id, "M1"), key=key)


@pytest.fixture
def side(client: Client, harbor: BusinessHandle) -> VendorSide:
    return VendorSide(client, harbor)


class TestWithTheSettingOn:
    def test_a_purchase_without_vendor_says_so_and_is_not_synced(self, side: VendorSide) -> None:
        refused = side.report("k1")

        assert side.shown()[NEEDS] is True
        assert refused.status_code == 400
        assert side.row.id in refused.json()["error_v2"]["message"]
        assert side.row.sync_status == "SYNC_READY"

    def test_uploading_the_vendor_attaches_nothing(self, side: VendorSide) -> None:
        side.upload()

        assert side.shown()[NEEDS] is True
        assert side.report("k1").status_code == 400

    @pytest.mark.parametrize("key", ["accounting_field_selections", "accounting_coding_selections"])
    def test_coding_it_to_the_vendor_opens_the_way(self, side: VendorSide, key: str) -> None:
        answer = side.code_to(side.upload(), key=key)

        assert answer.status_code == 201
        shown = side.shown()
        assert shown[NEEDS] is False
        [selection] = shown["accounting_field_selections"]
        assert (selection["external_id"], selection["type"]) == ("erp-Uline", "MERCHANT")
        assert side.report("k2").status_code == 201

    def test_a_failure_is_reported_without_any_vendor(self, side: VendorSide) -> None:
        failed = {"id": side.row.id, "error": {"message": "The period is closed."}}

        assert side.client.report(failed_syncs=[failed]).status_code == 201

    def test_what_is_bought_after_the_upload_is_coded_by_its_name(self, side: VendorSide) -> None:
        side.upload()

        assert side.shown(side.buy())[NEEDS] is False

    def test_vendors_from_before_the_setting_code_by_name_what_there_was(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(merchant="Uline", ready=True)
        client.post("/accounting/vendors", {"vendors": [{"id": "v1", "name": "Uline"}]})

        side = VendorSide(client, harbor)

        assert side.shown(row)[NEEDS] is False


class TestWithTheSettingOff:
    def test_a_purchase_does_not_say_anything_of_it(
        self, client: Client, harbor: BusinessHandle
    ) -> None:
        row = harbor.create_transaction(merchant="Uline", ready=True)

        assert NEEDS not in client.get(f"/transactions/{row.id}").json()
        assert client.report((row.id, "M1")).status_code == 201


class TestACoding:
    def test_to_an_unknown_option_is_refused(self, side: VendorSide) -> None:
        vendor = side.upload()
        field = vendor["vendor_category_info"]["ramp_id"]

        assert side.code(field, str(uuid4())).status_code == 400
        assert side.code(str(uuid4()), vendor["ramp_id"]).status_code == 400
        assert side.shown()[NEEDS] is True

    def test_to_an_option_of_another_field_is_refused(self, side: VendorSide) -> None:
        body = {"id": "project", "name": "Project", "input_type": "SINGLE_CHOICE"}
        project = side.client.post("/accounting/fields", body).json()
        [department] = side.client.every_row("/accounting/fields", remote_id="department")
        [option, *_] = side.client.every_row(
            "/accounting/field-options", field_id=department["ramp_id"]
        )

        assert side.code(project["ramp_id"], option["ramp_id"]).status_code == 400

    def test_to_a_vendor_of_a_former_connection_is_refused(self, side: VendorSide) -> None:
        vendor = side.upload()
        side.harbor.occupy_seat("another bridge")

        assert side.code_to(vendor).status_code == 400

    def test_is_by_ramps_ids_and_never_the_erps(self, side: VendorSide) -> None:
        assert side.code("Merchant", "erp-Uline").status_code == 422

    def test_without_any_selection_is_malformed(self, side: VendorSide) -> None:
        body = {"object_type": "TRANSACTION", "object_id": side.row.id}

        assert side.client.post("/accounting/codings", body).status_code == 422

    def test_of_something_unknown_is_not_found(self, side: VendorSide) -> None:
        vendor = side.upload()
        body = {
            "object_type": "TRANSACTION",
            "object_id": str(uuid4()),
            "accounting_field_selections": [
                {
                    "field_id": vendor["vendor_category_info"]["ramp_id"],
                    "field_option_id": vendor["ramp_id"],
                }
            ],
        }

        assert side.client.post("/accounting/codings", body).status_code == 404

    def test_of_what_is_synced_is_refused(self, side: VendorSide) -> None:
        vendor = side.upload()
        side.harbor.press_export(side.row.id)

        assert code_of(side.code_to(vendor)) == "DEVELOPER_7001"

    def test_to_an_account_changes_the_only_line(self, side: VendorSide) -> None:
        [account] = side.client.every_row("/accounting/accounts", code="6300")

        side.code(account["gl_account_category_info"]["ramp_id"], account["ramp_id"])

        [line] = side.shown()["line_items"]
        assert line["accounting_field_selections"][0]["external_id"] == "erp-6300"

    def test_to_an_account_changes_nothing_on_a_split(self, side: VendorSide) -> None:
        row = side.buy(minor=1000, lines=[(400, "6100"), (600, "6200")])
        [account] = side.client.every_row("/accounting/accounts", code="6300")

        side.code(account["gl_account_category_info"]["ramp_id"], account["ramp_id"], row=row)

        assert [line.account_code for line in row.lines] == ["6100", "6200"]

    def test_to_an_option_of_a_field_shows_as_one_of_the_purchases_own(
        self, side: VendorSide
    ) -> None:
        [field] = side.client.every_row("/accounting/fields")
        [option, *_] = side.client.every_row(
            "/accounting/field-options", field_id=field["ramp_id"], code="SAL"
        )

        side.code(field["ramp_id"], option["ramp_id"])

        [line] = side.shown()["line_items"]
        assert {one["external_id"] for one in line["accounting_field_selections"]} == {
            "erp-6400",
            option["id"],
        }
