"""The gates of a step as they stand, with waivers laid over those that may be waived."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from migrations_tool.handlers import handler_of
from migrations_tool.models import ConnectionMigration, StepRecord, StepRun, Waiver
from migrations_tool.steps import Path, Step
from migrations_tool.wizard import Gate, Light, Standing, Status, standings_from


def gates_of(
    migration: ConnectionMigration,
    step: Step,
    *,
    now: datetime,
    waivers: Sequence[Waiver] | None = None,
) -> Sequence[Gate]:
    """From our rows alone. Which of Ramp's and the ERP's facts they rest on, evidence says.

    :param waivers: of the step, if they are read already
    """
    if waivers is None:
        waivers = list(Waiver.objects.filter(migration=migration, step=step))
    granted = {one.gate: one for one in waivers if one.state == Waiver.State.GRANTED}
    return [_with_waiver(gate, granted) for gate in handler_of(step).gates(migration, now=now)]


def _with_waiver(gate: Gate, waived: Mapping[str, Waiver]) -> Gate:
    waiver = waived.get(gate.code)
    if waiver is None or gate.is_open or not gate.may_be_waived:
        return gate
    if not covers(waiver, gate):
        more = f"It was waived by {waiver.asked_by} and {waiver.decided_by} for less than this."
        return replace(gate, words=f"{gate.words} {more}".strip())
    who = f"Waived by {waiver.asked_by} and {waiver.decided_by}: {waiver.reason}"
    return replace(gate, light=Light.WAIVED, words=f"{gate.words} {who}".strip())


def covers(waiver: Waiver, gate: Gate) -> bool:
    """Whether what is open now is no more than what two people have waived."""
    if waiver.covers is None or gate.left is None:
        return waiver.covers == gate.left
    return gate.left <= waiver.covers


def standings_of(migration: ConnectionMigration) -> dict[Step, Standing]:
    """How every step stands. Two statements."""
    records = {Step(one.step): one for one in StepRecord.objects.filter(migration=migration)}
    open_runs = StepRun.objects.filter(migration=migration, state__in=StepRun.OPEN)
    runners = {Step(step): actor for step, actor in open_runs.values_list("step", "actor")}
    statuses = {one: (Status(row.status), row.version) for one, row in records.items()}
    stale = {one for one, row in records.items() if row.stale_because}
    return standings_from(Path(migration.path), statuses, stale=stale, runners=runners)
