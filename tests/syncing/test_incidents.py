"""One cause at many customers of one ERP: they pause, one tries, and all go on."""

import logging
import threading
from collections.abc import Sequence

import pytest
from django.db import connection as database
from django.db import connections

from connections.erp.errors import Code, ErpError
from connections.erp.refusals import refusal
from connections.models import AuditLine, Connection
from syncing import incidents, pauses, schedule
from syncing.engine import post_canary, post_due_items
from syncing.incident_pauses import CANARY_EVERY
from syncing.models import Incident, ItemEvent, Pause, Schedule, SyncItem
from syncing.recovery import recover_lost_items
from tests.syncing.world import World, let_time_pass, transaction_body

pytestmark = pytest.mark.django_db

LEAST = 5
DOWN = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")
ODD = refusal(Code.UNKNOWN, erp="Ledger")
CLOSED = refusal(Code.PERIOD_CLOSED, erp="Ledger")
UNTIL_NEXT = CANARY_EVERY.total_seconds() + 1


def worlds(number: int, **changes: str) -> list[World]:
    made = [World() for _ in range(number)]
    Connection.objects.filter(pk__in=[one.connection.pk for one in made]).update(**changes)
    for one in made:
        one.connection.refresh_from_db()
    Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")
    return made


def fail(world: World, error: ErpError | None) -> None:
    """From now on the ERP answers whatever is posted with this; None: it books."""
    world.erp.faults.refuse_with = error


def one_item_each(many: Sequence[World]) -> list[SyncItem]:
    return [world.ready(transaction_body())[0] for world in many]


def work(many: Sequence[World]) -> None:
    for world in many:
        post_canary(world.worker)
        post_due_items(world.worker)


def show(many: Sequence[World], error: ErpError = DOWN) -> list[SyncItem]:
    """Each of the customers fails for this reason."""
    items = one_item_each(many)
    for world in many:
        fail(world, error)
    work(many)
    return items


def states(items: Sequence[SyncItem]) -> list[str]:
    return [SyncItem.objects.get(pk=item.pk).state for item in items]


def rung() -> set[object]:
    let_time_pass(schedule.RING_AGAIN_SECONDS + 1)
    return {one.connection_id for one in schedule.ring() if one.work}


def paused(many: Sequence[World]) -> list[bool]:
    return [pauses.is_paused(world.connection, "bill") for world in many]


class TestOpening:
    def test_an_outage_at_many_customers_pauses_all_that_show_it(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        hit, fine = worlds(LEAST), worlds(2)
        show(hit)
        work(fine)

        with caplog.at_level(logging.ERROR, logger="syncing.incidents"):
            (opened,) = incidents.watch()

        assert (opened.customers, opened.title) == (LEAST, "Ledger does not answer.")
        assert paused(hit) == [True] * LEAST
        assert paused(fine) == [False, False]
        pause = Pause.objects.filter(connection=hit[0].connection).get()
        assert (pause.object_type, pause.is_automatic, pause.incident_id) == ("", True, opened.id)
        assert pause.reason == (
            "Many customers of Ledger have the same trouble: Ledger does not answer."
        )
        assert len(caplog.records) == 1, "one message, however many customers"
        (line,) = AuditLine.objects.filter(act="incident.open")
        assert line.text == f"{LEAST} customers of Ledger pause: Ledger does not answer."

    def test_fewer_are_each_a_customers_own_trouble(self) -> None:
        show(worlds(LEAST - 1))

        assert incidents.watch() == []
        assert not Pause.objects.exists()

    def test_customers_of_another_erp_do_not_count(self) -> None:
        show(worlds(LEAST - 1))
        show(worlds(1, erp_kind="tryton"))

        assert incidents.watch() == []

    def test_customers_that_are_not_live_do_not_count(self) -> None:
        hit = worlds(LEAST)
        show(hit)
        Connection.objects.filter(pk=hit[0].connection.pk).update(stage="paused")

        assert incidents.watch() == []

    def test_what_customers_can_mend_pauses_nobody(self) -> None:
        show(worlds(LEAST + 3), CLOSED)
        show(worlds(LEAST + 3), refusal(Code.AUTH_EXPIRED, erp="Ledger"))

        assert incidents.watch() == []
        assert not Pause.objects.exists()

    def test_an_error_that_only_we_can_mend_counts_where_nothing_was_booked_since(self) -> None:
        hit = worlds(LEAST)
        show(hit, ODD)
        fail(hit[0], None)
        one_item_each(hit[:1])
        work(hit[:1])
        assert incidents.watch() == [], "one of them books, so it is not stopped"

        show(worlds(1), ODD)

        (opened,) = incidents.watch()
        assert opened.customers == LEAST

    def test_what_was_seen_long_ago_does_not_count(self) -> None:
        hit = worlds(LEAST)
        show(hit, ODD)
        with database.cursor() as cursor:
            cursor.execute(
                "UPDATE syncing_errorcount SET last_seen_at = last_seen_at - interval '16 minutes'"
            )

        assert incidents.watch() == []

    def test_a_second_beat_opens_no_second_incident(self) -> None:
        show(worlds(LEAST))

        assert len(incidents.watch()) == 1
        assert incidents.watch() == []
        assert Incident.objects.count() == 1

    def test_one_outage_in_several_words_is_one_incident(self) -> None:
        """The circuits say silent, the items say unavailable."""
        hit = worlds(LEAST + 1)
        show(hit)

        incidents.watch()
        incidents.watch()

        assert Incident.objects.count() == 1

    def test_whoever_shows_it_later_joins(self) -> None:
        show(worlds(LEAST))
        incidents.watch()
        late = worlds(1)
        show(late)

        assert incidents.watch() == []

        assert paused(late) == [True]
        assert Pause.objects.filter(incident=Incident.objects.get()).count() == LEAST + 1

    def test_a_persons_pause_stays_theirs(self) -> None:
        hit = worlds(LEAST + 1)
        show(hit)
        pauses.pause(hit[0].connection, "", "Year-end closing", "ada")

        incidents.watch()

        theirs = Pause.objects.get(connection=hit[0].connection)
        assert (theirs.paused_by, theirs.incident_id) == ("ada", None)
        assert paused(hit) == [True] * (LEAST + 1)


class TestCanary:
    @pytest.fixture
    def hit(self) -> list[World]:
        """They pause for an incident, and each has an item that waits."""
        made = worlds(LEAST)
        show(made)
        incidents.watch()
        Schedule.objects.update(resume_at="2026-01-01T00:00Z")  # only the pause holds them
        SyncItem.objects.update(due_at="2026-01-01T00:00Z")
        return made

    def test_nobody_is_rung_for_until_it_is_time(self, hit: list[World]) -> None:
        assert rung() == set()
        work(hit)
        assert set(SyncItem.objects.values_list("state", flat=True)) == {"READY"}

    def test_one_customer_alone_is_rung_for_when_it_is_time(self, hit: list[World]) -> None:
        let_time_pass(UNTIL_NEXT)

        assert len(rung()) == 1

    def test_customers_take_turns(self, hit: list[World]) -> None:
        tried = set()
        for _ in hit:
            let_time_pass(UNTIL_NEXT)
            (canary,) = rung()
            tried.add(canary)
            work([world for world in hit if world.connection.pk == canary])
            incidents.watch()

        assert tried == {world.connection.pk for world in hit}
        assert set(Pause.objects.values_list("canaries", flat=True)) == {1}
        assert Incident.objects.get().ended_at is None

    def test_a_customer_without_work_is_passed_over(self, hit: list[World]) -> None:
        busy = hit[-1].connection
        SyncItem.objects.exclude(connection=busy).update(due_at=None)
        incidents.watch()
        let_time_pass(UNTIL_NEXT)

        assert rung() == {busy.pk}

    def test_one_that_is_booked_lets_all_go_on_and_each_is_posted_once(
        self, hit: list[World]
    ) -> None:
        for world in hit:
            fail(world, None)
        let_time_pass(UNTIL_NEXT)
        (canary,) = rung()
        first = next(world for world in hit if world.connection.pk == canary)

        post_canary(first.worker)

        incident = Incident.objects.get()
        assert incident.ended_at is not None
        assert incident.ended_because == f"One item of {first.connection.name} went through."
        assert not Pause.objects.filter(resumed_at=None).exists()
        (line,) = ItemEvent.objects.filter(kind="note")
        assert line.item.connection_id == canary
        assert "all go on" in line.text
        assert len(rung()) == LEAST - 1, "at once, whatever their circuits said"
        work(hit)
        assert set(SyncItem.objects.values_list("state", flat=True)) == {"POSTED"}
        assert [len(world.erp.books.entries) for world in hit] == [1] * LEAST
        assert incidents.watch() == []

    def test_what_was_under_way_when_it_began_ends_nothing(self) -> None:
        """Only what was let through on purpose says that all would go through."""
        made = worlds(LEAST)
        (lost,) = made[0].ready(transaction_body())
        made[0].erp.faults.lose_answers = 1
        post_due_items(made[0].worker)
        show(made)
        incidents.watch()
        fail(made[0], None)
        let_time_pass(50)

        recover_lost_items(made[0].worker)

        assert states([lost]) == ["POSTED"]
        assert Incident.objects.get().ended_at is None

    def test_a_type_that_is_paused_for_itself_sends_no_canary(self, hit: list[World]) -> None:
        for world in hit[1:]:
            SyncItem.objects.filter(connection=world.connection).update(due_at=None)
        pauses.pause(hit[0].connection, "transaction", "Year-end closing", "ada")
        incidents.watch()
        let_time_pass(UNTIL_NEXT)

        assert rung() == set()
        assert post_canary(hit[0].worker) == 0

    def test_a_customer_that_may_send_no_canary_keeps_nobody_waiting(
        self, hit: list[World]
    ) -> None:
        first = Pause.objects.get(canary_due_at__isnull=False).connection
        pauses.pause(first, "transaction", "Year-end closing", "ada")

        incidents.watch()
        let_time_pass(UNTIL_NEXT)

        (canary,) = rung()
        assert canary != first.pk

    def test_a_canary_that_never_comes_is_anothers_turn(self, hit: list[World]) -> None:
        """Such as where Ramp cannot be read, so that nothing is fresh enough to be sent."""
        (first, *others) = Pause.objects.order_by("-canaries", "paused_at", "pk")
        assert first.canary_due_at
        let_time_pass(CANARY_EVERY.total_seconds() + UNTIL_NEXT)

        turns = set()
        for _ in range(60):
            incidents.watch()
            turns.add(Pause.objects.get(canary_due_at__isnull=False).pk)

        assert turns == {first.pk, *(one.pk for one in others)}

    def test_after_an_hour_every_customer_reads_in_ramp_that_it_is_silent(
        self, hit: list[World]
    ) -> None:
        incidents.watch()
        assert not SyncItem.objects.exclude(failure_telling="").exists()
        Schedule.objects.update(erp_silent_since="2026-01-01T00:00Z")

        incidents.watch()

        told = SyncItem.objects.filter(failure_telling="due")
        assert told.count() == LEAST
        assert "from then on every 5 minutes until it answers" in told[0].error_text


class TestEnding:
    @pytest.fixture
    def hit(self) -> list[World]:
        made = worlds(LEAST)
        show(made)
        incidents.watch()
        return made

    def test_a_person_ends_it_for_all_of_them(self, hit: list[World]) -> None:
        incident = Incident.objects.get()

        assert incidents.end(incident, reason="The vendor says it is back", actor="ada") == LEAST

        incident.refresh_from_db()
        assert (incident.ended_by, incident.ended_because) == ("ada", "The vendor says it is back")
        assert paused(hit) == [False] * LEAST
        assert len(rung()) == LEAST
        assert AuditLine.objects.filter(actor="ada", act="incident.end").count() == 1
        with pytest.raises(incidents.IncidentIsOver):
            incidents.end(incident, reason="Again", actor="ada")

    def test_it_is_not_opened_again_by_what_was_seen_before(self, hit: list[World]) -> None:
        incidents.end(Incident.objects.get(), reason="It is back", actor="ada")

        assert incidents.watch() == []

    def test_it_opens_anew_if_the_trouble_goes_on(self, hit: list[World]) -> None:
        incidents.end(Incident.objects.get(), reason="It is back", actor="ada")
        let_time_pass(120)
        work(hit)

        (again,) = incidents.watch()

        assert Incident.objects.count() == 2
        assert again.customers == LEAST
        assert paused(hit) == [True] * LEAST

    def test_a_customer_that_a_person_lets_out_stays_out(self, hit: list[World]) -> None:
        assert pauses.resume(hit[0].connection, "", "Their ERP is fine", "ada")

        incidents.watch()

        assert paused(hit) == [False] + [True] * (LEAST - 1)
        assert Incident.objects.get().ended_at is None

    def test_a_pause_that_a_person_makes_theirs_outlives_the_incident(
        self, hit: list[World]
    ) -> None:
        pauses.pause(hit[0].connection, "", "Year-end closing", "ada")

        incidents.end(Incident.objects.get(), reason="It is back", actor="bob")

        assert paused(hit) == [True] + [False] * (LEAST - 1)

    def test_it_ends_when_nobody_pauses_for_it_any_more(self, hit: list[World]) -> None:
        for world in hit:
            pauses.resume(world.connection, "", "Their ERP is fine", "ada")

        incidents.watch()

        incident = Incident.objects.get()
        assert incident.ended_at is not None
        assert incident.ended_because == "No customer pauses for it any more."


@pytest.mark.django_db(transaction=True)
def test_two_beats_at_once_open_exactly_one_incident() -> None:
    show(worlds(LEAST))
    start = threading.Barrier(4)
    opened: list[int] = []

    def beat() -> None:
        try:
            start.wait()
            opened.append(len(incidents._watch()))
        finally:
            connections.close_all()

    beats = [threading.Thread(target=beat) for _ in range(4)]
    for one in beats:
        one.start()
    for one in beats:
        one.join()

    assert sorted(opened) == [0, 0, 0, 1]
    assert Incident.objects.count() == 1
    assert Pause.objects.count() == LEAST
    assert Pause.objects.filter(canary_due_at__isnull=False).count() == 1
