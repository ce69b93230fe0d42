"""A missing mapping holds up 31 items; saving it lets all of them go, with no further click."""

from collections.abc import Callable

import pytest
from django.test import Client

from connections.erp.adapters.in_memory import InMemoryErp
from connections.models import Connection, LedgerAccount
from connections.ramp_simulator.handles import BusinessHandle
from syncing.models import SyncItem
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)


class TestAMissingMapping:
    def test_holds_up_31_items_and_saving_it_brings_them_all_into_the_erp(
        self,
        business: BusinessHandle,
        erp: InMemoryErp,
        customer: Connection,
        work: Callable[[], None],
    ) -> None:
        bought = [
            business.create_transaction("396.77", account_code="6999", ready=True)
            for _ in range(31)
        ]
        # The customer's chart was renewed: what Ramp still offers as 6999 has left the ERP.
        LedgerAccount.objects.filter(connection=customer, code="6999").delete()
        work()
        assert set(SyncItem.objects.values_list("state", flat=True)) == {"FAILED"}
        client = Client()
        client.force_login(UserFactory.create(username="maya", roles=["support"]))
        home = f"/customers/{customer.slug}/mappings/"
        assert "31 items" in client.get(home).content.decode()

        client.post(
            f"{home}edit/",
            {"kind": "gl_account", "id": "6999", "after": "6400", "reason": "The new chart"},
        )
        work()

        assert set(SyncItem.objects.values_list("state", flat=True)) == {"ACKED"}
        assert str(erp.books.balance("6400")) == "12299.87"
        told = {row["id"]: row["reference_id"] for row in business.ledger()}
        assert all(told[one.id] for one in bought)
        assert "31 through" in client.get(f"{home}?saved=3").content.decode()
