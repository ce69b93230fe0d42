"""One item with everything that its page shows beside the timeline, and how it was coded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, F, OuterRef, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest, Least

from connections.models import Entity, MappingChange, MappingKind
from syncing import silent_hosts
from syncing.models import (
    Attachment,
    ErpLook,
    FormerDocument,
    OutsideMark,
    Reconciliation,
    Schedule,
    Settlement,
    SyncItem,
    SyncRun,
)
from syncing.queries.comparisons import SETTLED, WINDOW
from syncing.states import ItemState

_TIME = DateTimeField()


def item_with_everything(pk: int) -> SyncItem:
    """One item with its payload, reports, owner and tags. One query.

    It also carries, as attributes: `entity_name`, `run_id` and `run_trigger` of the reading that
    brought it, `read_back_at` (see `agreed_at`), `has_former` (an earlier attempt sent another
    document), and `has_look`, `has_settlement`, `has_mark` and `has_files`, so that what most items
    do not have is not asked for. And `host_silent_since` and `erp_resume_at`, which tell why one
    that is queued may wait for its ERP.

    :raises SyncItem.DoesNotExist: if there is none
    """
    item: SyncItem = _with_more(
        SyncItem.objects.select_related(
            "connection", "payload", "ack_batch", "failure_batch", "handling"
        )
    ).get(pk=pk)
    return item


def agreed_at(item: SyncItem) -> datetime | None:
    """When the ERP was last seen to hold the item's document over the item's amount.

    A comparison that finds a difference moves the item out of ACKED, so one that was complete and
    left it there has seen it to agree.
    """
    if item.state != ItemState.ACKED or not (item.erp_ref and item.posted_at and item.acked_at):
        return None
    found: datetime | None = getattr(item, "read_back_at", None)
    return found


_SILENT_SINCE = silent_hosts.since("syncing_syncitem.connection_id")


def _with_more(items: QuerySet[SyncItem]) -> Any:
    run = SyncRun.objects.filter(
        connection=OuterRef("connection_id"), started_at__lte=OuterRef("ready_at")
    ).order_by("-started_at")[:1]
    mine = OuterRef("pk")
    schedule = Schedule.objects.filter(connection=OuterRef("connection_id"))
    return items.annotate(
        host_silent_since=RawSQL(_SILENT_SINCE, [], output_field=DateTimeField()),  # noqa: S611
        erp_resume_at=Subquery(schedule.values("resume_at")),
        entity_name=Subquery(
            Entity.objects.filter(
                connection=OuterRef("connection_id"), ramp_id=OuterRef("entity_ramp_id")
            ).values("name")[:1]
        ),
        run_id=Subquery(run.values("pk")),
        run_trigger=Subquery(run.values("trigger")),
        run_finished_at=Subquery(run.values("finished_at")),
        has_former=Subquery(FormerDocument.objects.filter(item=mine).values("pk")[:1]),
        has_look=Subquery(ErpLook.objects.filter(item=mine).values("pk")[:1]),
        has_settlement=Subquery(Settlement.objects.filter(item=mine).values("pk")[:1]),
        has_files=Subquery(Attachment.objects.filter(item=mine).values("pk")[:1]),
        read_back_at=Subquery(
            Reconciliation.objects.filter(
                connection=OuterRef("connection_id"),
                finished_at__isnull=False,
                problem="",
                in_erp__gt=0,
                started_at__gt=Greatest(
                    OuterRef("acked_at"), ExpressionWrapper(OuterRef("posted_at") + SETTLED, _TIME)
                ),
                started_at__lt=ExpressionWrapper(
                    Least(OuterRef("posted_at"), OuterRef("ready_at")) + WINDOW, _TIME
                ),
            )
            .order_by("-started_at")
            .values("started_at")[:1]
        ),
        has_mark=Subquery(OutsideMark.objects.filter(item=mine, state="asked").values("pk")[:1]),
    )


@dataclass(frozen=True, slots=True)
class Coding:
    """One coding of Ramp, and the record of the ERP that it led to."""

    kind: str
    field: str
    """Of a field option: the field's id in the ERP."""
    external_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Applied:
    """The mapping that a coding went by, where a person has made one."""

    target: str
    """The ERP's id."""
    before: str
    """Where it led until then; empty: nowhere."""
    revision: int
    actor: str
    reason: str


def mappings_applied(
    item: SyncItem, codings: Sequence[Coding], *, at: datetime
) -> Mapping[Coding, Applied]:
    """The mappings that stood at a moment, of those codings that had one. At most one query."""
    kinds = {coding.kind for coding in codings}
    if not kinds:
        return {}
    changes = (
        MappingChange.objects.filter(
            revision__connection=item.connection_id,
            kind__in=kinds,
            ramp_external_id__in={coding.external_id for coding in codings},
            revision__saved_at__lte=at,
        )
        .annotate(entity_ramp_id=F("entity__ramp_id"))
        .select_related("revision")
        .order_by("revision__number", "pk")
    )
    general: dict[tuple[str, str, str], MappingChange] = {}
    own: dict[tuple[str, str, str], MappingChange] = {}
    for change in changes:
        key = (change.kind, change.field_erp_id, change.ramp_external_id)
        if change.entity_ramp_id is None:
            general[key] = change
        elif change.entity_ramp_id == item.entity_ramp_id:
            own[key] = change
    found: dict[Coding, Applied] = {}
    for coding in codings:
        field = coding.field if coding.kind == MappingKind.FIELD_OPTION else ""
        key = (coding.kind, field, coding.external_id)
        last = next((one for one in (own.get(key), general.get(key)) if one and one.after), None)
        if last is not None:
            revision = last.revision
            found[coding] = Applied(
                last.after, last.before, revision.number, revision.actor, revision.reason
            )
    return found
