"""What would be hurt if a record were deactivated in Ramp."""

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.impact import Impact, Named, impacts, unsynced_items
from syncing.models import SyncItem
from tests import spend
from tests.factories import ConnectionFactory, ItemPayloadFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


@pytest.fixture
def connection() -> Connection:
    connection: Connection = ConnectionFactory.create()
    return connection


def department(option: str) -> dict[str, Any]:
    return spend.selection("OTHER", option, field="department")


def coded(connection: Connection, body: dict[str, Any], **values: Any) -> SyncItem:
    item: SyncItem = SyncItemFactory.create(connection=connection, **values)
    ItemPayloadFactory.create(item=item, ramp=body)
    return item


def spent(*codings: dict[str, Any]) -> dict[str, Any]:
    """An object of one line with these codings."""
    return {"line_items": [spend.line(1000, "USD", *codings)]}


class TestWhatIsCounted:
    def test_counts_items_of_each_record_that_is_asked_for(self, connection: Connection) -> None:
        coded(connection, spent(spend.account("6200")))
        coded(connection, spent(spend.account("6200")))
        coded(connection, spent(spend.account("6300")))

        found = unsynced_items(connection.pk, kind="account", erp_ids=["6200", "6300", "6999"])

        assert {erp_id: impact.items for erp_id, impact in found.items()} == {
            "6200": 2,
            "6300": 1,
            "6999": 0,
        }
        assert found["6999"].is_none

    @pytest.mark.parametrize(
        "body",
        [
            {"accounting_field_selections": [spend.account("6200")], "line_items": []},
            {"line_items": [spend.line(1, "USD"), spend.line(1, "USD", spend.account("6200"))]},
            {"expense_line_items": [spend.line(1, "USD", spend.account("6200"))]},
            {"inventory_line_items": [spend.line(1, "USD", spend.account("6200"))]},
            {"line_items": [{"accounting_field_selections": [
                {"external_id": "6200", "type": "GL_ACCOUNT"}]}]},
        ],
        ids=["body", "line", "credit", "inventory", "old shape"],
    )  # fmt: skip
    def test_finds_a_coding_wherever_ramp_puts_it(
        self, connection: Connection, body: dict[str, Any]
    ) -> None:
        coded(connection, body)

        assert unsynced_items(connection.pk, kind="account", erp_ids=["6200"])["6200"].items == 1

    def test_an_item_that_names_a_record_twice_is_one_item(self, connection: Connection) -> None:
        coded(connection, spent(spend.account("6200"), spend.account("6200")), amount_minor=500)

        impact = unsynced_items(connection.pk, kind="account", erp_ids=["6200"])["6200"]

        assert (impact.items, list(impact.sums)) == (1, [Money(500, "USD", 2)])

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("account", spent(spend.account("7"))),
            ("vendor", {"accounting_field_selections": [spend.vendor("7")]}),
            ("tax_code", spent(spend.selection("TAX_CODE", "7", field="tax"))),
            ("option", spent(department("7"))),
        ],
    )
    def test_takes_no_kind_for_another_that_has_the_same_id(
        self, connection: Connection, kind: str, body: dict[str, Any]
    ) -> None:
        coded(connection, body)

        counts = {
            asked: unsynced_items(
                connection.pk, kind=asked, erp_ids=["7"], field_erp_id="department"
            )["7"].items
            for asked in ("account", "vendor", "tax_code", "option", "tax_rate")
        }

        assert {asked for asked, items in counts.items() if items} == {kind}

    def test_an_option_of_another_field_is_another_option(self, connection: Connection) -> None:
        coded(connection, spent(department("eng")))

        found = unsynced_items(
            connection.pk, kind="option", erp_ids=["eng"], field_erp_id="project"
        )

        assert found["eng"].is_none

    def test_records_of_several_kinds_are_counted_at_once(
        self, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        coded(connection, spent(spend.account("7"), department("7"), department("8")))
        coded(connection, spent(spend.account("7")))
        asked = [
            Named("account", "7"),
            Named("option", "7", "department"),
            Named("option", "7", "project"),
            Named("field", "department"),
            Named("tax_rate", "7"),
        ]

        with django_assert_num_queries(1):
            found = impacts(connection.pk, asked)

        assert [found[one].items for one in asked] == [2, 1, 0, 1, 0]

    def test_a_field_is_used_by_whatever_has_an_option_of_it(self, connection: Connection) -> None:
        coded(connection, spent(department("eng")))

        found = unsynced_items(connection.pk, kind="field", erp_ids=["department", "project"])

        assert (found["department"].items, found["project"].items) == (1, 0)

    @pytest.mark.parametrize("story", ["posting", "posted", "failed", "retrying", "broken"])
    def test_whatever_is_not_through_counts(self, connection: Connection, story: str) -> None:
        coded(connection, spent(spend.account("6200")), **{story: True})

        assert unsynced_items(connection.pk, kind="account", erp_ids=["6200"])["6200"].items == 1

    def test_what_is_through_or_not_ours_does_not_count(self, connection: Connection) -> None:
        body = spent(spend.account("6200"))
        coded(connection, body, acked=True)
        coded(connection, body, state="EXTERNAL", due_at=None)
        coded(connection, body, state="WITHDRAWN", due_at=None)
        coded(ConnectionFactory.create(), body)

        found = unsynced_items(connection.pk, kind="account", erp_ids=["6200"])

        assert found == {"6200": Impact()}

    @pytest.mark.parametrize(
        "odd",
        [
            {},
            {"line_items": None},
            {"line_items": [None, 3, "x"]},
            {"accounting_field_selections": {"external_id": "6200"}},
        ],
    )
    def test_a_body_of_another_shape_stops_nobody(
        self, connection: Connection, odd: dict[str, Any]
    ) -> None:
        coded(connection, odd)
        coded(connection, spent(spend.account("6200")))

        assert unsynced_items(connection.pk, kind="account", erp_ids=["6200"])["6200"].items == 1


class TestWhatIsTold:
    def test_says_how_much_money_waits_per_currency_and_since_when(
        self, connection: Connection
    ) -> None:
        body = spent(spend.account("6200"))
        oldest = now() - timedelta(days=3)
        coded(connection, body, amount_minor=100, ready_at=oldest)
        coded(connection, body, amount_minor=250)
        coded(connection, body, amount_minor=900, currency="JPY", exponent=0)

        impact = unsynced_items(connection.pk, kind="account", erp_ids=["6200"])["6200"]

        assert list(impact.sums) == [Money(350, "USD", 2), Money(900, "JPY", 0)]
        assert impact.oldest_at == oldest

    def test_says_that_it_did_not_look_at_everything(self, connection: Connection) -> None:
        for age in (1, 2, 3):
            coded(connection, spent(spend.account("6200")), ready_at=now() - timedelta(minutes=age))
        ask = partial(unsynced_items, connection.pk, kind="account", erp_ids=["6200", "6300"])

        some, everything = ask(at_most=2), ask(at_most=None)

        assert (some["6200"].items, some["6200"].is_all) == (2, False)
        assert not some["6300"].is_none
        assert (everything["6200"].items, everything["6200"].is_all) == (3, True)
        assert everything["6300"].is_none

    def test_takes_one_statement_for_many_records(
        self, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(1):
            unsynced_items(connection.pk, kind="vendor", erp_ids=[str(n) for n in range(100)])

    def test_asks_nothing_if_there_is_nothing_to_ask(
        self, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            assert unsynced_items(connection.pk, kind="account", erp_ids=[]) == {}
