"""Migrations in every state, as the list and the pages of their steps show them."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

from django.db import connection as database

from connections.models import Connection
from migrations_tool import handlers, services
from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    Presence,
    StepRecord,
    StepRun,
    Waiver,
)
from migrations_tool.step_handler import Handler
from migrations_tool.steps import STEPS, Act, Path, Step
from migrations_tool.wizard import Gate, Light, Status
from tests.factories import LONG_NAME, ConnectionFactory, now

ALL = [one.step for one in STEPS]
LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


class PretendHandler(Handler):
    """A step whose conditions are as a story says."""

    def __init__(self, *gates: Gate) -> None:
        self.own = gates

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return self.own


EVERY_LIGHT = (
    Gate(
        "drain.zero_twice",
        "Nothing is ready on the old connection, twice",
        Light.RED,
        "3 transactions and 1 bill are ready: 1,284.20 USD.",
        "Have the customer press Sync in Ramp, or wait until the old integration has run.",
        may_be_waived=True,
    ),
    Gate(
        "drain.bills",
        "Every bill in flight is decided",
        Light.UNKNOWN,
        "Not checked yet.",
        "Check now.",
    ),
    Gate(
        "access.person",
        "The ERP's access belongs to a service account",
        Light.WARNING,
        "It belongs to dana@harbor-coffee.example. If she leaves, the access goes along.",
    ),
    Gate(
        "backup.fresh",
        "The backup is newer than the last change of the chart",
        Light.GREEN,
        "Backup 2 of 18 November; the chart last changed on 16 November.",
    ),
    Gate(
        "drain.agreed",
        "The customer agreed to the day",
        Light.RED,
        "Nobody has agreed yet.",
        "Ask the customer.",
        may_be_waived=True,
    ),
)


@contextmanager
def gates(step: Step, *those: Gate) -> Iterator[None]:
    """For as long as it lasts, the conditions of a step are these."""
    with patch.dict(handlers.HANDLERS, {step: PretendHandler(*those)}):
        yield


def a_migration(
    slug: str,
    name: str,
    *,
    done: Sequence[Step] = (),
    statuses: Mapping[Step, Status] | None = None,
    flip_in: int | None = None,
    **changes: Any,
) -> ConnectionMigration:
    """One that has come so far; the rest of it as told."""
    connection = ConnectionFactory.create(
        slug=slug, name=name, time_zone="America/Los_Angeles", owner="hannah"
    )
    began = now() - timedelta(days=23)
    migration = services.start(connection, path=Path.MIGRATION, actor="ines.moreau", now=began)
    values = {
        "old_connection_id": uuid.uuid4(),
        "old_provider_name": "QuickBooks Online",
        "old_connection_type": "DIRECT",
        "contact_name": "Dana Reyes",
        "contact_email": "dana@harbor-coffee.example",
        "flip_on": now().date() + timedelta(days=flip_in) if flip_in is not None else None,
        "period_starts_on": now().date() + timedelta(days=flip_in) if flip_in else None,
        **changes,
    }
    ConnectionMigration.objects.filter(pk=migration.pk).update(**values)
    for number, step in enumerate(done):
        at = began + timedelta(days=number, hours=5)
        _record(
            migration,
            step,
            status=Status.DONE,
            status_since=at,
            done_at=at,
            done_by="ines.moreau",
            looked_at=at - timedelta(hours=3),
        )
    for step, status in (statuses or {}).items():
        since = now() - timedelta(hours=7, days=ALL.index(step) % 3)
        looked = None if status is Status.NOT_LOOKED_AT else since
        _record(migration, step, status=status, status_since=since, looked_at=looked)
    migration.refresh_from_db()
    return migration


def _record(migration: ConnectionMigration, step: Step, **changes: Any) -> None:
    StepRecord.objects.filter(migration=migration, step=step).update(**changes)


def a_run(migration: ConnectionMigration, step: Step, act: Act, **changes: Any) -> StepRun:
    values = {
        "state": StepRun.State.DONE,
        "actor": "ines.moreau",
        "asked_at": now() - timedelta(minutes=9),
        "due_at": now() + timedelta(minutes=1),
        "tries": 1,
        "finished_at": now() - timedelta(minutes=8),
    }
    return StepRun.objects.create(migration=migration, step=step, act=act, **values | changes)


def evidence(migration: ConnectionMigration, step: Step, code: str, **changes: Any) -> Evidence:
    values: dict[str, Any] = {
        "at": now() - timedelta(hours=2),
        "by": "ines.moreau",
        "is_good": True,
        "text": "Backup 2 was read back and is the same, record by record.",
        "app_version": "2026.11.2",
    }
    return Evidence.objects.create(migration=migration, step=step, code=code, **values | changes)


def a_season() -> None:
    """A list of migrations that shows whatever it can show."""
    harbor = a_migration(
        "harbor-coffee",
        "Harbor Coffee Roasters",
        done=ALL[:4],
        flip_in=12,
        statuses={Step.BACKUP: Status.IN_PROGRESS},
    )
    a_run(
        harbor,
        Step.BACKUP,
        Act.APPLY,
        state=StepRun.State.RUNNING,
        done_items=41_200,
        all_items=98_714,
        doing="Codings of transactions, 412 of 988 pages",
        finished_at=None,
    )
    northwind = a_migration(
        "northwind-robotics",
        "Northwind Robotics",
        done=ALL[:5],
        flip_in=3,
        statuses={Step.DRAIN: Status.BLOCKED},
    )
    evidence(
        northwind,
        Step.DRAIN,
        "drain.zero_twice",
        is_good=False,
        text="3 transactions and 1 bill are ready on the old connection: 1,284.20 USD.",
    )
    a_waiver(northwind, Step.DRAIN, "drain.zero_twice")
    a_migration(
        "atelier-lumiere",
        "Atelier Lumière",
        done=ALL[:3],
        flip_in=40,
        statuses={Step.RULES: Status.WAITING_FOR_CUSTOMER},
    )
    a_migration(
        "sakura-foods",
        "Sakura Foods 株式会社",
        done=ALL[:11],
        flip_in=-2,
        new_connection_id=uuid.uuid4(),
        statuses={Step.FLIP: Status.WAITING_FOR_RAMP},
    )
    a_migration(
        "pennine-outdoor",
        "Pennine Outdoor Ltd",
        done=ALL,
        flip_in=-31,
        new_connection_id=uuid.uuid4(),
        flipped_at=now() - timedelta(days=31),
    )
    verde = a_migration("verde-clinics", "Verde Clinics", done=ALL[:8], flip_in=5)
    _record(verde, Step.BACKUP, stale_because="Backup: the chart changed after it was made.")
    a_run(verde, Step.PRELOAD, Act.APPLY)
    a_run(
        verde,
        Step.PRELOAD,
        Act.COMPLETE,
        state=StepRun.State.REFUSED,
        title="Accounts: the ERP has 214 and Ramp has 213.",
        fix="Preload again.",
    )
    a_migration("blue-mesa-solar", "Blue Mesa Solar")
    for slug, name, state, because in (
        ("old-mill", "Old Mill Bakery", "finished", ""),
        ("lakeside", "Lakeside Dental", "abandoned", "They stay with QuickBooks until the audit."),
        ("granite", "Granite & Sons", "rolled_back", "The controller wants the old reports."),
    ):
        ended = a_migration(slug, name, done=ALL[:6], flip_in=-60)
        ConnectionMigration.objects.filter(pk=ended.pk).update(
            state=state,
            finished_at=now() - timedelta(days=50),
            ended_by="ines.moreau",
            ended_because=because,
        )


def every_status(
    slug: str = "harbor-coffee", name: str = "Harbor Coffee Roasters"
) -> ConnectionMigration:
    """One migration whose steps stand in every status there is, and with every kind of run."""
    statuses = dict(zip(ALL, (*Status, *Status), strict=False))
    migration = a_migration(
        slug, name, statuses=statuses, flip_in=12, new_connection_id=uuid.uuid4()
    )
    done = StepRecord.objects.filter(migration=migration, status=Status.DONE)
    done.update(done_at=now() - timedelta(days=2), done_by="ines.moreau")
    StepRecord.objects.filter(migration=migration, status=Status.STALE).update(
        status=Status.DONE,
        stale_because="Backup: the chart changed after it was made.",
        done_at=now() - timedelta(days=2),
        done_by="ines.moreau",
    )
    _record(
        migration,
        Step.BACKUP,
        owner="ana.ferreira",
        note="Dana is away until Thursday.\nAsk Tom for the old chart.",
    )
    a_run(
        migration,
        Step.ACCESS,
        Act.CHECK,
        state=StepRun.State.RUNNING,
        done_items=310,
        all_items=1240,
        doing="Vendors, 310 of 1,240",
        finished_at=None,
        actor="ana.ferreira",
    )
    a_run(
        migration,
        Step.BACKUP,
        Act.CHECK,
        state=StepRun.State.FAILED,
        title="Ramp does not let us read bills: the scope bills:read is missing.",
        fix="Grant it on the app's page in Ramp, under Settings, Developer. Then check again.",
    )
    a_run(migration, Step.PRELOAD, Act.PLAN, title="412 to create, 3 to bring back, 0 to hide.")
    a_waiver(migration, Step.BACKUP, "drain.zero_twice")
    a_waiver(migration, Step.BACKUP, "drain.agreed", state=Waiver.State.GRANTED)
    evidence(
        migration,
        Step.BACKUP,
        "backup.sealed",
        checksum="9f" * 32,
        trace_ids=["5c1de0c4a6", "77aa01"],
        counts={"accounts": 214, "transaction": 98_714},
        text="Backup 2 holds 99,412 records.",
    )
    evidence(migration, Step.BACKUP, "backup.verified", stale_at=now() - timedelta(hours=1))
    evidence(
        migration,
        Step.BACKUP,
        "backup.fresh",
        is_good=False,
        text="The chart changed after the backup was made.",
    )
    Presence.objects.create(
        migration=migration,
        person="ana.ferreira",
        step=Step.BACKUP,
        seen_at=now() + timedelta(days=1),
    )
    return migration


def every_run() -> ConnectionMigration:
    """One whose steps were asked for every act, each with another outcome: undone ones too."""
    migration = a_migration(
        "northwind-robotics",
        "Northwind Robotics",
        done=ALL[:5],
        flip_in=12,
        new_connection_id=uuid.uuid4(),
    )
    running = {
        "state": StepRun.State.RUNNING,
        "done_items": 310,
        "all_items": 412,
        "doing": "Vendors, 310 of 412",
        "finished_at": None,
    }
    waiting = {"state": StepRun.State.WAITING, "finished_at": None, "tries": 0}
    refused = {
        "state": StepRun.State.REFUSED,
        "title": "14 objects differ or would be held, and nobody has said why.",
        "fix": "Explain them below, or map anew.",
    }
    for step, act, changes in (
        (Step.CONNECTION, Act.APPLY, {}),
        (Step.CONNECTION, Act.UNDO, {"title": "Our connection is given up, and marked abandoned."}),
        (Step.PRELOAD, Act.APPLY, {}),
        (Step.PRELOAD, Act.UNDO, running),
        (Step.SETTINGS, Act.PLAN, waiting),
        (Step.REHEARSAL, Act.COMPLETE, refused),
    ):
        a_run(migration, step, act, **changes)
    a_waiver(migration, Step.DRAIN, "drain.zero_twice", state=Waiver.State.REFUSED)
    a_waiver(migration, Step.DRAIN, "drain.bills", state=Waiver.State.LAPSED)
    return migration


def a_waiver(
    migration: ConnectionMigration, step: Step, gate: str, state: str = Waiver.State.ASKED
) -> Waiver:
    is_decided = state != Waiver.State.ASKED
    return Waiver.objects.create(
        migration=migration,
        step=step,
        gate=gate,
        state=state,
        asked_by="ana.ferreira",
        reason="The four are the customer's test objects; they will be deleted on the day.",
        words="3 transactions and 1 bill are ready: 1,284.20 USD.",
        asked_at=now() - timedelta(hours=3),
        decided_by="tom.reed" if is_decided else "",
        decided_at=now() - timedelta(hours=1) if is_decided else None,
    )


def long_names() -> None:
    """The same with very long names wherever somebody can choose one."""
    migration = every_status("long", LONG_NAME)
    Connection.objects.filter(pk=migration.connection_id).update(ramp_provider_name=LONG_NAME[:100])
    ConnectionMigration.objects.filter(pk=migration.pk).update(old_provider_name=LONG_NAME)
    _record(migration, Step.BACKUP, owner=LONG_WORD, note=f"{LONG_WORD} {LONG_NAME}" * 4)
    Evidence.objects.create(
        migration=migration,
        step=Step.BACKUP,
        code="backup.sealed",
        at=now(),
        by=LONG_WORD,
        is_good=True,
        text=LONG_WORD * 3,
        trace_ids=[LONG_WORD],
    )


def forget() -> None:
    """Take all migrations away, the evidence that nobody can delete included."""
    with database.cursor() as cursor:
        cursor.execute("TRUNCATE migrations_tool_connectionmigration CASCADE")
