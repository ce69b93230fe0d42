"""Pages of migrations: who may do what, and what a page says that somebody else has overtaken."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migrations_tool import handlers, services
from migrations_tool.models import ConnectionMigration, Evidence, StepRecord, StepRun, Waiver
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import LABELS, Gate, Light, Status
from tests.factories import ConnectionFactory, UserFactory

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}
MOST_TO_HEAR_NOTHING = 9
"""Statements of a poll that finds nothing new: three are the session, the person and the roles."""


class Gated(Handler):
    """A condition that is not met and may be waived."""

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return (
            Gate("preload.parity", "Parity", Light.RED, "213 of 214.", "Preload again.",
                 may_be_waived=True),
        )  # fmt: skip


@pytest.fixture(autouse=True)
def gated() -> Iterator[None]:
    """Steps of which this file knows what they show."""
    plain = {Step.PRELOAD: Gated(), Step.HYPERCARE: Handler()}
    with (
        patch.dict(handlers.HANDLERS, plain),
        patch("migrations_tool.views.steps.panel_template", return_value=DEFAULT),
    ):
        yield


DEFAULT = "migrations_tool/steps/_default.html"


@pytest.fixture
def migration() -> ConnectionMigration:
    customer = ConnectionFactory.create(name="Harbor Coffee Roasters")
    return services.start(customer, path=Path.MIGRATION, actor="ines", now=timezone.now())


@pytest.fixture
def ines(client: Client) -> Client:
    client.force_login(UserFactory.create(username="ines", roles=["implementer"]))
    return client


def somebody(name: str, *roles: str) -> Client:
    client = Client()
    client.force_login(UserFactory.create(username=name, roles=list(roles)))
    return client


def url(name: str, migration: ConnectionMigration, *rest: object) -> str:
    return reverse(name, args=[migration.pk, *rest])


def record(migration: ConnectionMigration, step: Step = Step.PRELOAD) -> StepRecord:
    return StepRecord.objects.get(migration=migration, step=step)


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def plan_is_made(migration: ConnectionMigration, act: Act = Act.PLAN) -> None:
    now = timezone.now()
    StepRun.objects.create(migration=migration, step=Step.PRELOAD, act=act, actor="ines",
                           state=StepRun.State.DONE, asked_at=now, due_at=now)  # fmt: skip


def seen(migration: ConnectionMigration, step: str = "preload", **changes: Any) -> Evidence:
    values = {"code": f"{step}.x", "by": "ana", "is_good": True, "text": "Seen."}
    return Evidence.objects.create(
        migration=migration, step=step, at=timezone.now(), **(values | changes)
    )


class TestAStepsPage:
    @pytest.mark.parametrize("step", Step)
    def test_says_what_it_is_for_and_how_one_comes_back(
        self, ines: Client, migration: ConnectionMigration, step: Step
    ) -> None:
        with patch.dict(handlers.HANDLERS, {step: Handler()}):
            page = text_of(ines.get(url("migration_step", migration, step)))

        assert "What could go wrong" in page
        assert "Way back" in page
        assert "Point of no return" in page
        assert f"“{migration.connection.ramp_provider_name}”" in page

    @pytest.mark.parametrize("status", Status)
    def test_names_every_status_in_words(
        self, ines: Client, migration: ConnectionMigration, status: Status
    ) -> None:
        records = StepRecord.objects.filter(migration=migration, step=Step.HYPERCARE)
        if status is Status.STALE:
            records.update(status=Status.DONE, stale_because="The chart changed.")
        else:
            records.update(status=status)

        assert LABELS[status] in text_of(ines.get(url("migration_step", migration, "hypercare")))

    def test_of_a_whole_migration_is_the_one_to_be_done_next(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        early = [Step.PLAN, Step.ACCESS]
        StepRecord.objects.filter(step__in=early).update(status=Status.DONE)

        answer = ines.get(url("migration", migration))

        assert answer["Location"] == url("migration_step", migration, "inventory")

    def test_that_nobody_has_is_not_found(self, ines: Client) -> None:
        assert ines.get("/migrations/99999/plan/").status_code == 404
        assert ines.get("/migrations/99999/").status_code == 404

    def test_hears_nothing_in_few_statements_while_nothing_changes(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        where = url("migration_step", migration, "preload")
        page = ines.get(where)
        live = page.context["live_url"]
        with CaptureQueriesContext(database) as statements:
            answer = ines.get(live, headers=HTMX)

        assert answer.status_code == 204
        assert len(statements) <= MOST_TO_HEAR_NOTHING

    def test_hears_of_progress_of_evidence_and_of_people(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        where = url("migration_step", migration, "preload")

        def news(change: Callable[[], object]) -> str:
            live = ines.get(where).context["live_url"]
            assert ines.get(live, headers=HTMX).status_code == 204
            change()
            return text_of(ines.get(live, headers=HTMX))

        assert "Plan:</strong> done" in news(lambda: plan_is_made(migration))
        ana = somebody("ana", "support")
        assert "ana is here" in news(lambda: ana.get(where))
        assert news(lambda: seen(migration))

    def test_shows_how_far_a_worker_is_and_who_asked(
        self, migration: ConnectionMigration, ines: Client
    ) -> None:
        now = timezone.now()
        StepRun.objects.create(
            migration=migration, step=Step.PRELOAD, act=Act.APPLY, actor="ana", asked_at=now,
            due_at=now, state=StepRun.State.RUNNING, done_items=310, all_items=1240,
            doing="Vendors",
        )  # fmt: skip
        page = text_of(ines.get(url("migration_step", migration, "preload")))

        assert "310 of 1,240" in page
        assert "25 %" in page
        assert "ana runs it" in page
        assert "disabled" in page


class TestActs:
    def test_are_asked_of_a_worker(self, ines: Client, migration: ConnectionMigration) -> None:
        answer = self._do(ines, migration, "check")

        assert answer.status_code == 200
        assert "Checking both sides" in text_of(answer)
        run = StepRun.objects.get()
        assert (run.act, run.actor) == ("check", "ines")

    def test_from_a_stale_page_show_the_step_as_it_is_and_say_so(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        answer = self._do(ines, migration, "check", version=77)

        assert answer.status_code == 409
        assert "has changed since this page was loaded" in text_of(answer)
        assert not StepRun.objects.exists()

    def test_beside_somebody_elses_say_who_it_is(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        self._do(somebody("ana", "implementer"), migration, "check")
        answer = self._do(ines, migration, "check")

        assert answer.status_code == 409
        assert "ana is running this step" in text_of(answer)

    def test_of_an_ended_migration_are_refused_in_words(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        ended = ConnectionMigration.State.ABANDONED
        services.end(migration, ended, because="No.", actor="ana", now=timezone.now())
        answer = self._do(ines, migration, "check")

        assert answer.status_code == 422
        assert "This migration has ended" in text_of(answer)

    def test_that_change_something_are_planned_first(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        answer = self._do(ines, migration, "apply")
        assert answer.status_code == 422
        assert "Plan first" in text_of(answer)

        plan_is_made(migration)
        assert self._do(ines, migration, "apply").status_code == 200

    def test_that_take_back_need_the_customers_name(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        form = text_of(ines.get(url("migration_act", migration, "preload", "undo")))
        assert "changes the" in form
        assert "side-new" in form
        wrong = self._do(ines, migration, "undo", name="Harbour")
        assert wrong.status_code == 422
        assert "Type: Harbor Coffee Roasters" in text_of(wrong)
        assert not StepRun.objects.exists()

        assert self._do(ines, migration, "undo", name="harbor coffee  roasters").status_code == 200
        assert StepRun.objects.get().act == "undo"

    def test_without_a_script_lead_back_to_the_page(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        version = record(migration).version
        where = url("migration_act", migration, "preload", "check")
        answer = ines.post(where, {"version": version}, follow=True)

        assert answer.redirect_chain[-1][0] == url("migration_step", migration, "preload")
        assert "Checking both sides" in text_of(answer)

    def test_that_a_step_does_not_know_are_not_found(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        assert ines.post(url("migration_act", migration, "plan", "undo")).status_code == 404
        assert ines.post(url("migration_act", migration, "plan", "dance")).status_code == 404

    @pytest.mark.parametrize("role", ["support", "manager"])
    def test_are_for_implementers(self, migration: ConnectionMigration, role: str) -> None:
        client = somebody("sam", role)

        page = text_of(client.get(url("migration_step", migration, "preload")))
        assert "Implementers and admins can run this step" in page
        assert "Check now</button>" not in page
        assert self._do(client, migration, "check").status_code == 403

    def _do(
        self, client: Client, migration: ConnectionMigration, act: str, **fields: object
    ) -> Any:
        data = {"version": record(migration).version, **fields}
        return client.post(url("migration_act", migration, "preload", act), data, headers=HTMX)


class TestTheNote:
    def test_is_kept(self, ines: Client, migration: ConnectionMigration) -> None:
        self._write(ines, migration, "Ask Tom.")

        assert record(migration).note == "Ask Tom."

    def test_of_two_people_is_shown_to_the_later_with_both_texts(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        old = record(migration).version
        self._write(somebody("ana", "implementer"), migration, "Tom is away.")
        answer = self._write(ines, migration, "Ask Tom.", version=old)

        page = text_of(answer)
        assert answer.status_code == 409
        assert "Somebody wrote this meanwhile" in page
        assert "Tom is away." in page
        assert "Ask Tom.</textarea>" in page
        assert record(migration).note == "Tom is away."
        again = answer.context["note_form"]["version"].value()
        assert self._write(ines, migration, "Both.", version=again).status_code == 200

    def test_that_is_too_long_is_given_back(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        answer = self._write(ines, migration, "x" * 10_001)

        assert answer.status_code == 422
        assert "x" * 10_001 in text_of(answer)

    def _write(
        self, client: Client, migration: ConnectionMigration, note: str, version: int | None = None
    ) -> Any:
        data = {"note": note, "version": version or record(migration).version}
        return client.post(url("migration_note", migration, "preload"), data, headers=HTMX)


class TestTheOwner:
    def test_is_somebody_who_works_here(self, ines: Client, migration: ConnectionMigration) -> None:
        UserFactory.create(username="ana")
        assert self._give(ines, migration, "ana").status_code == 200
        assert record(migration).owner == "ana"

        answer = self._give(ines, migration, "nobody-here")
        assert answer.status_code == 422
        assert "Nobody is called nobody-here" in text_of(answer)

    def test_can_be_oneself_by_one_click(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        self._give(ines, migration, "", take="1")

        assert record(migration).owner == "ines"

    def _give(self, client: Client, migration: ConnectionMigration, owner: str, **more: str) -> Any:
        data = {"owner": owner, "version": record(migration).version, **more}
        return client.post(url("migration_owner", migration, "preload"), data, headers=HTMX)


class TestWaivers:
    def test_go_from_one_person_to_another(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        where = url("migration_waive", migration, "preload")
        assert "213 of 214." in text_of(ines.get(f"{where}?gate=preload.parity"))
        assert self._ask(ines, migration, "").status_code == 422
        assert self._ask(ines, migration, "One is retired.").status_code == 200
        waiver = Waiver.objects.get()

        own = text_of(ines.get(url("migration_step", migration, "preload")))
        assert "somebody else decides" in own
        decide = url("migration_waiver", migration, waiver.pk)
        refused = ines.post(decide, {"decision": "grant"}, headers=HTMX)
        assert refused.status_code == 422
        assert "A second person decides" in text_of(refused)

        hannah = somebody("hannah", "manager")
        granted = hannah.post(decide, {"decision": "grant"}, headers=HTMX)
        assert "Waived by ines and hannah: One is retired." in text_of(granted)

    def test_are_not_decided_by_support(self, ines: Client, migration: ConnectionMigration) -> None:
        self._ask(ines, migration, "One is retired.")
        decide = url("migration_waiver", migration, Waiver.objects.get().pk)

        assert somebody("sam", "support").post(decide, {"decision": "grant"}).status_code == 403

    def test_need_a_decision(self, ines: Client, migration: ConnectionMigration) -> None:
        self._ask(ines, migration, "One is retired.")
        decide = url("migration_waiver", migration, Waiver.objects.get().pk)

        assert somebody("hannah", "manager").post(decide).status_code == 404

    def test_of_gates_that_do_not_exist_are_not_found(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        assert ines.get(url("migration_waive", migration, "preload") + "?gate=x").status_code == 404

    def _ask(self, client: Client, migration: ConnectionMigration, reason: str) -> Any:
        data = {"gate": "preload.parity", "reason": reason}
        return client.post(url("migration_waive", migration, "preload"), data, headers=HTMX)


def test_asking_the_customer_without_a_contact_says_where_to_name_one(
    ines: Client, migration: ConnectionMigration
) -> None:
    where = url("migration_ask", migration, "preload")
    data = {"text": "Press Sync.", "version": record(migration).version}
    answer = ines.post(where, data, headers=HTMX)

    assert answer.status_code == 422
    assert "Name the customer&#x27;s contact" in text_of(answer)
    assert "Press Sync.</textarea>" in text_of(answer)


class TestEvidence:
    def test_shows_every_line_with_all_that_is_known(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        seen(
            migration,
            code="preload.parity",
            text="Alike.",
            checksum="9f" * 32,
            trace_ids=["t-1"],
            app_version="2026.11",
            counts={"accounts": 214},
            stale_at=timezone.now() - timedelta(hours=1),
        )
        where = url("migration_evidence", migration, "preload")
        for answer in (ines.get(where), ines.get(where, headers=HTMX)):
            page = text_of(answer)
            for fact in ("Alike.", "ana", "preload.parity", "9f" * 32, "t-1", "2026.11", "214"):
                assert fact in page
            assert "Seen, too long ago" in page

    def test_of_all_steps_is_one_list(self, ines: Client, migration: ConnectionMigration) -> None:
        for step in ("plan", "preload"):
            seen(migration, step)
        where = url("migration_evidence", migration, "preload")

        assert "plan.x" not in text_of(ines.get(where))
        assert "plan.x" in text_of(ines.get(f"{where}?of=all"))


class TestTheList:
    def test_says_whose_move_it_is_and_what_holds_it_up(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        StepRecord.objects.filter(step="plan").update(status=Status.BLOCKED)
        seen(migration, "plan", is_good=False, text="No seat.")
        flip_on = timezone.now().date() + timedelta(days=12)
        ConnectionMigration.objects.update(flip_on=flip_on)
        page = text_of(ines.get(reverse("migrations")))

        for fact in ("Harbor Coffee Roasters", "Blocked", "0 Plan", "No seat.", "in 12 days"):
            assert fact in page

    def test_takes_the_same_statements_for_many(self, ines: Client) -> None:
        def statements() -> int:
            with CaptureQueriesContext(database) as found:
                ines.get(reverse("migrations"))
            return len(found)

        for _ in range(2):
            customer = ConnectionFactory.create()
            services.start(customer, path=Path.MIGRATION, actor="ines", now=timezone.now())
        few = statements()
        for _ in range(6):
            customer = ConnectionFactory.create()
            services.start(customer, path=Path.FRESH, actor="ines", now=timezone.now())

        assert statements() == few

    def test_says_why_it_is_empty(self, ines: Client) -> None:
        assert "Nobody is moving" in text_of(ines.get(reverse("migrations")))
        assert "None yet" in text_of(ines.get(reverse("migrations") + "?show=finished"))


class TestBeginning:
    def test_starts_one_and_leads_to_it(self, ines: Client) -> None:
        customer = ConnectionFactory.create()
        chosen = ines.get(reverse("migration_choose"), {"customer": customer.slug})
        where = reverse("migration_start", args=[customer.slug])
        assert chosen["Location"] == where
        assert "fourteen steps" in text_of(ines.get(where))

        ines.post(where)

        started = ConnectionMigration.objects.get()
        assert started.connection == customer
        assert ines.get(where)["Location"] == url("migration", started)

    def test_for_nobody_says_so(self, ines: Client) -> None:
        answer = ines.get(reverse("migration_choose"), {"customer": "x"}, follow=True)

        assert "There is no such customer" in text_of(answer)

    def test_is_for_implementers(self) -> None:
        where = reverse("migration_start", args=[ConnectionFactory.create().slug])

        assert somebody("sam", "support").post(where).status_code == 403

    def test_is_offered_on_the_customers_page_to_those_who_may(self, ines: Client) -> None:
        customer = ConnectionFactory.create()
        page = reverse("customer", args=[customer.slug])
        where = reverse("migration_start", args=[customer.slug])

        assert where in text_of(ines.get(page))
        assert where not in text_of(somebody("sam", "support").get(page))


class TestEnding:
    def test_as_finished_needs_every_step_over(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        early = ines.post(url("migration_end", migration), {"how": "finish"})
        assert early.status_code == 422
        assert "0 Plan is not over" in text_of(early)

        StepRecord.objects.update(status=Status.SKIPPED)
        ines.post(url("migration_end", migration), {"how": "finish"})
        migration.refresh_from_db()
        assert migration.state == ConnectionMigration.State.FINISHED

    def test_before_that_needs_a_reason_and_the_customers_name(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        where = url("migration_end", migration)
        for data in ({"because": "They stay."}, {"name": "Harbor Coffee Roasters"}):
            assert ines.post(where, {"how": "abandon", **data}).status_code == 422
        assert not StepRun.objects.exists()

        named = {"because": "They stay.", "name": "Harbor Coffee Roasters"}
        answer = ines.post(where, {"how": "abandon", **named})

        assert answer["Location"] == url("migration_step", migration, "flip")
        assert StepRun.objects.get().act == Act.UNDO

    def test_after_the_switch_is_refused_with_the_way_back(
        self, ines: Client, migration: ConnectionMigration
    ) -> None:
        ConnectionMigration.objects.update(
            flipped_at=timezone.now(), new_connection_id=uuid.uuid4()
        )
        named = {"because": "They stay.", "name": "Harbor Coffee Roasters", "how": "abandon"}
        answer = ines.post(url("migration_end", migration), named)

        assert answer.status_code == 422
        assert "The customer has switched already" in text_of(answer)
