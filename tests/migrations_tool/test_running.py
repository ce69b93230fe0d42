"""Acts on steps: asked for by people, done by workers, and what each refuses."""

import pytest
from django.utils import timezone

from migrations_tool import gates, running, services
from migrations_tool.models import ConnectionMigration, Evidence, StepRun
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import StepNotCurrent, StepNotYours
from tests.factories import ConnectionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def migration() -> ConnectionMigration:
    return services.start(
        ConnectionFactory(), path=Path.MIGRATION, actor="ines", now=timezone.now()
    )


def ask(migration: ConnectionMigration, act: Act = Act.COMPLETE, actor: str = "ines") -> StepRun:
    version = gates.standings_of(migration)[Step.PLAN].version
    now = timezone.now()
    return services.ask(migration, Step.PLAN, act, version=version, actor=actor, now=now)


def test_a_stale_page_cannot_act(migration: ConnectionMigration) -> None:
    with pytest.raises(StepNotCurrent):
        services.ask(migration, Step.PLAN, Act.CHECK, version=99, actor="ines", now=timezone.now())


def test_two_people_cannot_run_the_same_step(migration: ConnectionMigration) -> None:
    ask(migration, actor="ana")

    with pytest.raises(StepNotYours, match="ana is running this step"):
        ask(migration, actor="ines")


def test_a_run_is_done_once_and_says_so(migration: ConnectionMigration) -> None:
    run = ask(migration, Act.CHECK)

    assert running.due() == [run.pk]
    done = running.do(run.pk, clock=timezone.now)

    assert done is not None
    assert done.state == StepRun.State.DONE
    assert running.do(run.pk, clock=timezone.now) is None


def test_evidence_cannot_be_changed_or_taken_away(migration: ConnectionMigration) -> None:
    evidence = Evidence.objects.create(
        migration=migration,
        step="plan",
        code="x",
        at=timezone.now(),
        by="ines",
        is_good=True,
        text="Seen.",
    )

    with pytest.raises(Exception, match="Cannot update"):
        Evidence.objects.filter(pk=evidence.pk).update(text="Not seen.")
