"""What was this coded to? The archive searched after the switch (R-91)."""

from datetime import date
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from connections.models import Connection
from migrations_tool import former_codings
from migrations_tool.models import Backup, FormerCoding
from migrations_tool.steps import Act, Step
from tests.factories import ConnectionFactory, SyncItemFactory, UserFactory
from tests.migrations_tool.world import World


@pytest.fixture
def archived(world: World) -> World:
    migration = world.migration
    migration.old_connection_id = world.old.id
    migration.save()
    world.do(Step.BACKUP, Act.APPLY)
    return world


@pytest.fixture
def client(client: Client, db: None) -> Client:
    client.force_login(UserFactory.create(roles=["support"]))
    return client


def found(world: World, text: str, **more: Any) -> list[str]:
    today = world.clock().date()
    rows = former_codings.find(text, world.connection, today=today, **more).rows
    return [row.coding.label for row in rows]


class TestFinding:
    @pytest.mark.parametrize(
        ("text", "labels"),
        [
            ("united rentals", ["United Rentals"]),
            ("unit", ["United Rentals"]),
            ("U-102", ["Uline"]),
            ("640.00", ["United Rentals"]),
            ("640 USD", ["United Rentals"]),
            ("640 EUR", []),
            ("figma 99", ["Figma"]),
            ("figma 98", []),
            ("' | !! :* \\", []),
            ("nobody's merchant", []),
        ],
    )
    def test_by_words_number_and_amount(
        self, archived: World, text: str, labels: list[str]
    ) -> None:
        assert found(archived, text) == labels

    def test_by_day(self, archived: World) -> None:
        day = FormerCoding.objects.get(label="United Rentals").spent_on
        assert isinstance(day, date)

        assert "United Rentals" in found(archived, day.isoformat())
        assert found(archived, "2019-01-02") == []

    def test_by_ramps_id_with_every_version_and_without_a_customer(self, archived: World) -> None:
        archived.do(Step.BACKUP, Act.APPLY, settings={"anew": True})
        given = archived.synced[0].id

        rows = former_codings.find(str(given), today=date(2026, 11, 21)).rows

        assert [row.version.number for row in rows] == [2, 1]
        (line,) = rows[0].lines
        told = {one.field: (one.old_id, one.code, one.name) for one in line.chosen}
        assert told["GL account"] == ("60", "6400", "Office supplies")
        assert told["Class"][2] == "Engineering"

    def test_words_are_looked_up_in_the_newest_version_alone(self, archived: World) -> None:
        archived.do(Step.BACKUP, Act.APPLY, settings={"anew": True})

        assert found(archived, "united") == ["United Rentals"]

    def test_nobody_elses_archive_is_searched(self, archived: World) -> None:
        other = ConnectionFactory.create()
        today = date(2026, 11, 21)

        assert former_codings.find("united", other, today=today).rows == []
        assert former_codings.find(str(archived.synced[0].id), other, today=today).rows == []
        assert former_codings.find("united", None, today=today).rows == []

    def test_what_is_not_sealed_is_not_shown(self, archived: World) -> None:
        other = Backup.objects.create(
            migration=archived.migration, number=9, made_by="ines", began_at=archived.clock()
        )
        FormerCoding.objects.create(
            backup=other, object_type="bill", ramp_id=archived.open_bill.id, label="Half read",
            amount_minor=1, currency="USD", exponent=2, standing="ready", codings=[],
        )  # fmt: skip

        assert "Half read" not in found(archived, str(archived.open_bill.id))

    def test_pages_follow_each_other_without_a_gap(
        self, archived: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        everything = found(archived, "")
        monkeypatch.setattr(former_codings, "SIZE", 4)
        after, seen = "", []
        for _ in range(10):
            page = former_codings.find(
                "", archived.connection, today=date(2026, 11, 21), after=after
            )
            seen += [row.coding.pk for row in page.rows]
            after = page.next
            if not after:
                break

        assert len(everything) == len(seen) == len(set(seen)) == 19

    @pytest.mark.parametrize("after", ["x", "none~", "2026-99-99~1", "none~" + "9" * 40, "~²"])
    def test_a_cursor_may_be_anything(self, archived: World, after: str) -> None:
        assert len(found(archived, "", after=after)) == 19

    def test_it_counts_nothing_and_asks_little(self, archived: World) -> None:
        with CaptureQueriesContext(
            database,
        ) as asked:
            found(archived, "united 640")

        assert len(asked) == 3
        assert not any("COUNT(" in one["sql"] for one in asked.captured_queries)


class TestPages:
    def test_an_object_is_shown_line_by_line(self, archived: World, client: Client) -> None:
        page = client.get(reverse("former_codings"), {"q": "staples 42.50"})

        assert "Office supplies" in page.text
        assert "Backup version 1" in page.text

    def test_without_an_archive_it_says_so(self, client: Client) -> None:
        assert "No archive yet" in client.get(reverse("former_codings")).text

    def test_a_customer_that_nobody_knows_is_not_found(self, client: Client) -> None:
        assert client.get(reverse("former_codings"), {"customer": "x"}).status_code == 404

    def test_an_items_page_leads_there_if_the_archive_knows_it(
        self, archived: World, client: Client
    ) -> None:
        known = new_item(archived.connection, archived.synced[0].id)
        unknown = SyncItemFactory.create(connection=archived.connection)

        link = f"?customer={archived.connection.slug}&amp;q={known.ramp_id}"
        assert link in client.get(reverse("item", args=[known.pk])).text
        assert "former-coding" not in client.get(reverse("item", args=[unknown.pk])).text


def new_item(connection: Connection, ramp_id: object) -> Any:
    return SyncItemFactory.create(connection=connection, ramp_id=ramp_id)
