"""What has to hold before anything is marked ready, looked at again at the click."""

from collections.abc import Sequence
from dataclasses import replace

from migrations_tool.models import ConnectionMigration
from migrations_tool.steps import BY_STEP, STEPS, Step
from migrations_tool.wizard import Gate, Light, Status, check_gates
from migrations_tool.work import Work


def check_all(work: Work, before: Step) -> None:
    """Read once more what may still be ready and whether the old chart is still the one that is
    kept, then hold every earlier step against its gates.

    :raises GateClosed: with the steps that are open and the gates that are not green or waived
    """
    from migrations_tool.gates import gates_of, standings_of
    from migrations_tool.handlers import handler_of

    handler_of(Step.DRAIN).check(_of_step(work, Step.DRAIN))
    handler_of(Step.BACKUP).watch(_of_step(work, Step.BACKUP))
    now = work.clock()
    closed: list[Gate] = []
    standings = standings_of(work.migration)
    for one in STEPS[: BY_STEP[before].number]:
        status = standings[one.step].status
        if status in {Status.SKIPPED, Status.NOT_NEEDED}:
            continue
        gates = gates_of(work.migration, one.step, now=now)
        closed += _closed(one.step, gates)
        if status not in {Status.DONE, Status.STALE}:
            closed.append(_open_step(one.step))
    check_gates(closed)


def _of_step(work: Work, step: Step) -> Work:
    """The same run, whose evidence is another step's."""
    return Work(work.migration, step, work.actor, work.clock, work.run, work.lease, work.trace_ids)


def _closed(step: Step, gates: Sequence[Gate]) -> list[Gate]:
    number, title = BY_STEP[step].number, BY_STEP[step].title
    return [
        replace(one, title=f"{number} {title}, {one.title[:1].lower()}{one.title[1:]}")
        for one in gates
        if not one.is_open
    ]


def _open_step(step: Step) -> Gate:
    one = BY_STEP[step]
    return Gate(
        "wizard.order",
        f"{one.number} {one.title}",
        Light.RED,
        "It is not completed.",
        "Complete it first.",
    )


def is_over(migration: ConnectionMigration, step: Step) -> bool:
    """Whether a step is done, skipped or not needed."""
    record = migration.steps.filter(step=step).first()
    return record is not None and record.status in {
        Status.DONE,
        Status.SKIPPED,
        Status.NOT_NEEDED,
    }
