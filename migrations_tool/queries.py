"""What pages read of migrations: from our rows alone, in few statements."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Count, Q, Subquery
from django.db.models.functions import Now

from migrations_tool.models import (
    ConnectionMigration,
    Evidence,
    StepRecord,
    StepRun,
    Waiver,
    Watch,
)
from migrations_tool.steps import Act, Path, Step
from migrations_tool.wizard import Standing, Status, current_step, standings_from
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page

PAGE_SIZE = 50
EVIDENCE_PER_PAGE = 50
State = ConnectionMigration.State


@dataclass(frozen=True, slots=True)
class Seen:
    """One migration as its pages show it."""

    migration: ConnectionMigration
    records: Mapping[Step, StepRecord]
    runs: Mapping[tuple[Step, Act], StepRun]
    """The newest of each act on each step."""
    standings: Mapping[Step, Standing]
    pulse: tuple[object, ...]
    """Changes with everything that workers write without counting a step's version up."""

    def last_run(self, step: Step) -> StepRun | None:
        """The newest of a step; the open one, if one is open."""
        of_step = [run for (one, _), run in self.runs.items() if one is step]
        return max(of_step, key=lambda run: (run.asked_at, run.is_open), default=None)

    @property
    def open_runs(self) -> Sequence[StepRun]:
        return [run for run in self.runs.values() if run.is_open]


def seen(pk: int, step: Step | None = None) -> Seen:
    """Everything about a migration but its gates. Two statements.

    :param step: whose evidence and watch belong to the pulse
    :raises ConnectionMigration.DoesNotExist: if there is none
    """
    read = _read(pk, step)
    migration = read[0].migration
    records = {Step(one.step): one for one in read}
    newest = StepRun.objects.filter(migration=migration).order_by("step", "act", "-asked_at", "pk")
    runs = {(Step(run.step), Act(run.act)): run for run in newest.distinct("step", "act")}
    runners = {Step(run.step): run.actor for run in runs.values() if run.is_open}
    statuses = {one: (Status(row.status), row.version) for one, row in records.items()}
    stale = {one for one, row in records.items() if row.stale_because}
    standings = standings_from(Path(migration.path), statuses, stale=stale, runners=runners)
    pulse = (
        migration.state,
        read[0].newest_evidence,  # type: ignore[attr-defined]  # an annotation
        read[0].went_stale,  # type: ignore[attr-defined]
        read[0].watched_at,  # type: ignore[attr-defined]
        sorted((one, row.version) for one, row in records.items()),
        sorted(
            (str(run.pk), run.state, run.done_items, run.all_items or 0, run.doing, run.tries)
            for run in runs.values()
        ),
    )
    return Seen(migration, records, runs, standings, pulse)


def _read(pk: int, step: Step | None) -> Sequence[StepRecord]:
    """The records of a migration with the migration itself, and with what workers change of it.

    :raises ConnectionMigration.DoesNotExist: if there is none
    """
    evidence = Evidence.objects.filter(migration=pk)
    newest = evidence.filter(step=step or "").order_by("-at", "-pk")
    stale = evidence.filter(stale_at__lte=Now()).order_by("-stale_at")
    watched = Watch.objects.filter(migration=pk, step=step or "")
    found = StepRecord.objects.filter(migration=pk).select_related("migration__connection")
    records = list(
        found.annotate(
            newest_evidence=Subquery(newest.values("pk")[:1]),
            went_stale=Subquery(stale.values("stale_at")[:1]),
            watched_at=Subquery(watched.values("last_at")[:1]),
        )
    )
    if not records:
        raise ConnectionMigration.DoesNotExist
    return records


def evidence(
    migration: ConnectionMigration, step: Step | None, *, after: Cursor | None
) -> KeysetPage[Evidence]:
    """What was seen on a step, or on all of them, the newest first."""
    found = Evidence.objects.filter(migration=migration)
    if step:
        found = found.filter(step=step)
    return keyset_page(found, field="at", after=after, size=EVIDENCE_PER_PAGE, newest_first=True)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of migrations."""

    migration: ConnectionMigration
    records: Mapping[Step, StepRecord]
    current: Step | None
    """None if every step is over."""
    status: Status | None
    run: StepRun | None
    """The newest of the current step."""
    seen_bad: Sequence[Evidence]
    """What was looked for on the current step and not found."""
    stale: Sequence[Step]
    asked: int
    """Waivers that wait for a second person."""

    @property
    def record(self) -> StepRecord | None:
        return self.records.get(self.current) if self.current else None

    @property
    def done(self) -> int:
        over = {Status.DONE, Status.SKIPPED, Status.NOT_NEEDED}
        return sum(one.status in over and not one.stale_because for one in self.records.values())


def migrations(
    states: Collection[State], *, after: Cursor | None
) -> KeysetPage[ConnectionMigration]:
    """Migrations in these states, the newest first."""
    found = ConnectionMigration.objects.select_related("connection").filter(state__in=states)
    return keyset_page(found, field="started_at", after=after, size=PAGE_SIZE, newest_first=True)


def rows(found: Sequence[ConnectionMigration]) -> list[Row]:
    """The lines of the list. Four statements, whatever their number."""
    keys = [one.pk for one in found]
    records: dict[int, dict[Step, StepRecord]] = {key: {} for key in keys}
    for record in StepRecord.objects.filter(migration__in=keys):
        records[record.migration_id][Step(record.step)] = record
    newest = StepRun.objects.filter(migration__in=keys).order_by("migration", "step", "-asked_at")
    runs = {(run.migration_id, run.step): run for run in newest.distinct("migration", "step")}
    currents = {one.pk: _current(one, records[one.pk]) for one in found}
    bad = _bad({key: current for key, (current, _) in currents.items() if current})
    asked = dict(
        Waiver.objects.filter(migration__in=keys, state=Waiver.State.ASKED)
        .order_by()
        .values_list("migration")
        .annotate(Count("pk"))
    )
    return [
        Row(
            migration=one,
            records=records[one.pk],
            current=currents[one.pk][0],
            status=currents[one.pk][1],
            run=runs.get((one.pk, currents[one.pk][0] or "")),
            seen_bad=bad.get(one.pk, []),
            stale=[step for step in Step if _is_stale(records[one.pk].get(step))],
            asked=asked.get(one.pk, 0),
        )
        for one in found
    ]


def _is_stale(record: StepRecord | None) -> bool:
    return bool(record and record.status == Status.DONE and record.stale_because)


def _current(
    migration: ConnectionMigration, records: Mapping[Step, StepRecord]
) -> tuple[Step | None, Status | None]:
    statuses = {one: (Status(row.status), row.version) for one, row in records.items()}
    stale = {one for one, row in records.items() if row.stale_because}
    standings = standings_from(Path(migration.path), statuses, stale=stale, runners={})
    step = current_step(standings)
    return step, standings[step].status if step else None


def _bad(currents: Mapping[int, Step]) -> dict[int, list[Evidence]]:
    """Of each migration's current step, the newest evidence of each code that is not good."""
    which = Q(pk__in=[])
    for key, step in currents.items():
        which |= Q(migration=key, step=step)
    newest = Evidence.objects.filter(which).order_by("migration", "code", "-at", "-pk")
    bad: dict[int, list[Evidence]] = {}
    for one in newest.distinct("migration", "code"):
        if not one.is_good:
            bad.setdefault(one.migration_id, []).append(one)
    return bad


def open_migration_of(slug: str) -> ConnectionMigration | None:
    """The one that is under way for a customer."""
    found = ConnectionMigration.objects.filter(connection__slug=slug, state=State.OPEN)
    return found.order_by("-pk").first()
