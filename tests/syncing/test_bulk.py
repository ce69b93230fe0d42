"""Acts on many items: looked at first, frozen, done in chunks, once each whatever is killed."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError
from django.db.models import QuerySet
from pytest_django import DjangoAssertNumQueries

from connections.models import AuditLine
from syncing import handling, releases
from syncing.bulk import acts, jobs, running
from syncing.bulk.acts import Act
from syncing.bulk.preview import preview
from syncing.models import Handling, Job, JobItem, SyncItem
from tests.factories import ConnectionFactory, PauseFactory, ScheduleFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db
MANY = 2 * acts.CHUNK + 1


def all_items() -> QuerySet[SyncItem]:
    return SyncItem.objects.all()


def start(act: Act = Act.RETRY, key: UUID | None = None, **argument: Any) -> Job:
    return jobs.start(
        act=act,
        argument=argument,
        items=all_items(),
        at_most=jobs.MOST,
        key=key or uuid4(),
        actor="maya",
        query="state=waiting-for-customer",
    )


def run(job: Job) -> Job:
    while running.run_next():
        pass
    job.refresh_from_db()
    return job


def outcomes(job: Job) -> list[tuple[str, str]]:
    return list(JobItem.objects.filter(job=job).order_by("pk").values_list("outcome", "text"))


class TestStarting:
    def test_freezes_the_items_their_money_and_their_customers(self) -> None:
        for _ in range(2):
            SyncItemFactory.create(failed=True, amount_minor=150)
        SyncItemFactory.create(failed=True, amount_minor=5, currency="JPY", exponent=0)

        job = start()
        SyncItemFactory.create(failed=True)

        assert (job.total, job.customers) == (3, 3)
        assert [str(money) for money in jobs.sums(job)] == ["3.00 USD", "5 JPY"]
        assert JobItem.objects.filter(job=job).count() == 3

    def test_the_same_form_sent_twice_is_one_job(self) -> None:
        SyncItemFactory.create(failed=True)
        key = uuid4()

        first, second = start(key=key), start(key=key)

        assert first == second
        assert Job.objects.count() == 1
        assert AuditLine.objects.filter(act="jobs.retry").count() == 1

    def test_the_key_of_another_person_makes_no_job(self) -> None:
        SyncItemFactory.create(failed=True)
        key = uuid4()
        start(key=key)

        with pytest.raises(jobs.NotStarted, match="Somebody else"):
            jobs.start(act=Act.RETRY, argument={}, items=all_items(), at_most=9, key=key, actor="x")

    def test_takes_no_more_than_was_shown_the_longest_waiting_first(self) -> None:
        young = SyncItemFactory.create(failed=True, ready_at=now() - timedelta(minutes=1))
        old = SyncItemFactory.create(failed=True, ready_at=now() - timedelta(hours=1))

        job = jobs.start(
            act=Act.RETRY, argument={}, items=all_items(), at_most=1, key=uuid4(), actor="maya"
        )

        assert list(job.members.values_list("item_id", flat=True)) == [old.pk]
        assert young.pk != old.pk

    def test_of_nothing_there_is_no_job(self) -> None:
        with pytest.raises(jobs.NotStarted, match="nothing to do"):
            start()

        assert not Job.objects.exists()

    @pytest.mark.parametrize(
        ("act", "argument"),
        [
            (Act.TAG, {"tag": "<b>"}),
            (Act.UNTAG, {}),
            (Act.SNOOZE, {"until": "tomorrow"}),
            (Act.SNOOZE, {"until": "2026-12-01T09:00"}),
            (Act.OUTSIDE, {"reason": " "}),
        ],
    )
    def test_what_an_act_could_not_do_never_becomes_a_job(
        self, act: Act, argument: dict[str, Any]
    ) -> None:
        SyncItemFactory.create(failed=True)

        with pytest.raises(jobs.NotStarted):
            start(act, **argument)

    def test_leaves_an_audit_line_with_what_was_asked(self) -> None:
        SyncItemFactory.create(failed=True)

        start(Act.ASSIGN, owner="tomas")

        line = AuditLine.objects.get()
        assert (line.actor, line.text) == ("maya", "Assign to tomas: 1 items of 1 customers.")
        assert line.data["query"] == "state=waiting-for-customer"

    def test_a_thousand_items_are_frozen_in_as_many_statements_as_one(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        connection = ConnectionFactory.create()
        SyncItem.objects.bulk_create(
            SyncItemFactory.build(connection=connection, failed=True) for _ in range(MANY)
        )

        with django_assert_num_queries(10):
            job = start()

        assert job.total == MANY
        done = run(job)
        assert (done.state, done.done, done.failed) == ("done", MANY, 0)
        assert SyncItem.objects.filter(state="READY").count() == MANY


class TestRetrying:
    def test_queues_what_failed_or_waits_and_says_why_not_of_the_rest(self) -> None:
        connection = ScheduleFactory.create().connection
        for trait in ({"failed": True}, {"retrying": True}, {"acked": True}, {"lapsed": True}):
            SyncItemFactory.create(connection=connection, **trait)
        waits = {"due_at": None, "error_title": "It waits for its bill."}
        SyncItemFactory.create(connection=connection, **waits)

        job = run(start())

        assert (job.state, job.done, job.failed) == ("done", 2, 3)
        assert sorted(outcomes(job)) == sorted(
            [
                ("done", "Queued again."),
                ("done", "Queued again."),
                ("refused", "It is through: posted in the ERP and reported to Ramp."),
                ("refused", "It is being posted, or looked up in the ERP. Wait for the answer."),
                ("refused", "It waits for its bill."),
            ]
        )
        assert SyncItem.objects.filter(state="READY", due_at__lte=now()).count() == 2

    def test_leaves_one_line_on_each_timeline_with_the_persons_name(self) -> None:
        item = SyncItemFactory.create(failed=True)

        run(start())

        assert list(item.events.values_list("kind", "actor")) == [("released", "maya")]

    def test_a_customer_is_rung_for_soon(self) -> None:
        schedule = ScheduleFactory.create(rung_at=now())
        SyncItemFactory.create(connection=schedule.connection, failed=True)

        run(start())

        schedule.refresh_from_db()
        assert schedule.rung_at
        assert schedule.rung_at < now() - timedelta(seconds=5)


class TestRunning:
    @pytest.fixture(autouse=True)
    def small_chunks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(running, "CHUNK", 2)

    def test_a_worker_that_dies_in_a_chunk_has_done_nothing_of_it(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(5):
            SyncItemFactory.create(failed=True)
        job = start()
        calls = iter(range(9))

        def dies_in_its_second_chunk(*args: Any, **options: Any) -> Any:
            done = releases_retry(*args, **options)
            if next(calls) == 1:
                raise SystemExit("killed")
            return done

        releases_retry = releases.retry
        monkeypatch.setattr(releases, "retry", dies_in_its_second_chunk)
        with pytest.raises(SystemExit):
            running.run_next()
        job.refresh_from_db()
        assert (job.done, SyncItem.objects.filter(state="READY").count()) == (2, 2)

        monkeypatch.setattr(releases, "retry", releases_retry)
        run(job)

        assert (job.done, job.failed) == (5, 0)
        lines = [item.events.filter(kind="released").count() for item in all_items()]
        assert lines == [1] * 5

    def test_an_item_that_breaks_its_chunk_is_refused_and_the_others_are_done(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        items = [SyncItemFactory.create(failed=True) for _ in range(7)]
        job, broken = start(), items[3].pk
        really = acts.carry_out

        def stumbles(job: Job, members: Any, *, actor: str) -> Any:
            if broken in members:
                raise KeyError("what nobody thought of")
            return really(job, members, actor=actor)

        monkeypatch.setattr(running, "CHUNK", 4)
        monkeypatch.setattr(running, "carry_out", stumbles)
        run(job)

        assert (job.state, job.done, job.failed) == ("done", 6, 1)
        refused = job.members.get(outcome="refused")
        assert (refused.item_id, refused.text) == (broken, running.OUR_MISTAKE)
        assert "A chunk of a job failed." in caplog.text

    def test_a_database_that_is_away_is_no_items_fault(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        SyncItemFactory.create(failed=True)
        job = start()

        def away(*_: Any, **__: Any) -> Any:
            raise OperationalError("the server closed the connection")

        monkeypatch.setattr(running, "carry_out", away)
        with pytest.raises(OperationalError):
            running.run_next()

        job.refresh_from_db()
        assert (job.state, job.failed) == ("running", 0)
        assert running.is_due()

    def test_a_worker_whose_lease_is_over_writes_nothing_more(self) -> None:
        SyncItemFactory.create(failed=True)
        job = start()
        Job.objects.filter(pk=job.pk).update(state="running", lease_token=uuid4())

        assert not running._do_chunk(job.pk, uuid4(), 2)
        assert SyncItem.objects.get().state == "FAILED"

    def test_two_workers_never_have_one_job(self) -> None:
        SyncItemFactory.create(failed=True)
        job = start()
        Job.objects.filter(pk=job.pk).update(
            state="running", lease_token=uuid4(), lease_until=now() + timedelta(minutes=1)
        )

        assert not running.is_due()
        assert not running.run_next()

    def test_jobs_take_turns(self) -> None:
        for _ in range(6):
            SyncItemFactory.create(failed=True)
        first, second = start(), start(Act.TAG, tag="vip")

        running.run_next(seconds=0)
        running.run_next(seconds=0)

        for job in (first, second):
            job.refresh_from_db()
        assert (first.done, second.done) == (2, 2)

    def test_a_stopped_job_does_no_more(self) -> None:
        for _ in range(4):
            SyncItemFactory.create(failed=True)
        job = start()
        running.run_next(seconds=0)

        assert jobs.stop(job, actor="hannah")
        assert not jobs.stop(job, actor="hannah")
        run(job)

        assert (job.state, job.stopped_by, job.done) == ("stopped", "hannah", 2)
        assert SyncItem.objects.filter(state="FAILED").count() == 2


class TestAgain:
    def test_takes_only_what_was_not_done(self) -> None:
        SyncItemFactory.create(failed=True)
        busy = SyncItemFactory.create(posting=True)
        job = run(start())

        second = jobs.again(job, actor="maya")

        assert list(second.members.values_list("item_id", flat=True)) == [busy.pk]
        assert jobs.again(job, actor="maya") == second

    def test_not_while_it_is_at_work(self) -> None:
        SyncItemFactory.create(failed=True)

        with pytest.raises(jobs.NotStarted, match="at work"):
            jobs.again(start(), actor="maya")


class TestUndoing:
    def test_an_assignment_is_given_back(self) -> None:
        had, was_free, kept = (SyncItemFactory.create() for _ in range(3))
        handling.assign([had.pk], owner="tomas", actor="tomas")
        handling.assign([kept.pk], owner="maya", actor="maya")
        job = run(start(Act.ASSIGN, owner="maya"))

        run(jobs.undo(job, actor="maya"))

        owners = dict(Handling.objects.values_list("item_id", "owner"))
        assert owners == {had.pk: "tomas", was_free.pk: "", kept.pk: "maya"}

    def test_a_tag_is_taken_off_those_that_did_not_have_it(self) -> None:
        had, new = (SyncItemFactory.create() for _ in range(2))
        handling.tag([had.pk], tag="vip", actor="tomas")
        job = run(start(Act.TAG, tag="vip"))

        undone = run(jobs.undo(job, actor="maya"))

        assert Handling.objects.get(item=had).tags == ["vip"]
        assert Handling.objects.get(item=new).tags == []
        assert undone.total == 1

    def test_a_snooze_ends(self) -> None:
        item = SyncItemFactory.create()
        until = (now() + timedelta(days=1)).isoformat()
        job = run(start(Act.SNOOZE, until=until, reason=""))
        assert Handling.objects.get(item=item).snoozed_until

        run(jobs.undo(job, actor="maya"))

        assert Handling.objects.get(item=item).snoozed_until is None

    def test_what_somebody_changed_since_is_left_alone_and_said(self) -> None:
        item = SyncItemFactory.create()
        job = run(start(Act.ASSIGN, owner="maya"))
        handling.assign([item.pk], owner="hannah", actor="hannah")

        undone = run(jobs.undo(job, actor="maya"))

        assert Handling.objects.get().owner == "hannah"
        ((outcome, words),) = outcomes(undone)
        assert (outcome, "left alone" in words) == ("refused", True)

    def test_twice_is_once_and_a_retry_cannot_be(self) -> None:
        SyncItemFactory.create(failed=True)
        job = run(start(Act.TAG, tag="vip"))
        assert jobs.undo(job, actor="maya") == jobs.undo(job, actor="maya")

        retried = run(start())
        with pytest.raises(jobs.NotStarted, match="cannot be undone"):
            jobs.undo(retried, actor="maya")


class TestOutside:
    def test_each_item_says_what_came_of_it(self) -> None:
        SyncItemFactory.create(failed=True, amount_minor=100)
        SyncItemFactory.create(acked=True)

        job = run(start(Act.OUTSIDE, reason="Booked by hand in October."))

        assert (job.done, job.failed) == (1, 1)
        assert SyncItem.objects.filter(state="EXTERNAL").count() == 1


class TestPreview:
    def test_says_how_many_how_much_whose_and_what_will_be_left_alone(self) -> None:
        harbor = ScheduleFactory.create(posts_per_second=2.0).connection
        for trait in ({"failed": True}, {"failed": True}, {"acked": True}):
            SyncItemFactory.create(connection=harbor, amount_minor=100, **trait)
        SyncItemFactory.create(lapsed=True, amount_minor=100)

        seen = preview(Act.RETRY, all_items(), now=now())

        assert (seen.items, seen.customers, seen.willing, seen.refused) == (4, 2, 2, 2)
        assert [str(money) for money in seen.sums] == ["4.00 USD"]
        assert [fate.look.label for fate in seen.fates] == [
            "Waiting for customer",
            "Uncertain",
            "Done",
        ]
        assert seen.lasts == timedelta(seconds=1)

    def test_says_that_a_paused_customers_items_wait(self) -> None:
        connection = ScheduleFactory.create(posts_per_second=2.0).connection
        PauseFactory.create(connection=connection, object_type="")
        SyncItemFactory.create(connection=connection, failed=True)

        (load,) = preview(Act.RETRY, all_items(), now=now()).loads

        assert load.waits == "Paused: they are queued and wait."
        assert load.lasts is None

    def test_more_than_one_job_takes_are_counted_up_to_there(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("syncing.bulk.preview.MOST", 2)
        for _ in range(3):
            SyncItemFactory.create(failed=True)

        seen = preview(Act.RETRY, all_items(), now=now())

        assert (seen.items, seen.is_all) == (2, False)

    def test_takes_as_many_statements_for_many_customers_as_for_one(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(12):
            SyncItemFactory.create(connection=ScheduleFactory.create().connection, failed=True)

        with django_assert_num_queries(3):
            seen = preview(Act.RETRY, all_items(), now=now())

        assert seen.more_customers == 4


def test_every_act_that_can_be_asked_for_is_known_how_to_be_done() -> None:
    assert set(acts.KINDS) == set(Act) == set(acts._DOES)
