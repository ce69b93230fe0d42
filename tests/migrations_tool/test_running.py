"""Acts on steps: asked for by people, done by workers, and what becomes of a worker that dies."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from connections.ramp.errors import RampUnreachable
from migrations_tool import gates, handlers, proofs, reviewing, running, services, tasks
from migrations_tool.models import ConnectionMigration, Evidence, StepRecord, StepRun, Watch
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Gate, Light, Refused, Status, StepNotCurrent, StepNotYours
from migrations_tool.work import LeaseLost, Work
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db

SEEN = "plan.seen"
clock = timezone.now


class Acting(Handler):
    """A step that keeps one proof, and does whatever a test has it do."""

    watch_every = timedelta(minutes=1)

    def __init__(self) -> None:
        self.does: Callable[[Work], object] = self.see
        self.took_back = 0

    def see(self, work: Work, *, is_good: bool = True) -> None:
        work.keep()
        work.evidence(SEEN, "It was seen.", is_good=is_good, good_for=timedelta(hours=1))
        work.say("All is well.")

    def check(self, work: Work) -> None:
        self.does(work)

    def undo(self, work: Work) -> None:
        self.took_back += 1

    def watch(self, work: Work) -> None:
        self.does(work)

    def is_watching(self, migration: ConnectionMigration) -> bool:
        return True

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return [gate_of_evidence(newest(migration, SEEN), SEEN, "Seen", now=now, fix="Look.")]


@pytest.fixture
def handler() -> Iterator[Acting]:
    acting = Acting()
    with patch.dict(handlers.HANDLERS, {Step.PLAN: acting, Step.ACCESS: Handler()}):
        yield acting


@pytest.fixture
def migration(handler: Acting) -> ConnectionMigration:
    return services.start(
        ConnectionFactory.create(), path=Path.MIGRATION, actor="ines", now=timezone.now()
    )


def ask(
    migration: ConnectionMigration,
    act: Act = Act.CHECK,
    actor: str = "ines",
    step: Step = Step.PLAN,
) -> StepRun:
    version = gates.standings_of(migration)[step].version
    now = timezone.now()
    return services.ask(migration, step, act, version=version, actor=actor, now=now)


def done(run: StepRun) -> StepRun:
    StepRun.objects.filter(pk=run.pk).update(due_at=Now())
    ended = running.do(run.pk, clock=clock)
    assert ended is not None
    return ended


def status(migration: ConnectionMigration, step: Step = Step.PLAN) -> Status:
    return gates.standings_of(migration)[step].status


class TestAsking:
    def test_on_a_machine_whose_clock_is_fast_is_for_now(
        self, migration: ConnectionMigration
    ) -> None:
        version = StepRecord.objects.get(migration=migration, step=Step.PLAN).version
        in_an_hour = timezone.now() + timedelta(hours=1)

        run = services.ask(
            migration, Step.PLAN, Act.CHECK, version=version, actor="ines", now=in_an_hour
        )

        assert running.due() == [run.pk]

    def test_from_a_stale_page_is_refused(self, migration: ConnectionMigration) -> None:
        with pytest.raises(StepNotCurrent):
            services.ask(
                migration, Step.PLAN, Act.CHECK, version=99, actor="ines", now=timezone.now()
            )

    def test_for_what_somebody_runs_already_is_refused(
        self, migration: ConnectionMigration
    ) -> None:
        ask(migration, actor="ana")

        with pytest.raises(StepNotYours, match="ana is running this step"):
            ask(migration, actor="ines")

    def test_for_what_a_step_cannot_do_is_refused(self, migration: ConnectionMigration) -> None:
        with pytest.raises(Refused, match="Plan has nothing to undo"):
            ask(migration, Act.UNDO)

    def test_of_an_ended_migration_is_refused(self, migration: ConnectionMigration) -> None:
        ended = ConnectionMigration.State.ABANDONED
        services.end(migration, ended, because="No.", actor="ines", now=timezone.now())
        migration.refresh_from_db()

        with pytest.raises(Refused, match="has ended"):
            ask(migration)

    def test_for_what_the_path_does_not_need_is_refused(self, handler: Acting) -> None:
        now = timezone.now()
        fresh = services.start(ConnectionFactory.create(), path=Path.FRESH, actor="ines", now=now)

        with pytest.raises(Refused, match="not needed on this path"):
            ask(fresh, step=Step.BACKUP)

    def test_makes_a_step_one_that_somebody_has_looked_at(
        self, migration: ConnectionMigration
    ) -> None:
        ask(migration)

        assert status(migration) is Status.IN_PROGRESS


class TestARun:
    def test_is_done_once_and_says_how_it_ended(self, migration: ConnectionMigration) -> None:
        run = ask(migration)

        assert running.due() == [run.pk]
        assert done(run).title == "All is well."
        assert running.do(run.pk, clock=clock) is None
        assert running.due() == []

    def test_leaves_the_step_as_its_conditions_say(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        handler.does = lambda work: handler.see(work, is_good=False)
        done(ask(migration))

        assert status(migration) is Status.BLOCKED

    def test_that_is_refused_says_why(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def refuse(work: Work) -> None:
            raise Refused("Choose a day first.")

        handler.does = refuse
        run = done(ask(migration))

        assert (run.state, run.title) == (StepRun.State.REFUSED, "Choose a day first.")
        assert ask(migration).state == StepRun.State.WAITING

    def test_that_hears_nothing_is_tried_again_by_itself(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def hear_nothing(work: Work) -> None:
            work.place["page"] = 7
            raise RampUnreachable("no answer")

        handler.does = hear_nothing
        run = done(ask(migration))

        assert run.state == StepRun.State.WAITING
        assert "tried again by itself" in run.doing
        assert running.due() == []

        handler.does = lambda work: work.say(f"Went on from page {work.place['page']}.")
        assert done(run).title == "Went on from page 7."

    def test_that_hears_nothing_for_too_long_ends_with_words(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def hear_nothing(work: Work) -> None:
            raise RampUnreachable("no answer")

        handler.does = hear_nothing
        run = ask(migration)
        for _ in range(running.MOST_TRIES):
            run = done(run)

        assert run.state == StepRun.State.FAILED
        assert run.title

    def test_that_breaks_off_by_our_mistake_says_so_and_is_raised(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def stumble(work: Work) -> None:
            raise ZeroDivisionError

        handler.does = stumble
        run = ask(migration)
        with pytest.raises(ZeroDivisionError):
            running.do(run.pk, clock=clock)

        run.refresh_from_db()
        assert run.state == StepRun.State.FAILED
        assert "a mistake of ours (ZeroDivisionError)" in run.title
        assert "Tell an admin" in run.fix


class TestADeadWorker:
    def test_gives_the_run_to_the_next_with_its_place(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        class Killed(BaseException):
            """What no `except Exception` catches, as a kill."""

        def die(work: Work) -> None:
            work.place["after"] = "c"
            work.progress(3, 9, "Accounts")
            raise Killed

        handler.does = die
        run = ask(migration)
        with pytest.raises(Killed):
            running.do(run.pk, clock=clock)
        assert running.due() == []  # its lease still runs

        handler.does = lambda work: work.say(f"Went on after {work.place['after']}.")
        ended = done(run)

        assert (ended.state, ended.title) == (StepRun.State.DONE, "Went on after c.")
        assert ended.tries == 2

    def test_that_was_only_slow_stops_without_a_word(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def be_overtaken(work: Work) -> None:
            handler.does = handler.see
            done(run)
            work.keep()
            raise AssertionError("it went on without its lease")

        handler.does = be_overtaken
        run = ask(migration)

        assert running.do(run.pk, clock=clock) is None
        run.refresh_from_db()
        assert run.title == "All is well."
        assert Evidence.objects.filter(migration=migration, code=SEEN).count() == 1

    def test_cannot_write_its_progress_over_the_next_ones(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def be_overtaken(work: Work) -> None:
            handler.does = lambda other: other.progress(8, 9)
            done(run)
            with pytest.raises(LeaseLost):
                work.progress(1, 9)

        handler.does = be_overtaken
        run = ask(migration)
        running.do(run.pk, clock=clock)

        run.refresh_from_db()
        assert run.done_items == 8

    def test_again_and_again_is_given_up_with_words(self, migration: ConnectionMigration) -> None:
        run = ask(migration)
        StepRun.objects.filter(pk=run.pk).update(tries=running.MOST_TRIES)

        assert running.do(run.pk, clock=clock) is None
        run.refresh_from_db()
        assert run.state == StepRun.State.FAILED
        assert "never ended" in run.title


class TestCompleting:
    def test_checks_again_at_the_click(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        done(ask(migration))
        handler.does = lambda work: handler.see(work, is_good=False)

        run = done(ask(migration, Act.COMPLETE))

        assert run.state == StepRun.State.REFUSED
        assert run.title == "Seen: It was seen. Look."
        assert status(migration) is Status.BLOCKED

    def test_leaves_evidence_of_who_completed_it(self, migration: ConnectionMigration) -> None:
        done(ask(migration, Act.COMPLETE, actor="ana"))

        assert status(migration) is Status.DONE
        line = newest(migration, "wizard.completed")
        assert line is not None
        assert line.by == "ana"

    def test_waits_for_the_steps_it_needs(self, migration: ConnectionMigration) -> None:
        run = done(ask(migration, Act.COMPLETE, step=Step.ACCESS))

        assert run.state == StepRun.State.REFUSED
        assert "Still open: 0 Plan" in run.title

    def test_waits_for_one_whose_evidence_grew_old_meanwhile(
        self, migration: ConnectionMigration
    ) -> None:
        done(ask(migration, Act.COMPLETE))
        run = ask(migration, Act.COMPLETE, step=Step.ACCESS)

        later = timezone.now() + timedelta(hours=2)
        ended = running.do(run.pk, clock=lambda: later)

        assert ended is not None
        assert ended.state == StepRun.State.REFUSED
        assert "0 Plan (its evidence is stale)" in ended.title


class TestStaleEvidence:
    def test_makes_a_done_step_stale_and_a_check_makes_it_good(
        self, migration: ConnectionMigration
    ) -> None:
        done(ask(migration, Act.COMPLETE))
        later = timezone.now() + timedelta(hours=2)

        assert reviewing.review(migration, now=later) == [Step.PLAN]
        assert status(migration) is Status.STALE

        done(ask(migration, Act.CHECK))
        assert status(migration) is Status.DONE

    def test_is_found_without_anybody_asking(self, migration: ConnectionMigration) -> None:
        done(ask(migration, Act.COMPLETE))
        old = timezone.now() - timedelta(hours=1)
        Evidence.objects.create(
            migration=migration, step="plan", code=SEEN, at=timezone.now(), by="ines",
            is_good=True, text="Seen.", stale_at=old,
        )  # fmt: skip

        assert reviewing.open_ones() == [migration.pk]
        tasks.review_migration(migration_id=str(migration.pk))

        assert status(migration) is Status.STALE

    def test_cannot_be_changed_or_taken_away(self, migration: ConnectionMigration) -> None:
        done(ask(migration))

        with pytest.raises(Exception, match="Cannot update"):
            Evidence.objects.filter(migration=migration).update(text="Not seen.")


class TestWatching:
    def test_looks_by_itself_and_sees_whose_move_it_is(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        handler.does = lambda work: handler.see(work, is_good=False)
        watch = Watch.objects.create(migration=migration, step=Step.PLAN, due_at=timezone.now())

        assert watch.pk in running.watches_due()
        running.watch(watch.pk, clock=clock)

        assert status(migration) is Status.BLOCKED
        assert running.watches_due() == []

    def test_keeps_in_words_what_stood_in_its_way(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def refuse(work: Work) -> None:
            raise Refused("The plan is not done.")

        handler.does = refuse
        watch = Watch.objects.create(migration=migration, step=Step.PLAN, due_at=timezone.now())
        running.watch(watch.pk, clock=clock)

        watch.refresh_from_db()
        assert watch.trouble == "The plan is not done."


def test_a_record_counts_up_when_a_run_ends_so_that_pages_hear_of_it(
    migration: ConnectionMigration,
) -> None:
    run = ask(migration)
    before = StepRecord.objects.get(migration=migration, step=Step.PLAN).version
    done(run)

    assert StepRecord.objects.get(migration=migration, step=Step.PLAN).version > before


class TestTurns:
    @pytest.mark.parametrize("act", [Act.APPLY, Act.COMPLETE])
    def test_long_acts_of_many_customers_leave_workers_for_what_syncs(self, act: Act) -> None:
        now = timezone.now()
        runs = []
        for _ in range(running.MOST_LONG + 2):
            begun = services.start(
                ConnectionFactory.create(), path=Path.MIGRATION, actor="ines", now=now
            )
            runs.append(ask(begun, act, step=Step.BACKUP))
        look = ask(begun)
        StepRun.objects.update(due_at=Now() - timedelta(seconds=1))
        first = next(pk for pk in running.due() if pk != look.pk)
        StepRun.objects.filter(pk=first).update(
            state=StepRun.State.RUNNING, due_at=Now() + timedelta(minutes=2)
        )

        due = running.due()

        assert look.pk in due
        assert len(due) == running.MOST_LONG - 1 + 1
        StepRun.objects.filter(pk=first).update(state=StepRun.State.DONE)
        assert len(running.due()) == running.MOST_LONG + 1


def test_the_newest_evidence_is_what_was_written_last_whatever_clocks_say(
    migration: ConnectionMigration,
) -> None:
    now = timezone.now()
    for at, text in ((now, "By a worker whose clock is ahead."), (now - timedelta(minutes=5), "")):
        Evidence.objects.create(
            migration=migration,
            step=Step.PLAN,
            code=SEEN,
            at=at,
            by="ines",
            is_good=not text,
            text=text,
        )

    found = proofs.newest(migration, SEEN)

    assert found is not None
    assert found.is_good
    proofs.read_ahead(migration, Step.PLAN)
    ahead = proofs.newest(migration, SEEN)
    assert ahead is not None
    assert ahead.is_good


class TestALostLease:
    def test_leaves_no_evidence_that_looks_newer_than_it_is(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def be_overtaken(work: Work) -> None:
            handler.does = lambda other: handler.see(other, is_good=False)
            done(run)
            work.evidence(SEEN, "It was seen long ago.", is_good=True)

        handler.does = be_overtaken
        run = ask(migration)

        assert running.do(run.pk, clock=clock) is None
        seen = newest(migration, SEEN)
        assert seen is not None
        assert not seen.is_good

    def test_completes_nothing(self, migration: ConnectionMigration, handler: Acting) -> None:
        def be_overtaken(work: Work) -> None:
            handler.see(work)
            StepRun.objects.filter(pk=run.pk).update(lease=None)

        handler.does = be_overtaken
        run = ask(migration, Act.COMPLETE)

        assert running.do(run.pk, clock=clock) is None
        assert status(migration) is Status.IN_PROGRESS
        assert newest(migration, "wizard.completed") is None


class TestRacing:
    def test_a_look_begun_before_does_not_reopen_what_is_completed_meanwhile(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        def be_completed_first(*_: object, **__: object) -> Sequence[Gate]:
            handler_gates.stop()
            done(ask(migration, Act.COMPLETE))
            return [Gate("plan.seen", "Seen", Light.RED)]

        handler_gates = patch.object(running, "gates_of", be_completed_first)
        handler_gates.start()
        running.look_again(migration, Step.PLAN, timezone.now())

        assert status(migration) is Status.DONE

    def test_what_is_completed_is_held_against_the_plan_as_it_is_then(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        run = ask(migration, Act.COMPLETE)
        StepRecord.objects.filter(migration=migration, step=Step.PLAN).update(
            status=Status.NOT_NEEDED
        )

        assert done(run).state == StepRun.State.REFUSED
        assert status(migration) is Status.NOT_NEEDED

    def test_nothing_is_taken_back_while_something_else_is_run(
        self, migration: ConnectionMigration
    ) -> None:
        ask(migration, Act.CHECK, actor="ana")

        with pytest.raises(StepNotYours, match="ana is running Plan"):
            ask(migration, Act.UNDO, step=Step.PRELOAD)

    def test_nothing_is_begun_while_something_is_taken_back(
        self, migration: ConnectionMigration
    ) -> None:
        ask(migration, Act.UNDO, step=Step.PRELOAD, actor="ana")

        with pytest.raises(StepNotYours, match="ana is taking back Preload"):
            ask(migration, Act.CHECK)

    def test_after_the_switch_posting_can_be_stopped_whatever_is_run(
        self, migration: ConnectionMigration
    ) -> None:
        ConnectionMigration.objects.filter(pk=migration.pk).update(flipped_at=timezone.now())
        ask(migration, Act.CHECK)

        assert ask(migration, Act.UNDO, step=Step.FLIP).is_open

    def test_nothing_is_begun_once_another_page_has_ended_the_migration(
        self, migration: ConnectionMigration
    ) -> None:
        services.end(
            ConnectionMigration.objects.get(pk=migration.pk),
            ConnectionMigration.State.ABANDONED,
            because="No.",
            actor="ana",
            now=timezone.now(),
        )

        with pytest.raises(Refused, match="has ended"):
            ask(migration)

    def test_a_worker_that_died_after_ending_the_migration_is_no_refusal(
        self, migration: ConnectionMigration
    ) -> None:
        run = ask(migration, Act.COMPLETE)
        ConnectionMigration.objects.filter(pk=migration.pk).update(state="finished")
        StepRecord.objects.filter(migration=migration, step=Step.PLAN).update(status=Status.DONE)

        ended = done(run)

        assert (ended.state, ended.title) == (
            StepRun.State.DONE,
            "Finished: the migration has ended with it.",
        )


class TestALongWatch:
    def test_is_not_begun_a_second_time_while_it_lasts(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        running.watches_due()
        watch_id = Watch.objects.get(migration=migration, step=Step.PLAN).pk

        def last(work: Work) -> None:
            Watch.objects.filter(pk=watch_id).update(due_at=Now() - timedelta(minutes=1))
            work.keep()
            assert running.watches_due() == []

        handler.does = last
        running.watch(watch_id, clock=clock)

        watch = Watch.objects.get(pk=watch_id)
        assert watch.last_at is not None
        assert watch.lease is None

    def test_stops_if_another_worker_has_begun_it(
        self, migration: ConnectionMigration, handler: Acting
    ) -> None:
        running.watches_due()
        watch_id = Watch.objects.get(migration=migration, step=Step.PLAN).pk

        def be_overtaken(work: Work) -> None:
            handler.does = handler.see
            running.watch(watch_id, clock=clock)
            work.evidence(SEEN, "It was seen long ago.", is_good=False)

        handler.does = be_overtaken
        running.watch(watch_id, clock=clock)

        assert [one.is_good for one in Evidence.objects.filter(code=SEEN)] == [True]
