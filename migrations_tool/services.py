"""What people do about a migration. Each act leaves a line in the audit trail."""

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from connections import audit
from connections.models import Connection
from migrations_tool import reviewing, step_records
from migrations_tool.gates import gates_of, standings_of
from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    Presence,
    StepRecord,
    StepRun,
    Waiver,
)
from migrations_tool.steps import BY_STEP, STEPS, Act, Path, Step
from migrations_tool.wizard import (
    OVER,
    Gate,
    Refused,
    Status,
    StepNotCurrent,
    StepNotYours,
    check_page,
    check_runner,
    current_step,
    first_status,
)
from rampbridge.lib.statements import rows

HERE = timedelta(seconds=40)
"""So long after its last poll a person counts as present."""


@transaction.atomic
def start(connection: Connection, *, path: Path, actor: str, now: datetime) -> ConnectionMigration:
    """Begin a migration with all its steps. The path is checked again by the plan's own check.

    :raises Refused: if the customer has one open
    """
    try:
        with transaction.atomic():
            migration = ConnectionMigration.objects.create(
                connection=connection,
                path=path,
                implementer=actor,
                started_by=actor,
                started_at=now,
            )
    except IntegrityError as taken:
        raise Refused(
            f"{connection.name} has a migration under way. Go on with it, or abandon it first."
        ) from taken
    StepRecord.objects.bulk_create(
        StepRecord(
            migration=migration,
            step=one.step,
            status=first_status(one.step, path),
            status_since=now,
        )
        for one in STEPS
    )
    _audit(migration, actor, "migrations.start", f"Started the migration of {connection.name}.")
    return migration


@transaction.atomic
def ask(
    migration: ConnectionMigration,
    step: Step,
    act: Act,
    *,
    version: int,
    actor: str,
    now: datetime,
    settings: Mapping[str, Any] | None = None,
) -> StepRun:
    """Have a worker act on a step.

    :param version: of the step, as the page showed it
    :raises StepNotCurrent: if the step has changed since
    :raises StepNotYours: if somebody is running it
    :raises Refused: if the migration has ended, or the step knows no such act
    """
    _must_be_open(migration)
    if act not in BY_STEP[step].acts:
        raise Refused(f"{BY_STEP[step].title} has nothing to {act}.")
    record = StepRecord.objects.select_for_update().get(migration=migration, step=step)
    # One after the other with whoever ends the migration or takes something back.
    locked = ConnectionMigration.objects.select_for_update(no_key=True).get(pk=migration.pk)
    _must_be_open(locked)
    standing = standings_of(migration)[step]
    check_runner(standing, actor)
    _check_alone(locked, act)
    check_page(standing, version)
    if standing.status is Status.NOT_NEEDED:
        raise Refused(f"{BY_STEP[step].title} is not needed on this path.")
    try:
        with transaction.atomic():
            run = StepRun.objects.create(
                migration=migration,
                step=step,
                act=act,
                actor=actor,
                asked_at=now,
                due_at=Now(),
                settings=settings or {},
            )
    except IntegrityError as race:
        raise StepNotYours("Somebody else has just begun this step.") from race
    looked_on(record, now)
    _audit(
        migration, actor, f"migrations.{act}", f"{act.capitalize()} {BY_STEP[step].title}.", step
    )
    return run


def _check_alone(migration: ConnectionMigration, act: Act) -> None:
    """Before the switch nothing is taken back while something else rests on it. After it, posting
    can be stopped at any moment.

    :raises StepNotYours: if the two would meet
    """
    if migration.flipped_at is not None:
        return
    under_way = StepRun.objects.filter(migration=migration, state__in=StepRun.OPEN)
    if act is not Act.UNDO:
        under_way = under_way.filter(act=Act.UNDO)
    if (other := under_way.first()) is not None:
        doing = "taking back" if other.act == Act.UNDO else "running"
        raise StepNotYours(
            f"{other.actor} is {doing} {BY_STEP[Step(other.step)].title}. Wait until it has ended."
        )


def looked_on(record: StepRecord, now: datetime) -> None:
    """Somebody is at the step: it is in progress, if nobody has looked at it before."""
    changes: dict[str, Any] = {"version": F("version") + 1}
    if record.looked_at is None:
        changes["looked_at"] = now
    if record.status == Status.NOT_LOOKED_AT:
        changes |= {"status": Status.IN_PROGRESS, "status_since": now}
    StepRecord.objects.filter(pk=record.pk).update(**changes)


@transaction.atomic
def assign(
    migration: ConnectionMigration, step: Step, owner: str, *, version: int, actor: str
) -> None:
    """Say who is responsible for a step; empty: nobody.

    :raises StepNotCurrent: if the step has changed since the page was loaded
    """
    _must_be_open(migration)
    record = StepRecord.objects.select_for_update().get(migration=migration, step=step)
    if record.version != version:
        check_page(standings_of(migration)[step], version)
    StepRecord.objects.filter(pk=record.pk).update(owner=owner, version=F("version") + 1)
    text = f"Gave {BY_STEP[step].title} to {owner or 'nobody'}."
    _audit(migration, actor, "migrations.assign", text, step)


@transaction.atomic
def write_note(
    migration: ConnectionMigration, step: Step, note: str, *, version: int, actor: str
) -> None:
    """Keep what people want to remember about a step.

    :raises StepNotCurrent: if the step has changed since, so that nobody's note is overwritten
    """
    record = StepRecord.objects.select_for_update().get(migration=migration, step=step)
    if record.version != version:
        raise StepNotCurrent("Somebody has changed this step meanwhile. Your note is not kept yet.")
    StepRecord.objects.filter(pk=record.pk).update(note=note, version=F("version") + 1)
    _audit(migration, actor, "migrations.note", f"Wrote a note on {BY_STEP[step].title}.", step)


@transaction.atomic
def ask_waiver(
    migration: ConnectionMigration, step: Step, gate: str, reason: str, *, actor: str, now: datetime
) -> Waiver:
    """Ask a second person to let a gate pass, or (`gate` empty) to skip the step.

    :raises Refused: if it cannot be waived, is green already, or was asked for before
    """
    _must_be_open(migration)
    if not reason.strip():
        raise Refused("Say why: the closing report prints the reason.")
    red = _red_gate(migration, step, gate, now) if gate else None
    if red is None and not BY_STEP[step].may_be_skipped:
        raise Refused(f"{BY_STEP[step].title} cannot be skipped.")
    if red is not None:  # it would be waived if the one from before still covered it
        Waiver.objects.filter(
            migration=migration, step=step, gate=gate, state=Waiver.State.GRANTED
        ).update(state=Waiver.State.LAPSED)
    try:
        with transaction.atomic():
            waiver = Waiver.objects.create(
                migration=migration,
                step=step,
                gate=gate,
                reason=reason.strip()[:500],
                words=f"{red.title}: {red.words}"[:500] if red else "",
                covers=red.left if red else None,
                asked_by=actor,
                asked_at=now,
            )
    except IntegrityError as again:
        raise Refused("This was asked for already. See the list of waivers.") from again
    _touch(migration, step)
    text = f"Asked to {'waive ' + gate if gate else 'skip ' + BY_STEP[step].title}: {reason}"
    _audit(migration, actor, "migrations.ask_waiver", text, step)
    return waiver


def _red_gate(migration: ConnectionMigration, step: Step, code: str, now: datetime) -> Gate:
    gate = next((one for one in gates_of(migration, step, now=now) if one.code == code), None)
    if gate is None or not gate.may_be_waived:
        raise Refused("This condition cannot be waived.")
    if gate.is_open:
        raise Refused("This condition is met. There is nothing to waive.")
    return gate


@transaction.atomic
def decide_waiver(waiver: Waiver, *, grant: bool, actor: str, now: datetime) -> None:
    """Grant or refuse what somebody else asked for.

    :raises Refused: if one decides for oneself, or it is decided already
    """
    step = Step(waiver.step)
    record = step_records.held(waiver.migration, step)
    if waiver.asked_by == actor:
        raise Refused("A second person decides about this: you asked for it yourself.")
    standing = standings_of(waiver.migration)[step]
    if grant and not waiver.gate:
        check_runner(standing, actor)
        if standing.status in OVER:
            raise Refused(f"{BY_STEP[step].title} is over. Nothing is left to skip.")
    state = Waiver.State.GRANTED if grant else Waiver.State.REFUSED
    waiting = Waiver.objects.filter(pk=waiver.pk, state=Waiver.State.ASKED)
    if not waiting.update(state=state, decided_by=actor, decided_at=now):
        raise Refused("Somebody has decided about this already.")
    changes: dict[str, Any] = {"version": F("version") + 1}
    if grant and not waiver.gate:
        changes |= {"status": Status.SKIPPED, "status_since": now}
    StepRecord.objects.filter(pk=record.pk).update(**changes)
    text = f"{'Granted' if grant else 'Refused'} what {waiver.asked_by} asked for: {waiver.reason}"
    _audit(waiver.migration, actor, "migrations.decide_waiver", text, step)


@transaction.atomic
def ask_customer(
    migration: ConnectionMigration,
    step: Step,
    text: str,
    *,
    version: int,
    actor: str,
    now: datetime,
) -> Evidence:
    """Keep what the customer was asked for. The step waits for them until it is checked again.

    :raises StepNotCurrent: if the step has changed since the page was loaded
    :raises Refused: if nobody is named whom one could ask, or the step is over
    """
    record = step_records.held(migration, step, version=version)
    if not migration.contact_name or not migration.contact_email:
        raise Refused("Name the customer's contact in step 0, the plan. Nobody can be asked yet.")
    if standings_of(migration)[step].status in OVER:
        raise Refused(f"{BY_STEP[step].title} is over. Nothing is left to ask for.")
    step_records.changed(record, now=now)
    StepRecord.objects.filter(pk=record.pk).update(
        status=Status.WAITING_FOR_CUSTOMER, status_since=now
    )
    whom = f"{migration.contact_name} ({migration.contact_email})"
    sentence = f"Asked {whom}: {text.strip()}"
    step_records.write_down(migration, step, "ask_customer", sentence, actor=actor)
    return Evidence.objects.create(
        migration=migration,
        step=step,
        code="wizard.asked_customer",
        at=now,
        by=actor,
        is_good=True,
        text=sentence[:500],
        app_version=settings.RELEASE[:60],
    )


def be_present(migration: ConnectionMigration, step: Step, person: str) -> list[Presence]:
    """Note that somebody has the page open, and say who else has. One statement."""
    others = rows(
        """
        WITH here AS (
            INSERT INTO migrations_tool_presence (migration_id, person, step, seen_at)
            VALUES (%(migration)s, %(person)s, %(step)s, statement_timestamp())
            ON CONFLICT (migration_id, person)
            DO UPDATE SET step = excluded.step, seen_at = excluded.seen_at
        )
        SELECT id, person, step, seen_at FROM migrations_tool_presence
        WHERE migration_id = %(migration)s AND person <> %(person)s
          AND seen_at >= statement_timestamp() - %(here)s
        ORDER BY person
        """,
        {"migration": migration.pk, "person": person, "step": step, "here": HERE},
    )
    return [
        Presence(id=key, migration=migration, person=who, step=where, seen_at=at)
        for key, who, where, at in others
    ]


def finish(migration: ConnectionMigration, *, actor: str, now: datetime) -> None:
    """Close a migration whose steps are all over.

    :raises Refused: if one is not, or its evidence is stale
    """
    reviewing.review(migration, now=now)
    current = current_step(standings_of(migration))
    if current is not None:
        one = BY_STEP[current]
        raise Refused(f"{one.number} {one.title} is not over. Complete it first.")
    end(migration, ConnectionMigration.State.FINISHED, because="", actor=actor, now=now)


@transaction.atomic
def end(
    migration: ConnectionMigration,
    state: ConnectionMigration.State,
    *,
    because: str,
    actor: str,
    now: datetime,
    by_run: StepRun | None = None,
) -> None:
    """Close a migration. What has to be taken back outside is taken back before.

    :param by_run: the run that ends it, which is still open
    :raises Refused: if it has ended already, or a step is being run
    """
    locked = ConnectionMigration.objects.select_for_update().get(pk=migration.pk)
    _must_be_open(locked)
    others = StepRun.objects.filter(migration=migration, state__in=StepRun.OPEN)
    if others.exclude(pk=by_run.pk).exists() if by_run else others.exists():
        raise StepNotYours("A step is being run. Wait until it has ended.")
    locked.state, locked.finished_at = state, now
    locked.ended_by, locked.ended_because = actor, because[:500]
    locked.save(update_fields=["state", "finished_at", "ended_by", "ended_because"])
    text = f"{locked.get_state_display()} the migration. {because}".strip()
    _audit(locked, actor, "migrations.end", text)


def _touch(migration: ConnectionMigration, step: Step) -> None:
    StepRecord.objects.filter(migration=migration, step=step).update(version=F("version") + 1)


def _must_be_open(migration: ConnectionMigration) -> None:
    if migration.state != ConnectionMigration.State.OPEN:
        raise Refused("This migration has ended. It can be read, not changed.")


def _audit(
    migration: ConnectionMigration, actor: str, act: str, text: str, step: Step | None = None
) -> None:
    subject_id: uuid.UUID | int = migration.pk
    audit.record(
        actor,
        act,
        text,
        connection_id=migration.connection_id,
        subject="migration",
        subject_id=subject_id,
        data={"step": step} if step else {},
    )
