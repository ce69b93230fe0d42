from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from connections import secrets
from connections.erp.adapters.tryton.adapter import TrytonErp, tryton_erp
from connections.models import Connection, Credential
from tests.connections.world import new_connection
from tests.plugins.tryton import TrytonServer

pytestmark = pytest.mark.django_db


@pytest.fixture
def erp(tryton_server: TrytonServer) -> TrytonErp:
    return tryton_erp(tryton_server.settings("period"))


@pytest.fixture
def customer(tryton_server: TrytonServer) -> Iterator[Connection]:
    """A customer in Tryton, whose months are open again afterwards."""
    connection = new_connection(slug="harbor-coffee", erp_kind="tryton", erp_name="Tryton")
    secrets.keep_credential(connection, Credential.Side.ERP, tryton_server.settings("period"))
    yield connection
    run("reopen", "harbor-coffee")


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("tryton_period", *arguments, stdout=out)
    return out.getvalue().strip()


def state_of(erp: TrytonErp, first: date) -> str:
    (period,) = erp.rpc.read("account.period", [("start_date", "=", first)], ["state"])
    return str(period["state"])


class TestTrytonPeriod:
    def test_closes_a_month_and_reopens_it(self, erp: TrytonErp, customer: Connection) -> None:
        first = datetime.now(UTC).date().replace(day=1)

        said = run("close", "harbor-coffee", f"{first:%Y-%m}")

        assert said == f"{first:%B %Y} is closed in Harbor Coffee Roasters's Tryton."
        assert state_of(erp, first) == "closed"

        said = run("reopen", "harbor-coffee", f"{first:%Y-%m}")

        assert said == f"{first:%B %Y} is open in Harbor Coffee Roasters's Tryton."
        assert state_of(erp, first) == "open"

    def test_is_content_with_a_month_that_is_closed_already(self, customer: Connection) -> None:
        run("close", "harbor-coffee")

        assert run("close", "harbor-coffee").endswith(
            "is closed in Harbor Coffee Roasters's Tryton."
        )

    def test_takes_this_month_if_none_is_named(self, erp: TrytonErp, customer: Connection) -> None:
        run("close", "harbor-coffee")

        assert state_of(erp, datetime.now(UTC).date().replace(day=1)) == "closed"

    def test_knows_no_period_where_the_erp_has_none(self, customer: Connection) -> None:
        with pytest.raises(CommandError, match="Tryton has no period January 1999"):
            run("close", "harbor-coffee", "1999-01")


class TestRefuses:
    @pytest.mark.parametrize("month", ["2026-13", "2026-00", "26-11", "November"])
    def test_what_is_not_a_month(self, month: str) -> None:
        with pytest.raises(CommandError, match=f"{month} is not a month. Write it as 2026-11."):
            run("close", "harbor-coffee", month)

    def test_a_customer_it_does_not_know_and_names_those_it_does(self) -> None:
        new_connection(slug="verde-clinics")
        new_connection(slug="atelier-lumiere")

        with pytest.raises(
            CommandError,
            match=r"called harbour\. There are: atelier-lumiere, verde-clinics\.",
        ):
            run("close", "harbour")

    def test_a_customer_with_another_erp(self) -> None:
        new_connection(slug="harbor-coffee")

        with pytest.raises(CommandError, match="Harbor Coffee Roasters's ERP is Ledger, not Tryt"):
            run("close", "harbor-coffee")

    def test_an_action_it_does_not_know(self) -> None:
        with pytest.raises(CommandError, match="invalid choice: 'shut'"):
            run("shut", "harbor-coffee")

    def test_a_customer_whose_erp_no_longer_knows_us(self, tryton_server: TrytonServer) -> None:
        connection = new_connection(slug="harbor-coffee", erp_kind="tryton")
        wrong = tryton_server.settings("period") | {"password": "of yesterday"}
        secrets.keep_credential(connection, Credential.Side.ERP, wrong)

        with pytest.raises(CommandError, match="Harbor Coffee Roasters's Tryton refused: auth"):
            run("close", "harbor-coffee")

    def test_a_customer_without_credentials(self) -> None:
        new_connection(slug="harbor-coffee", erp_kind="tryton")

        with pytest.raises(CommandError, match="Harbor Coffee Roasters has no ERP credentials"):
            run("close", "harbor-coffee")
