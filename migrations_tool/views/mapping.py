"""One old record: what takes its place, why, what was decided before, and the ways to decide."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from migrations_tool.models import ConnectionMigration, OldRecord
from migrations_tool.old_chart import deciding, history, impact, targets
from migrations_tool.old_chart.coverage import LEADING
from migrations_tool.old_chart.deciding import Decision
from migrations_tool.old_chart.handler import currency_of
from migrations_tool.old_chart.labels import label_of
from migrations_tool.old_chart.listing import LOOKS
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.wizard import Refused, StepNotCurrent
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow, can

UNPROCESSABLE, CONFLICT = 422, 409
Kind, State = OldRecord.Kind, OldRecord.State


@require_GET
@allow(Permission.SEE)
def migration_mapping_record(request: HttpRequest, pk: int, record: int) -> HttpResponse:
    """The page of one old record; `?q=` searches the ERP's records."""
    return _page(request, _record(pk, record))


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_decide(request: HttpRequest, pk: int, record: int) -> HttpResponse:
    """Map the record to what was chosen."""
    row = _record(pk, record)
    if not request.POST.get("erp_id"):
        words = "Choose what takes its place."
        return _page(request, row, refusal=words, status=UNPROCESSABLE)
    decision = Decision(
        row,
        request.POST["erp_id"],
        request.POST.get("because", ""),
        request.POST.get("shared_because", ""),
        seen=_seen(request),
    )
    return _decide(request, row, decision)


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_park(request: HttpRequest, pk: int, record: int) -> HttpResponse:
    """Leave the record without a place in the ERP, with a reason."""
    row = _record(pk, record)
    because = request.POST.get("parked_because", "")
    return _decide(request, row, Decision(row, because=because, seen=_seen(request)))


@require_POST
@allow(Permission.MIGRATE)
def migration_mapping_undo(request: HttpRequest, pk: int, record: int) -> HttpResponse:
    """Go back to what was decided about the record before."""
    row = _record(pk, record)
    return _try(
        request,
        row,
        lambda: deciding.undo(
            row, seen=_seen(request), actor=request.user.get_username(), now=timezone.now()
        ),
    )


def migration_of(pk: int) -> ConnectionMigration:
    """:raises Http404: if there is none"""
    return get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)


def _record(pk: int, record: int) -> OldRecord:
    rows = OldRecord.objects.select_related("migration__connection")
    return get_object_or_404(rows, pk=record, migration=pk)


def _seen(request: HttpRequest) -> str:
    """The mark of the decision that the page showed. A form without one has seen nothing."""
    return request.POST.get("seen", "")[:64] or "none"


def _decide(request: HttpRequest, row: OldRecord, decision: Decision) -> HttpResponse:
    return _try(
        request,
        row,
        lambda: deciding.decide(
            row.migration, decision, actor=request.user.get_username(), now=timezone.now()
        ),
    )


def _try(request: HttpRequest, row: OldRecord, act: Callable[[], OldRecord]) -> HttpResponse:
    try:
        after = act()
    except StepNotCurrent as refused:
        now_is = _record(row.migration_id, row.pk)
        return _page(request, now_is, refusal=str(refused), status=CONFLICT)
    except Refused as refused:
        return _page(request, row, refusal=str(refused), status=UNPROCESSABLE)
    if after.state == State.PARKED:
        words = f"{after} is parked."
    elif after.erp_name:
        words = f"{after} leads to {after.erp_name}."
    else:
        words = f"{after} leads nowhere again."
    messages.success(request, words)
    return redirect("migration_mapping_record", row.migration_id, row.pk)


def _page(
    request: HttpRequest, row: OldRecord, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    migration = row.migration
    field = _field_of(row)
    text = " ".join(request.GET.get("q", "").split())[:100]
    can_be_mapped = row.kind != Kind.OPTION or field is not None
    found = (
        targets.find(migration.connection, row.kind, text, field.erp_id if field else "")
        if can_be_mapped
        else []
    )
    currency = currency_of(migration)
    would_be = impact.of(row, found, field.erp_id if field else "")
    is_open = migration.state == ConnectionMigration.State.OPEN
    context = {
        "section": "migrations",
        "now": timezone.now(),
        "migration": migration,
        "connection": migration.connection,
        "step": BY_STEP[Step.MAPPING],
        "row": row,
        "label": label_of(row.code, row.name),
        "look": LOOKS[row.state],
        "field": field,
        "can_be_mapped": can_be_mapped,
        "mark": history.mark_of(row),
        "found": [(one, would_be.leading.get(one.erp_id, 0)) for one in found],
        "impact": would_be.words,
        "is_cut": len(found) == targets.FOUND,
        "text": text,
        "chosen": request.POST.get("erp_id") or row.erp_id,
        "typed": request.POST,
        "money": Money(row.money_minor, *currency) if currency and row.uses else None,
        "rivals": _rivals(row),
        "history": history.history_of(row),
        "refusal": refusal,
        "may_migrate": is_open and can(request.user, Permission.MIGRATE),
    }
    return render(request, "migrations_tool/mapping_record.html", context, status=status)


def _field_of(row: OldRecord) -> OldRecord | None:
    """The mapped field of an option."""
    if row.kind != Kind.OPTION:
        return None
    return OldRecord.objects.filter(
        migration=row.migration_id, kind=Kind.FIELD, old_id=row.field_old_id, state__in=LEADING
    ).first()


def _rivals(row: OldRecord) -> list[OldRecord]:
    """Other old records that lead to the same new one."""
    if row.state not in LEADING:
        return []
    others = OldRecord.objects.filter(
        migration=row.migration_id,
        kind=row.kind,
        field_erp_id=row.field_erp_id,
        erp_id=row.erp_id,
        state__in=LEADING,
    ).exclude(pk=row.pk)
    return list(others.order_by("-money_minor", "pk")[:10])
