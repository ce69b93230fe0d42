"""The close board, a customer's months and snapshots by the API."""

from datetime import date

import pytest

from connections.models import AuditLine, Connection
from syncing import close_rules
from tests.api.conftest import Program
from tests.api.test_access import problem_of
from tests.api.test_lists import body_of
from tests.factories import ConnectionFactory, now
from tests.syncing.closing.world import item

pytestmark = pytest.mark.django_db


@pytest.fixture
def period() -> date:
    return close_rules.last_ended(now().date())


@pytest.fixture
def harbor(period: date) -> Connection:
    connection = ConnectionFactory.create(slug="harbor", name="Harbor")
    item(connection, "failed", amount_minor=41_250, accounting_date=period)
    item(connection, "acked", accounting_date=period)
    return connection


class TestClose:
    def test_tells_the_board_with_the_pages_filters(
        self, program: Program, harbor: Connection, period: date
    ) -> None:
        other = ConnectionFactory.create()
        item(other, "acked", accounting_date=period)

        board = body_of(program.get("close", limit=1))
        rest = body_of(program.get("close", limit=1, after=board["next"]))

        (first,) = board["items"]
        assert (first["customer"]["slug"], first["unsynced"], first["done"]) == ("harbor", 1, 1)
        assert first["unsynced_amounts"][0]["decimal"] == "412.50"
        assert {one["standing"] for one in first["parts"]} == {"customer", "done"}
        assert first["forecast"]["outlook"] == "held"
        assert rest["items"][0]["state"] == "ready"
        assert body_of(program.get("close", state="ready"))["items"] == rest["items"]
        assert body_of(program.get("close/months/harbor"))[0]["period"] == f"{period:%Y-%m}"

    @pytest.mark.parametrize(
        ("name", "value"), [("state", "x"), ("after", "x"), ("period", "2020-01"), ("owners", "x")]
    )
    def test_refuses_nonsense_by_name(self, program: Program, name: str, value: str) -> None:
        assert problem_of(program.get("close", **{name: value}), 422)["errors"][0]["field"] == name

    def test_takes_and_shows_snapshots(
        self, program: Program, harbor: Connection, period: date
    ) -> None:
        taken = program.post("close/snapshots", customer="harbor", period=f"{period:%Y-%m}")

        assert taken.status_code == 201
        made = taken.json()
        assert (made["items"], made["taken_by"]) == (2, "maya")
        assert body_of(program.get(f"close/snapshots/{made['name']}")) == made
        listed = body_of(program.get("close/snapshots", customer="harbor"))
        assert listed["items"] == [made]
        assert "nightly report" in AuditLine.objects.get(act="close.snapshot").text
        problem_of(program.get("close/snapshots/SN-0000-20260101"), 404)
