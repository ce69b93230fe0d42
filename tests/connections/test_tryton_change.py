"""Changes that somebody trying things out makes in a demo's Tryton."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from connections import secrets
from connections.erp.adapters.tryton.adapter import TrytonErp, tryton_erp
from connections.erp.records import Master, MasterKind
from connections.management.tryton_changes import CHANGES
from connections.models import Connection, Credential
from tests.connections.world import new_connection
from tests.plugins.tryton import TrytonServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def erp(tryton_server: TrytonServer) -> TrytonErp:
    return tryton_erp(tryton_server.settings("change"))


@pytest.fixture
def customer(tryton_server: TrytonServer) -> Connection:
    """A customer in a company of its own."""
    connection = new_connection(slug="harbor-coffee", erp_kind="tryton", erp_name="Tryton")
    secrets.keep_credential(connection, Credential.Side.ERP, tryton_server.settings("change"))
    return connection


def run(change: str, customer: str = "harbor-coffee") -> str:
    out = StringIO()
    call_command("tryton_change", change, "--customer", customer, stdout=out)
    return out.getvalue().strip()


def named(erp: TrytonErp, kind: MasterKind) -> dict[str, Master]:
    return {one.name: one for page in erp.changes(kind, None) for one in page.items}


class TestTrytonChange:
    def test_opens_accounts_until_there_are_no_more(
        self, customer: Connection, erp: TrytonErp
    ) -> None:
        assert run("new-account") == (
            "Account 6710 Training is new in Harbor Coffee Roasters's Tryton."
        )
        account = named(erp, MasterKind.ACCOUNT)["Training"]
        assert (account.code, account.classification, account.postable) == ("6710", "EXPENSE", True)
        run("new-account")
        run("new-account")
        with pytest.raises(CommandError, match="6710, 6720, 6730: all are there already"):
            run("new-account")

    def test_closes_accounts(self, customer: Connection, erp: TrytonErp) -> None:
        assert run("close-account").startswith("Account 6999 Old projects is closed in")

        assert not named(erp, MasterKind.ACCOUNT)["Old projects"].active
        run("close-account")
        with pytest.raises(CommandError, match="are closed"):
            run("close-account")

    def test_renames_a_department_to_and_fro(self, customer: Connection, erp: TrytonErp) -> None:
        assert run("rename-department").startswith(
            "Department ENG Engineering is now called Product engineering in"
        )

        assert "Product engineering" in named(erp, MasterKind.DIMENSION_VALUE)
        assert run("rename-department").startswith("Department ENG Product engineering is now")
        assert "Engineering" in named(erp, MasterKind.DIMENSION_VALUE)

    def test_enters_a_vendor_that_can_be_billed(self, customer: Connection, erp: TrytonErp) -> None:
        assert run("new-vendor").startswith("Vendor Northern Lights Printing is new in")

        vendor = named(erp, MasterKind.VENDOR)["Northern Lights Printing"]
        (party,) = erp.rpc.read("party.party", [["id", "=", int(vendor.id)]], ["addresses"])
        assert party["addresses"]

    def test_merges_vendors_that_were_entered_twice(
        self, customer: Connection, erp: TrytonErp
    ) -> None:
        assert run("merge-vendors").startswith("Vendor ULINE Inc. is merged into Uline in")

        vendors = named(erp, MasterKind.VENDOR)
        assert vendors["ULINE Inc."].extra["merged_into"] == vendors["Uline"].id
        run("merge-vendors")
        with pytest.raises(CommandError, match="entered twice are merged"):
            run("merge-vendors")


class TestRefuses:
    @pytest.mark.parametrize("change", CHANGES)
    def test_a_customer_with_another_erp(self, change: str) -> None:
        new_connection(slug="harbor-coffee")

        with pytest.raises(CommandError, match="Harbor Coffee Roasters's ERP is Ledger, not Tryt"):
            run(change)

    def test_a_customer_it_does_not_know(self) -> None:
        with pytest.raises(CommandError, match="No customer is called harbour"):
            run("new-vendor", "harbour")

    def test_a_customer_without_credentials(self) -> None:
        new_connection(slug="harbor-coffee", erp_kind="tryton")

        with pytest.raises(CommandError, match="Harbor Coffee Roasters has no ERP credentials"):
            run("new-vendor")
