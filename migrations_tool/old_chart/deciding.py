"""What people decide about old records: where one leads, or that it leads nowhere, and why."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from connections.mapping_book.suggestions import Candidate
from migrations_tool.models import ConnectionMigration, Evidence, OldRecord
from migrations_tool.old_chart import history, suggesting, targets, version
from migrations_tool.old_chart.coverage import LEADING
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused, StepNotCurrent

Kind, State = OldRecord.Kind, OldRecord.State
MOST_AT_ONCE = 500
"""Records in one act, and options that are matched while the page waits."""


class LeadsThereToo(Refused):
    """Another old record leads to the same new one. A reason makes it a decision."""

    def __init__(self, row: OldRecord, other: OldRecord, to: Candidate) -> None:
        super().__init__(
            f"{other} leads to {to} already. If {row} is to go there too, say why: in the ERP the"
            " two cannot be told apart any more."
        )


class DecidedMeanwhile(StepNotCurrent):
    """The page showed another decision than the one that holds now."""

    def __init__(self, row: OldRecord) -> None:
        super().__init__(
            f"{history.told(row)} Nothing of yours is saved; press again to decide otherwise."
        )


class MappingChangedMeanwhile(StepNotCurrent):
    """The page showed another version of the mapping than the one that holds now."""

    def __init__(self) -> None:
        super().__init__(
            "The mapping has changed since this page was loaded, and nothing was brought back."
            " Look at what holds now; press again if the earlier version is still the right one."
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Where an old record is to lead, with the reason that people read; without `erp_id` it is
    parked."""

    row: OldRecord
    erp_id: str = ""
    because: str = ""
    shared_because: str = ""
    seen: str = ""
    """Mark of the decision that the person saw (`history.mark_of`); empty where nobody saw one."""

    @property
    def is_parked(self) -> bool:
        return not self.erp_id


@transaction.atomic
def decide(
    migration: ConnectionMigration, decision: Decision, *, actor: str, now: datetime
) -> OldRecord:
    """Map one old record, or park it.

    :raises DecidedMeanwhile: if somebody else has decided about it since the page was loaded
    :raises Refused: if its target cannot be posted to, or a reason is missing
    """
    record = held(migration, Step.MAPPING)
    row = write(migration, decision, actor=actor, now=now)
    changed(record, now=now)
    if row.state == State.PARKED:
        text = f"Parked {row}: {row.parked_because}"
    else:
        text = f"Mapped {row} to {row.erp_name}. {row.shared_because}".strip()
    write_down(migration, Step.MAPPING, "map", text, actor=actor)
    return row


def write(
    migration: ConnectionMigration, decision: Decision, *, actor: str, now: datetime
) -> OldRecord:
    """Write one decision; the step is held by the caller, who writes it down too.

    :raises Refused: if its target cannot be posted to, or a reason is missing
    """
    row = OldRecord.objects.select_for_update().get(pk=decision.row.pk, migration=migration)
    _check_seen(row, decision.seen)
    before = row.erp_id, row.state == State.PARKED
    if decision.is_parked:
        _park(row, decision.because)
    else:
        _map(migration, row, decision)
    row.decided_by, row.decided_at = actor, now
    row.save()
    if row.kind == Kind.FIELD and (row.erp_id, row.state == State.PARKED) != before:
        _follow(row, actor=actor, now=now)
    return row


@transaction.atomic
def accept(
    migration: ConnectionMigration,
    ids: Collection[int],
    *,
    seen: Mapping[int, str] | None = None,
    actor: str,
    now: datetime,
) -> tuple[int, list[str]]:
    """Accept the suggestions of these records, as they stood on the page.

    :param seen: their marks there; a suggestion that is another one by now is left
    :returns: how many, and in words those that need a decision of their own
    :raises Refused: if nothing was ticked, or too much
    """
    if not ids or len(ids) > MOST_AT_ONCE:
        raise Refused(f"Tick at least one suggestion, and at most {MOST_AT_ONCE}.")
    record = held(migration, Step.MAPPING)
    found = OldRecord.objects.select_for_update().filter(
        migration=migration, pk__in=ids, state=State.SUGGESTED
    )
    accepted, left = 0, []
    for row in found.order_by("-money_minor", "pk"):
        try:
            mark = (seen or {}).get(row.pk, "")
            decision = Decision(row, row.erp_id, row.evidence, seen=mark)
            write(migration, decision, actor=actor, now=now)
            accepted += 1
        except Refused as refused:
            left.append(str(refused))
    changed(record, now=now)
    text = f"Accepted {accepted} suggestion{'' if accepted == 1 else 's'} of the mapping."
    write_down(migration, Step.MAPPING, "accept_suggestions", text, actor=actor)
    return accepted, left


@transaction.atomic
def undo(row: OldRecord, *, seen: str = "", actor: str, now: datetime) -> OldRecord:
    """Give a record the decision that it had before its last one.

    :param seen: mark of the decision that the person saw, and wants taken back
    :raises DecidedMeanwhile: if that is not the last one any more
    :raises Refused: if there was none
    """
    migration = row.migration
    record = held(migration, Step.MAPPING)
    row = OldRecord.objects.select_for_update().get(pk=row.pk)
    _check_seen(row, seen)
    event = history.before_last(row)
    if event is None:
        raise Refused(f"Nothing was decided about {row} before.")
    for name in history.DECIDED:
        setattr(row, name, getattr(event, name))
    row.save()
    changed(record, now=now)
    write_down(
        migration,
        Step.MAPPING,
        "undo_mapping",
        f"Took back the last decision on {row}.",
        actor=actor,
    )
    return row


@transaction.atomic
def bring_back(
    migration: ConnectionMigration, evidence: Evidence, *, seen: str, actor: str, now: datetime
) -> int:
    """Bring back an earlier version of the whole mapping (the step's rollback).

    :param seen: the version that held when the person decided
    :returns: how many records changed
    :raises MappingChangedMeanwhile: if another one holds now
    """
    record = held(migration, Step.MAPPING)
    if seen != version.version_of(migration):
        raise MappingChangedMeanwhile
    version.note_version(migration, by=actor, now=now)
    count = version.bring_back(migration, int(evidence.result["event"]))
    suggesting.drop_lost(migration)
    version.note_version(migration, by=actor, now=now)
    changed(record, now=now)
    text = f"Brought back version {evidence.checksum[:8]} of the mapping: {count} records changed."
    write_down(migration, Step.MAPPING, "bring_back_mapping", text, actor=actor)
    return count


def _check_seen(row: OldRecord, seen: str) -> None:
    if seen and seen != history.mark_of(row):
        raise DecidedMeanwhile(row)


def _park(row: OldRecord, because: str) -> None:
    because = " ".join(because.split())
    if not because:
        raise Refused(f"Say why {row} needs no place in the ERP.")
    row.state, row.parked_because = State.PARKED, because[:300]
    row.erp_id = row.field_erp_id = row.erp_name = row.evidence = row.shared_because = ""


def _map(migration: ConnectionMigration, row: OldRecord, decision: Decision) -> None:
    field = _field_of(migration, row) if row.kind == Kind.OPTION else ""
    to = targets.one(migration.connection, row.kind, erp_id=decision.erp_id, field_erp_id=field)
    if to is None:
        raise Refused(
            f"{migration.connection.erp_name} has no {row.get_kind_display()} {decision.erp_id}"
            " that can be used. Choose another one, or read the ERP again."
        )
    shared = " ".join(decision.shared_because.split())[:300]
    other = _other(row, field, to.erp_id)
    if other is not None and not shared:
        raise LeadsThereToo(row, other, to)
    row.state, row.parked_because = State.MAPPED, ""
    row.erp_id, row.field_erp_id, row.erp_name = to.erp_id, field, str(to)[:400]
    row.evidence = " ".join(decision.because.split())[:200]
    row.shared_because = shared if other is not None else ""


def _other(row: OldRecord, field_erp_id: str, erp_id: str) -> OldRecord | None:
    rivals = OldRecord.objects.filter(
        migration=row.migration_id,
        kind=row.kind,
        field_erp_id=field_erp_id,
        erp_id=erp_id,
        state__in=LEADING,
    ).exclude(pk=row.pk)
    return rivals.order_by("-money_minor", "pk").first()


def _field_of(migration: ConnectionMigration, row: OldRecord) -> str:
    fields = OldRecord.objects.filter(
        migration=migration, kind=Kind.FIELD, old_id=row.field_old_id, state__in=LEADING
    )
    field = fields.values_list("erp_id", flat=True).first()
    if field is None:
        raise Refused(f"Map the field of {row} first: its options are those of the new field.")
    return field


def _follow(field: OldRecord, *, actor: str, now: datetime) -> None:
    """Options go with their field: parked with it, or matched anew with those of the new one."""
    options = OldRecord.objects.filter(
        migration=field.migration_id, kind=Kind.OPTION, field_old_id=field.old_id
    )
    if field.state == State.PARKED:
        options.update(
            state=State.PARKED,
            erp_id="",
            field_erp_id="",
            erp_name="",
            evidence="",
            shared_because="",
            parked_because=f"Its field is parked: {field.parked_because}"[:300],
            decided_by=actor,
            decided_at=now,
        )
        return
    options.exclude(field_erp_id=field.erp_id).update(
        state=State.UNMAPPED,
        erp_id="",
        field_erp_id="",
        erp_name="",
        evidence="",
        parked_because="",
        shared_because="",
        decided_by="",
        decided_at=None,
    )
    if options.count() <= MOST_AT_ONCE:
        suggesting.match_options(field)
