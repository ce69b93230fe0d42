"""The pages of the close board: every figure is its list's, acts are audited, files are frozen."""

import csv
import io
import re
from datetime import date, timedelta
from html import unescape

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import AuditLine, Connection
from syncing import close_rules
from syncing.models import CloseSnapshot, PeriodStamp, SyncItem
from tests.factories import ConnectionFactory, EntityFactory, ScheduleFactory, UserFactory, now
from tests.syncing.closing.world import item, line, section, statement

pytestmark = pytest.mark.django_db
MOST_STATEMENTS = 12


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(UserFactory.create(username="ana", roles=["manager"]))
    return client


@pytest.fixture
def period() -> date:
    """The month that is being closed today."""
    return close_rules.last_ended(now().date())


@pytest.fixture
def harbor(period: date) -> Connection:
    """A customer with something of every sort in that month."""
    connection = ConnectionFactory.create(slug="harbor", name="Harbor & Sons")
    ScheduleFactory.create(connection=connection, posts_per_second=2.0)
    mine = EntityFactory.create(connection=connection, name="Harbor US", is_mapped=True).ramp_id
    for traits in (("acked",), ("failed",), ("broken",), ("retrying",), ("lapsed",), ()):
        item(connection, *traits, entity_ramp_id=mine, accounting_date=period)
    item(connection, accounting_date=None, ready_at=now().replace(
        year=period.year, month=period.month, day=28))  # fmt: skip
    item(connection, accounting_date=period - timedelta(days=1))
    soon = now().date() + timedelta(days=2)
    item(connection, object_type="bill", accounting_date=period, payable_on=soon, label="Due Ltd")
    return connection


def html(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer
    return answer.content.decode()


class TestBoard:
    def test_says_the_same_as_every_list_it_links_to(
        self, manager: Client, harbor: Connection, period: date
    ) -> None:
        linked = 0
        for address in (reverse("close_board"), reverse("close_month", args=["harbor",
                                                        f"{period:%Y-%m}"])):  # fmt: skip
            for href, told in re.findall(
                r'href="(/items/\?[^"]*)"[^>]*>(?:<svg.*?</svg>)?\s*([\d,]+)',
                html(manager, address),
            ):
                listed = html(manager, unescape(href))
                assert len(re.findall(r'id="item-\d+"', listed)) == int(told), href
                linked += 1

        assert linked >= 8

    def test_needs_few_statements_however_many_customers(
        self, manager: Client, harbor: Connection, period: date
    ) -> None:
        for _ in range(5):
            item(ConnectionFactory.create(), "failed", accounting_date=period)
        month = f"{period:%Y-%m}"
        made = statement(harbor, [line(SyncItem.objects.filter(
            connection=harbor, object_type="transaction")[0])], [section(charges=1)])  # fmt: skip
        for address in (
            reverse("close_board"),
            reverse("close_month", args=["harbor", month]),
            reverse("statements", args=["harbor"]),
            reverse("statement", args=["harbor", made.pk]),
            reverse("close_snapshots"),
        ):
            with CaptureQueriesContext(
                database,
            ) as asked:
                html(manager, address)
            assert len(asked) <= MOST_STATEMENTS, (address, [one["sql"] for one in asked])

    def test_is_narrowed_by_its_address(self, manager: Client, harbor: Connection) -> None:
        board = reverse("close_board")

        assert "Harbor &amp; Sons" in html(manager, f"{board}?q=harbor&state=")
        assert "No customer matches" in html(manager, f"{board}?state=clean")
        assert "Nothing is booked" in html(manager, f"{board}?period={now():%Y-%m}")

    def test_goes_out_as_a_file_that_carries_its_snapshot(
        self, manager: Client, harbor: Connection, period: date
    ) -> None:
        answer = manager.get(reverse("close_csv"))

        snapshot = CloseSnapshot.objects.get()
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        rows = list(csv.reader(io.StringIO(text)))
        assert rows[0][:2] == ["Snapshot", snapshot.name]
        assert snapshot.name in answer["Content-Disposition"]
        assert rows[2][0] == "customer"
        items = sum(int(row[9]) for row in rows[3:])
        assert items == SyncItem.objects.filter(connection=harbor).count() - 1
        page = html(manager, reverse("close_snapshot", args=[snapshot.name]))
        assert snapshot.checksum in page
        assert AuditLine.objects.get(act="close.snapshot").subject_id == snapshot.name


class TestMonth:
    def test_tells_causes_bills_and_entities(
        self, manager: Client, harbor: Connection, period: date
    ) -> None:
        page = html(manager, reverse("close_month", args=["harbor", f"{period:%Y-%m}"]))

        assert "The period October 2026 is closed in Tryton." in page
        assert "Due Ltd" in page
        assert "Harbor US" in page
        assert "No entity named" in page

    def test_is_called_clean_and_taken_back(self, manager: Client, period: date) -> None:
        connection = ConnectionFactory.create(slug="clean")
        item(connection, "acked", accounting_date=period)
        month = ["clean", f"{period:%Y-%m}"]

        manager.post(reverse("stamp_month", args=month))
        stamp = PeriodStamp.objects.get()
        assert stamp.snapshot.name in html(manager, reverse("close_month", args=month))
        back = reverse("decide_stamp", args=[*month, stamp.pk])
        assert manager.post(back, {"act": "withdraw"}).status_code == 422
        manager.post(back, {"act": "withdraw", "because": "A bill is missing"})

        stamp.refresh_from_db()
        assert (stamp.state, stamp.withdrawn_by) == ("withdrawn", "ana")

    def test_waits_for_a_second_person_where_something_is_unsynced(
        self, manager: Client, harbor: Connection, period: date
    ) -> None:
        month = ["harbor", f"{period:%Y-%m}"]

        refused = manager.post(reverse("stamp_month", args=month))
        assert refused.status_code == 422
        assert "are unsynced" in refused.content.decode()
        manager.post(reverse("stamp_month", args=month), {"reason": "Accrued by hand"})
        asked = PeriodStamp.objects.get()
        own = manager.post(reverse("decide_stamp", args=[*month, asked.pk]), {"act": "agree"})
        assert own.status_code == 422
        second = Client()
        second.force_login(UserFactory.create(username="tom", roles=["implementer"]))
        second.post(reverse("decide_stamp", args=[*month, asked.pk]), {"act": "agree"})

        asked.refresh_from_db()
        assert (asked.state, asked.decided_by) == ("standing", "tom")

    def test_close_day_is_changed_by_who_may(
        self, client: Client, manager: Client, harbor: Connection, period: date
    ) -> None:
        address = reverse("set_close_day", args=["harbor", f"{period:%Y-%m}"])

        assert manager.post(address, {"working_day": "40"}).status_code == 422
        manager.post(address, {"working_day": "9"})
        client.force_login(UserFactory.create(roles=["support"]))

        assert client.post(address, {"working_day": "3"}).status_code == 403
        page = html(client, reverse("customer_close", args=["harbor"]), status=302)
        assert page == ""
        assert "Working day 9" in html(
            client, reverse("close_month", args=["harbor", f"{period:%Y-%m}"])
        )

    def test_refuses_what_is_no_month(self, manager: Client, harbor: Connection) -> None:
        for month in ("2026-13", "nonsense"):
            html(manager, reverse("close_month", args=["harbor", month]), status=404)


class TestStatements:
    def test_are_listed_explained_and_go_out_as_a_file(
        self, manager: Client, harbor: Connection, period: date
    ) -> None:
        lines = [line(one) for one in SyncItem.objects.filter(object_type="transaction")]
        made = statement(harbor, lines, [section(charges=100_000)])
        address = reverse("statement", args=["harbor", made.pk])

        listed = html(manager, reverse("statements", args=["harbor"]))
        assert f'href="{address}"' in listed
        page = html(manager, address)
        assert "1 Oct to 31 Oct 2026" in listed
        assert "1 Oct to 31 Oct 2026" in page
        assert "Known to nobody here" in page
        assert "The period October 2026 is closed in Tryton." in page
        assert "Not synced" in html(manager, f"{address}?finding=unsynced")
        answer = manager.get(reverse("statement_csv", args=["harbor", made.pk]))
        text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
        snapshot = CloseSnapshot.objects.get(kind="statement")
        assert text.splitlines()[0].startswith(f"Snapshot,{snapshot.name},")
        assert text.count("CARD_TRANSACTION") == len(lines)
        assert "Synced" in html(manager, reverse("close_snapshot", args=[snapshot.name]))

    def test_of_another_customer_are_not_there(self, manager: Client, harbor: Connection) -> None:
        made = statement(ConnectionFactory.create(), [])

        html(manager, reverse("statement", args=["harbor", made.pk]), status=404)
