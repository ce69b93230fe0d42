"""The gates of a step as they stand, with waivers laid over those that may be waived."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from migrations_tool.handlers import handler_of
from migrations_tool.models import ConnectionMigration, StepRecord, StepRun, Waiver
from migrations_tool.steps import STEPS, Path, Step
from migrations_tool.wizard import Gate, Light, Standing, Status, first_status


def gates_of(migration: ConnectionMigration, step: Step, *, now: datetime) -> Sequence[Gate]:
    """From our rows alone. Which of Ramp's and the ERP's facts they rest on, evidence says."""
    waived = {
        one.gate: one
        for one in Waiver.objects.filter(migration=migration, step=step, state=Waiver.State.GRANTED)
    }
    return [_with_waiver(gate, waived) for gate in handler_of(step).gates(migration, now=now)]


def _with_waiver(gate: Gate, waived: Mapping[str, Waiver]) -> Gate:
    waiver = waived.get(gate.code)
    if waiver is None or gate.is_open or not gate.may_be_waived:
        return gate
    who = f"Waived by {waiver.asked_by} and {waiver.decided_by}: {waiver.reason}"
    return replace(gate, light=Light.WAIVED, words=f"{gate.words} {who}".strip())


def standings_of(migration: ConnectionMigration) -> dict[Step, Standing]:
    """How every step stands. Two statements."""
    records = {one.step: one for one in StepRecord.objects.filter(migration=migration)}
    runners = dict(
        StepRun.objects.filter(migration=migration, state__in=StepRun.OPEN).values_list(
            "step", "actor"
        )
    )
    path = Path(migration.path)
    standings = {}
    for one in STEPS:
        record = records.get(one.step)
        status = Status(record.status) if record else first_status(one.step, path)
        if record and status is Status.DONE and record.stale_because:
            status = Status.STALE
        version = record.version if record else 0
        standings[one.step] = Standing(one.step, status, version, runners.get(one.step, ""))
    return standings
