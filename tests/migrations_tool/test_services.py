"""What people do about migrations: begin, own, note, waive, ask, end."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from unittest.mock import patch

import pytest
from django.utils import timezone

from connections.models import AuditLine, Connection
from migrations_tool import gates, handlers, services
from migrations_tool.models import ConnectionMigration, Evidence, Presence, StepRecord, Waiver
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Gate, Light, Refused, Status, StepNotCurrent, StepNotYours
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


class Gated(Handler):
    """A step with a red condition that may be waived, one that may not, and a green one."""

    left: int | None = None

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return (
            Gate("inventory.a", "A", Light.RED, "Not yet.", may_be_waived=True, left=self.left),
            Gate("inventory.b", "B", Light.RED, "Never."),
            Gate("inventory.c", "C", Light.GREEN, "Seen.", may_be_waived=True),
        )


@pytest.fixture(autouse=True)
def gated() -> Iterator[None]:
    with patch.dict(handlers.HANDLERS, {Step.INVENTORY: Gated()}):
        yield


@pytest.fixture
def customer() -> Connection:
    return ConnectionFactory.create(name="Harbor Coffee Roasters")


@pytest.fixture
def migration(customer: Connection) -> ConnectionMigration:
    return services.start(customer, path=Path.MIGRATION, actor="ines", now=timezone.now())


def record(migration: ConnectionMigration, step: Step = Step.INVENTORY) -> StepRecord:
    return StepRecord.objects.get(migration=migration, step=step)


def ask_waiver(
    migration: ConnectionMigration, gate: str = "inventory.a", reason: str = "Test objects."
) -> Waiver:
    now = timezone.now()
    return services.ask_waiver(migration, Step.INVENTORY, gate, reason, actor="ana", now=now)


def audited(act: str) -> AuditLine:
    return AuditLine.objects.get(act=f"migrations.{act}")


class TestStarting:
    def test_lays_every_step_and_leaves_a_line(self, migration: ConnectionMigration) -> None:
        found = dict(migration.steps.values_list("step", "status"))

        assert found == dict.fromkeys(Step, Status.NOT_LOOKED_AT)
        assert audited("start").actor == "ines"

    def test_a_second_one_beside_an_open_one_is_refused(
        self, migration: ConnectionMigration, customer: Connection
    ) -> None:
        with pytest.raises(Refused, match="has a migration under way"):
            services.start(customer, path=Path.MIGRATION, actor="ana", now=timezone.now())

    def test_another_one_after_it_has_ended_is_not(
        self, migration: ConnectionMigration, customer: Connection
    ) -> None:
        now = timezone.now()
        ended = ConnectionMigration.State.ABANDONED
        services.end(migration, ended, because="No.", actor="ines", now=now)

        assert services.start(customer, path=Path.MIGRATION, actor="ana", now=now).pk


class TestNotes:
    def test_are_kept(self, migration: ConnectionMigration) -> None:
        version = record(migration).version
        services.write_note(migration, Step.INVENTORY, "Ask Tom.", version=version, actor="ana")

        assert record(migration).note == "Ask Tom."

    def test_never_overwrite_what_somebody_wrote_meanwhile(
        self, migration: ConnectionMigration
    ) -> None:
        version = record(migration).version
        services.write_note(migration, Step.INVENTORY, "Ask Tom.", version=version, actor="ana")

        with pytest.raises(StepNotCurrent, match="not kept yet"):
            services.write_note(migration, Step.INVENTORY, "Mine", version=version, actor="ines")
        assert record(migration).note == "Ask Tom."


class TestOwners:
    def test_are_set_and_told(self, migration: ConnectionMigration) -> None:
        version = record(migration).version
        services.assign(migration, Step.INVENTORY, "ana", version=version, actor="ines")

        assert record(migration).owner == "ana"
        assert audited("assign").text == "Gave Inventory to ana."

    def test_are_not_set_from_a_stale_page(self, migration: ConnectionMigration) -> None:
        with pytest.raises(StepNotCurrent):
            services.assign(migration, Step.INVENTORY, "ana", version=77, actor="ines")


class TestWaivers:
    def test_open_the_gate_once_a_second_person_grants_them(
        self, migration: ConnectionMigration
    ) -> None:
        waiver = ask_waiver(migration)
        assert self._light(migration) is Light.RED

        services.decide_waiver(waiver, grant=True, actor="tom", now=timezone.now())

        assert self._light(migration) is Light.WAIVED
        (first, *_) = gates.gates_of(migration, Step.INVENTORY, now=timezone.now())
        assert first.words == "Not yet. Waived by ana and tom: Test objects."

    def test_cover_no_more_than_was_open_then(self, migration: ConnectionMigration) -> None:
        with patch.object(Gated, "left", 3):
            services.decide_waiver(
                ask_waiver(migration), grant=True, actor="tom", now=timezone.now()
            )
        with patch.object(Gated, "left", 2):
            assert self._light(migration) is Light.WAIVED

        with patch.object(Gated, "left", 4):
            (first, *_) = gates.gates_of(migration, Step.INVENTORY, now=timezone.now())
            assert first.light is Light.RED
            assert first.words == "Not yet. It was waived by ana and tom for less than this."
            again = ask_waiver(migration, reason="One more of them.")
            services.decide_waiver(again, grant=True, actor="tom", now=timezone.now())
            assert self._light(migration) is Light.WAIVED
        states = Waiver.objects.order_by("pk").values_list("state", flat=True)
        assert list(states) == ["lapsed", "granted"]

    def test_say_nothing_of_what_nobody_can_count_any_more(
        self, migration: ConnectionMigration
    ) -> None:
        with patch.object(Gated, "left", 3):
            services.decide_waiver(
                ask_waiver(migration), grant=True, actor="tom", now=timezone.now()
            )

        assert self._light(migration) is Light.RED

    def test_are_not_decided_by_who_asked(self, migration: ConnectionMigration) -> None:
        with pytest.raises(Refused, match="A second person decides"):
            services.decide_waiver(
                ask_waiver(migration), grant=True, actor="ana", now=timezone.now()
            )
        assert self._light(migration) is Light.RED

    def test_are_decided_once(self, migration: ConnectionMigration) -> None:
        waiver = ask_waiver(migration)
        services.decide_waiver(waiver, grant=False, actor="tom", now=timezone.now())

        with pytest.raises(Refused, match="decided about this already"):
            services.decide_waiver(waiver, grant=True, actor="maya", now=timezone.now())
        assert self._light(migration) is Light.RED

    @pytest.mark.parametrize(
        ("gate", "reason", "words"),
        [
            ("inventory.b", "Why not.", "cannot be waived"),
            ("inventory.c", "Why not.", "nothing to waive"),
            ("nowhere", "Why not.", "cannot be waived"),
            ("inventory.a", "  ", "Say why"),
        ],
    )
    def test_are_refused_where_they_make_no_sense(
        self, migration: ConnectionMigration, gate: str, reason: str, words: str
    ) -> None:
        with pytest.raises(Refused, match=words):
            ask_waiver(migration, gate, reason)

    def test_are_asked_for_once_at_a_time(self, migration: ConnectionMigration) -> None:
        ask_waiver(migration)

        with pytest.raises(Refused, match="asked for already"):
            ask_waiver(migration)

    def test_are_never_deleted(self, migration: ConnectionMigration) -> None:
        waiver = ask_waiver(migration)

        with pytest.raises(Exception, match="Cannot delete"):
            Waiver.objects.filter(pk=waiver.pk).delete()

    def test_of_a_step_that_is_completed_meanwhile_skips_nothing(
        self, migration: ConnectionMigration
    ) -> None:
        waiver = ask_waiver(migration, gate="")
        StepRecord.objects.filter(pk=record(migration).pk).update(status=Status.DONE)

        with pytest.raises(Refused, match="Nothing is left to skip"):
            services.decide_waiver(waiver, grant=True, actor="tom", now=timezone.now())
        assert record(migration).status == Status.DONE

    def test_is_not_decided_after_the_end(self, migration: ConnectionMigration) -> None:
        waiver = ask_waiver(migration)
        ended = ConnectionMigration.State.ABANDONED
        services.end(migration, ended, because="No.", actor="ines", now=timezone.now())
        waiver = Waiver.objects.get(pk=waiver.pk)

        with pytest.raises(Refused, match="has ended"):
            services.decide_waiver(waiver, grant=True, actor="tom", now=timezone.now())

    def test_of_a_whole_step_skip_it(self, migration: ConnectionMigration) -> None:
        waiver = ask_waiver(migration, gate="")
        services.decide_waiver(waiver, grant=True, actor="tom", now=timezone.now())

        assert gates.standings_of(migration)[Step.INVENTORY].status is Status.SKIPPED

    def test_of_a_step_that_must_be_done_are_refused(self, migration: ConnectionMigration) -> None:
        with pytest.raises(Refused, match="Backup cannot be skipped"):
            services.ask_waiver(
                migration, Step.BACKUP, "", "No time.", actor="ana", now=timezone.now()
            )

    def _light(self, migration: ConnectionMigration) -> Light:
        return gates.gates_of(migration, Step.INVENTORY, now=timezone.now())[0].light


class TestAskingTheCustomer:
    def test_is_kept_as_evidence_and_the_step_waits_for_them(
        self, migration: ConnectionMigration
    ) -> None:
        migration.contact_name, migration.contact_email = "Dana Reyes", "dana@example.com"
        migration.save(update_fields=["contact_name", "contact_email"])
        self._ask(migration)

        line = Evidence.objects.get(migration=migration)
        assert line.text == "Asked Dana Reyes (dana@example.com): Press Sync, please."
        status = gates.standings_of(migration)[Step.INVENTORY].status
        assert status is Status.WAITING_FOR_CUSTOMER

    def test_needs_somebody_who_can_be_asked(self, migration: ConnectionMigration) -> None:
        with pytest.raises(Refused, match="Name the customer's contact"):
            self._ask(migration)

    def _ask(self, migration: ConnectionMigration) -> None:
        services.ask_customer(
            migration,
            Step.INVENTORY,
            "Press Sync, please.",
            version=record(migration).version,
            actor="ines",
            now=timezone.now(),
        )


class TestPresence:
    def test_names_the_others_who_are_here_now(self, migration: ConnectionMigration) -> None:
        services.be_present(migration, Step.PLAN, "ana")
        services.be_present(migration, Step.BACKUP, "ana")
        services.be_present(migration, Step.PLAN, "tom")
        gone = timezone.now() - timedelta(minutes=5)
        Presence.objects.filter(person="tom").update(seen_at=gone)

        others = services.be_present(migration, Step.PLAN, "ines")

        assert [(one.person, one.step) for one in others] == [("ana", Step.BACKUP)]


class TestEnding:
    def test_is_refused_while_a_step_runs(self, migration: ConnectionMigration) -> None:
        version = record(migration).version
        services.ask(
            migration, Step.INVENTORY, Act.CHECK, version=version, actor="ana", now=timezone.now()
        )
        with pytest.raises(StepNotYours, match="Wait until it has ended"):
            self._abandon(migration)

    def test_keeps_who_ended_it_and_why(self, migration: ConnectionMigration) -> None:
        self._abandon(migration)

        migration.refresh_from_db()
        assert (migration.ended_by, migration.ended_because) == ("ines", "They stay.")
        assert audited("end").text == "Abandoned the migration. They stay."

    def test_happens_once(self, migration: ConnectionMigration) -> None:
        self._abandon(migration)

        with pytest.raises(Refused, match="has ended"):
            self._abandon(migration)

    def test_as_finished_needs_every_step_over(self, migration: ConnectionMigration) -> None:
        with pytest.raises(Refused, match="0 Plan is not over"):
            services.finish(migration, actor="ines", now=timezone.now())

        StepRecord.objects.filter(migration=migration).update(status=Status.SKIPPED)
        services.finish(migration, actor="ines", now=timezone.now())

        migration.refresh_from_db()
        assert migration.state == ConnectionMigration.State.FINISHED

    def _abandon(self, migration: ConnectionMigration) -> None:
        ended = ConnectionMigration.State.ABANDONED
        services.end(migration, ended, because="They stay.", actor="ines", now=timezone.now())
