"""Inventory items: one field, then its options."""

import pytest

from tests.connections.ramp_simulator.side import Client

FIELD, ITEMS = "/accounting/inventory-item", "/accounting/inventory-item/options"
NOBODY = "00000000-0000-4000-8000-000000000000"


class TestInventoryItems:
    def test_need_their_field_which_is_there_once(self, client: Client) -> None:
        body = {"options": [{"id": "1", "name": "Beans"}]}
        assert client.post(ITEMS, body).status_code == 400

        assert client.post(FIELD, {"name": "Item"}).status_code == 201

        assert client.post(FIELD, {"name": "Item"}).status_code == 400
        assert client.post(ITEMS, body).status_code == 201
        assert client.post(ITEMS, body).status_code == 400

    @pytest.mark.parametrize(("account", "status"), [(True, 201), (False, 400)])
    def test_may_name_a_gl_account_that_ramp_knows(
        self, client: Client, account: bool, status: int
    ) -> None:
        client.post(FIELD, {"name": "Item"})
        known = client.every_row("/accounting/accounts")[0]["ramp_id"]

        option = {"id": "1", "name": "Beans", "gl_account_id": known if account else NOBODY}

        assert client.post(ITEMS, {"options": [option]}).status_code == status

    def test_are_renamed_deleted_and_brought_back(self, client: Client) -> None:
        client.post(FIELD, {"name": "Item"})
        body = {"options": [{"id": "1", "name": "Beans"}]}
        [row] = client.post(ITEMS, body).json()["options"]
        path = f"{ITEMS}/{row['ramp_id']}"

        assert client.patch(path, {"name": "Green beans"}).json()["name"] == "Green beans"
        assert client.delete(path, {}).status_code == 204
        assert client.every_row(ITEMS, is_active="true") == []
        assert client.patch(path, {"reactivate": True}).json()["is_active"] is True
