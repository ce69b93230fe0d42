"""A card statement of Ramp is explained line by line (R-64)."""

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from rampbridge.lib.money import Money
from syncing.card_statements import nearest_midnight
from syncing.queries import card_statements
from syncing.statement_rules import Finding, Known, Listed, Section, compare
from tests.factories import ConnectionFactory
from tests.syncing.closing.world import item, line, section, statement

MOMENT = datetime(2026, 10, 9, tzinfo=UTC)
IN_OCTOBER = datetime(2026, 10, 12, tzinfo=UTC)


def usd(minor: int) -> Money:
    return Money(minor, "USD", 2)


def known(minor: int, state: str = "ACKED", kind: str = "transaction", why: str = "") -> Known:
    return Known(1, uuid4(), kind, None, "Uline", date(2026, 10, 9), usd(minor), state, why, "J-1")


def listed(one: Known, kind: str = "CARD_TRANSACTION") -> Listed:
    return Listed(one.ramp_id, kind, MOMENT, MOMENT)


def sums(charges: int, credits_: int = 0, payments: int = 0) -> Section:
    return Section(None, usd(0), usd(charges), usd(credits_), usd(payments), usd(0))


class TestCompare:
    def test_agrees_when_everything_is_synced_and_the_sums_are_ours(self) -> None:
        bought, back = known(1000), known(-100)
        given, paid = known(30, kind="cashback"), known(900, kind="transfer")
        lines = [listed(bought), listed(back), listed(given, "CASHBACK"),
                 listed(paid, "TRANSFER_PAYMENT")]  # fmt: skip

        found = compare(lines, [sums(1000, 130, 900)], [bought, back, given, paid], [], {})

        assert found.agrees
        assert found.count(Finding.SYNCED) == 4

    def test_explains_a_difference_by_the_lines_that_make_it(self) -> None:
        booked, failed = known(1000), known(400, "FAILED", why="October is closed.")
        changed, outside = known(50, "MISMATCH"), known(70, "EXTERNAL")
        lines = [listed(one) for one in (booked, failed, changed, outside)]
        stranger = Listed(uuid4(), "CARD_TRANSACTION", MOMENT, MOMENT)

        found = compare(
            [*lines, stranger], [sums(1600)], [booked, failed, changed, outside], [], {}
        )

        (charges, *_) = found.sections[0].figures
        assert charges.difference == usd(600)
        assert charges.explained == {
            Finding.UNSYNCED: usd(400),
            Finding.DIFFERS: usd(50),
            Finding.OUTSIDE: usd(70),
        }
        assert charges.left_over == usd(80)
        assert found.lines[0].why == "October is closed."
        assert not found.agrees

    @pytest.mark.parametrize(
        ("kind", "cleared", "finding"),
        [
            ("CARD_TRANSACTION", None, Finding.PENDING),
            ("CARD_TRANSACTION", MOMENT, Finding.UNKNOWN),
            ("CASHBACK", None, Finding.UNKNOWN),
            ("WIRE", MOMENT, Finding.UNKNOWN),
        ],
    )
    def test_never_passes_over_a_line_that_we_do_not_have(
        self, kind: str, cleared: datetime | None, finding: Finding
    ) -> None:
        found = compare([Listed(uuid4(), kind, MOMENT, cleared)], [], [], [], {})

        assert [one.finding for one in found.lines] == [finding]
        assert not found.agrees

    def test_tells_what_is_synced_and_stands_elsewhere_or_nowhere(self) -> None:
        other, nowhere = known(1), known(2)

        found = compare([], [], [], [other, nowhere], {other.ramp_id: "of 1 Nov to 30 Nov 2026"})

        assert [(one.finding, one.known) for one in found.lines] == [
            (Finding.NOT_LISTED, nowhere),
            (Finding.OTHER_STATEMENT, other),
        ]


@pytest.mark.django_db
class TestComparedStatement:
    def test_is_read_from_our_items_whoever_elses_they_look_like(self) -> None:
        connection, other = ConnectionFactory.create(), ConnectionFactory.create()
        booked = item(connection, "acked", amount_minor=500, ready_at=IN_OCTOBER)
        failed = item(connection, "failed", amount_minor=200, ready_at=IN_OCTOBER)
        withdrawn = item(connection, state="WITHDRAWN", ready_at=IN_OCTOBER)
        item(other, "acked", ramp_id=failed.ramp_id)
        beside = item(connection, "acked", ready_at=IN_OCTOBER, object_type="cashback")
        item(connection, "acked", ready_at=IN_OCTOBER, object_type="bill")
        on_next = item(connection, "acked", ready_at=IN_OCTOBER)
        statement(connection, [line(on_next)], start=date(2026, 11, 1), end=date(2026, 12, 1))
        made = statement(
            connection, [line(booked), line(failed), line(withdrawn)], [section(charges=700)]
        )

        found = card_statements.compared(made)

        assert {_id(one.known): one.finding for one in found.lines} == {
            booked.pk: Finding.SYNCED,
            failed.pk: Finding.UNSYNCED,
            withdrawn.pk: Finding.TAKEN_BACK,
            beside.pk: Finding.NOT_LISTED,
            on_next.pk: Finding.OTHER_STATEMENT,
        }
        assert found.sections[0].figures[0].difference == usd(200)
        assert {one.why for one in found.lines if one.finding is Finding.OTHER_STATEMENT} == {
            "It stands on the statement of 1 Nov to 30 Nov 2026."
        }

    def test_is_counted_for_the_list_as_it_is_explained(self) -> None:
        connection = ConnectionFactory.create()
        booked, failed = item(connection, "acked"), item(connection, "failed")
        stranger = line(booked, id=str(uuid4()))
        made = statement(connection, [line(booked), line(failed), stranger], [section(charges=9)])
        older = statement(connection, [], start=date(2026, 9, 1), end=date(2026, 10, 1))
        older.body["statement_lines"] = None
        older.save()

        rows, is_more = card_statements.page(connection)

        assert [(row.statement.pk, row.lines, row.synced, row.unsynced) for row in rows] == [
            (made.pk, 3, 1, 2),
            (older.pk, 0, 0, 0),
        ]
        assert rows[0].balances == [usd(9)]
        assert not is_more


@pytest.mark.parametrize(
    "end", ["2026-11-01T00:00", "2026-10-31T23:59:59", "2026-11-01T05:00", "2026-10-31T15:00"]
)
def test_a_statement_ends_where_a_day_begins_whatever_midnight_ramp_means(end: str) -> None:
    assert nearest_midnight(datetime.fromisoformat(f"{end}+00:00")) == date(2026, 11, 1)


def _id(one: Known | None) -> int | None:
    return one.item_id if one else None
