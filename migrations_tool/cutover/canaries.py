"""The canary: one object of each type goes to the ERP while all others wait (R-101)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models.functions import Now

from connections.erp.records import Document
from connections.models import Connection
from migrations_tool import step_records
from migrations_tool.cutover import duplicates
from migrations_tool.flip.switching import HELD_BACK
from migrations_tool.models import CanaryObject, ConnectionMigration
from migrations_tool.proofs import newest
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused
from migrations_tool.work import Work
from syncing import pauses
from syncing.claims import FRESH_SECONDS
from syncing.models import SyncItem
from syncing.states import ItemState

BOOKED = frozenset({ItemState.POSTED, ItemState.ACKING, ItemState.ACKED})
UNDER_WAY = frozenset({ItemState.POSTING, *BOOKED})
DONE = "The cutover check is done."


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of choosing."""

    sent: Sequence[str] = ()
    """Types of which one object is on its way."""
    stale: Sequence[str] = ()
    """Types whose objects were read from Ramp too long ago."""
    empty: Sequence[str] = ()
    """Types of which nothing is ready."""
    doubtful: Sequence[str] = ()
    """Types of which all that is ready may have been booked before, by another."""


def types_of(connection: Connection) -> list[str]:
    """What is synced of the customer, as items name it."""
    return [
        one
        for one in SyncItem.ObjectType.values
        if one in connection.object_types
        or (one == SyncItem.ObjectType.BILL_PAYMENT and "bill" in connection.object_types)
    ]


def send(work: Work) -> Chosen:
    """Let one object through of each type that has had none. What is on its way stays so.

    What may have been booked before is not sent: a canary must not be the double itself.
    """
    sent: list[str] = []
    stale: list[str] = []
    empty: list[str] = []
    doubtful: list[str] = []
    suspects = duplicates.open_items(work.migration)
    known = {one.object_type: one for one in of(work.migration)}
    for object_type in types_of(work.migration.connection):
        if (canary := known.get(object_type)) and _needs_no_other(canary):
            continue
        ready = SyncItem.objects.filter(
            connection_id=work.migration.connection_id,
            object_type=object_type,
            state=ItemState.READY,
            due_at__isnull=False,
        ).exclude(arrived_by=SyncItem.Arrival.BACKFILL)
        certain = ready.exclude(pk__in=suspects)
        fresh = certain.filter(snapshot_at__gt=Now() - timedelta(seconds=FRESH_SECONDS))
        item = fresh.select_related("connection").order_by("due_at", "pk").first()
        if item is None:
            why = stale if certain.exists() else doubtful if ready.exists() else empty
            why.append(object_type)
        elif _let_through(work, item):
            sent.append(object_type)
    return Chosen(sent, stale, empty, doubtful)


def of(migration: ConnectionMigration) -> list[CanaryObject]:
    """Those chosen so far, with their items; what went in another's place is noted first."""
    found = list(migration.canaries.select_related("item").order_by("object_type"))
    for one in found:
        _follow(one, migration)
    return found


def tick(
    canary: CanaryObject, *, objection: str = "", version: int, actor: str, now: datetime
) -> None:
    """Somebody has looked at the document in the ERP: it is right, or what is wrong with it.

    :raises Refused: if there is no document yet, or the migration has ended
    :raises StepNotCurrent: if the step has changed since the page was loaded
    """
    with transaction.atomic():
        record = step_records.held(canary.migration, Step.CUTOVER, version=version)
        if canary.item is None or canary.item.state not in BOOKED:
            raise Refused("It is not in the ERP yet. Look at the document before you tick it.")
        changes = {"ticked_by": actor, "ticked_at": now, "objection": objection[:500]}
        CanaryObject.objects.filter(pk=canary.pk).update(**changes)
        step_records.changed(record, now=now)
        what = f"the {SyncItem.ObjectType(canary.object_type).label.lower()} {canary.item.label}"
        number = canary.item.erp_number or canary.item.erp_id
        text = (
            f"Objected to {what}, {number}: {objection}"
            if objection
            else f"Looked at {what}, {number}, in the ERP: it is right."
        )
        step_records.write_down(canary.migration, Step.CUTOVER, "canary", text[:480], actor=actor)


def release(migration: ConnectionMigration, object_type: str, *, actor: str) -> bool:
    """End the pause that held a type back; whatever else pauses it stays. False if none did."""
    held = migration.connection.pauses.filter(
        object_type=object_type, resumed_at=None, reason=HELD_BACK
    )
    return held.exists() and pauses.resume(migration.connection, object_type, DONE, actor)


@transaction.atomic
def release_early(
    migration: ConnectionMigration, object_type: str, *, version: int, actor: str, now: datetime
) -> None:
    """Let the rest of a type follow its canary before the whole check is done: type by type.

    :raises Refused: if its canary is not ticked, or what may be booked twice is not looked at
    :raises StepNotCurrent: if the step has changed since the page was loaded
    """
    record = step_records.held(migration, Step.CUTOVER, version=version)
    canary = migration.canaries.filter(object_type=object_type).first()
    if canary is None or canary.ticked_at is None or canary.objection:
        raise Refused("Look at its first document and tick it; then the rest can follow.")
    seat = newest(migration, "flip.switched")
    if seat is not None and not seat.is_good:
        raise Refused(f"{seat.text} Nothing is posted until our connection is the active one.")
    looked = newest(migration, "cutover.duplicates")
    if looked is None or not looked.is_good or (seat is not None and looked.at < seat.at):
        raise Refused("Look at what may be booked twice first: check this step again, see below.")
    if not release(migration, object_type, actor=actor):
        raise Refused("This type is not held back by the cutover check any more.")
    step_records.changed(record, now=now)
    text = f"Released all {SyncItem.ObjectType(object_type).label.lower()}s after their canary."
    step_records.write_down(migration, Step.CUTOVER, "release", text, actor=actor)


def reverse(work: Work) -> list[CanaryObject]:
    """Take the documents of the canaries back in the ERP. Those that are taken back stay so.

    :raises ErpError: if the ERP refuses; what was reversed until then is noted
    """
    reversed_ones = []
    for canary in of(work.migration):
        item = canary.item
        if item is None or not item.erp_id or canary.reversed_at is not None:
            continue
        document = _document(item)
        if document is None:
            continue
        work.keep()
        now = work.clock()
        work.erp.void(document.ref, max(document.posting_date, now.date()), "Canary taken back.")
        CanaryObject.objects.filter(pk=canary.pk).update(reversed_at=now)
        reversed_ones.append(canary)
    return reversed_ones


def _document(item: SyncItem) -> Document | None:
    payload = getattr(item, "payload", None)
    return Document.from_json(payload.document) if payload and payload.document else None


def _needs_no_other(canary: CanaryObject) -> bool:
    return canary.item is not None and canary.item.state in UNDER_WAY and not canary.objection


@transaction.atomic
def _let_through(work: Work, item: SyncItem) -> bool:
    if not pauses.let_one_through(item):
        return False
    CanaryObject.objects.update_or_create(
        migration=work.migration,
        object_type=item.object_type,
        defaults={
            "item": item,
            "chosen_at": work.clock(),
            "ticked_by": "",
            "ticked_at": None,
            "objection": "",
            "reversed_at": None,
        },
    )
    return True


def _follow(canary: CanaryObject, migration: ConnectionMigration) -> None:
    """Another may have gone: one that the customer's button asked for goes before all others."""
    if canary.item is None or canary.item.state != ItemState.READY or canary.chosen_at is None:
        return
    went = SyncItem.objects.filter(
        connection_id=migration.connection_id,
        object_type=canary.object_type,
        posted_at__gte=canary.chosen_at,
    )
    if other := went.order_by("posted_at", "pk").first():
        canary.item = other
        CanaryObject.objects.filter(pk=canary.pk).update(item=other)
