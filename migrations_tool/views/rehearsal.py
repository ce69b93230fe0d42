"""One rehearsed object, the report, and the signatures under it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections.erp.records import Document, Line
from migrations_tool import rehearsal
from migrations_tool.models import ConnectionMigration, RehearsedObject, Signature
from migrations_tool.rehearsal import explaining, reporting, signing
from migrations_tool.rehearsal.names import Names
from migrations_tool.rehearsal.panel import VERDICT_LOOKS
from migrations_tool.steps import BY_STEP, Step
from migrations_tool.views.mapping import UNPROCESSABLE, migration_of
from migrations_tool.wizard import Refused
from rampbridge.lib.money import Money
from rampbridge.policy import Permission, allow, can
from syncing.queries.words import type_label


@require_GET
@allow(Permission.SEE)
def migration_rehearsal_object(request: HttpRequest, pk: int, rehearsed: int) -> HttpResponse:
    """What an object would become, and where that differs from how it was coded."""
    return _object_page(request, _object(pk, rehearsed))


@require_POST
@allow(Permission.MIGRATE)
def migration_rehearsal_explain(request: HttpRequest, pk: int, rehearsed: int) -> HttpResponse:
    """Say why an object is as it should be, or all that are like it."""
    row = _object(pk, rehearsed)
    try:
        count = explaining.explain(
            row,
            request.POST.get("text", ""),
            all_alike=request.POST.get("all_alike") == "1",
            actor=request.user.get_username(),
            now=timezone.now(),
        )
    except Refused as refused:
        return _object_page(request, row, refusal=str(refused))
    messages.success(request, "Explained." if count == 1 else f"{count} objects are explained.")
    return redirect("migration_step", pk, Step.REHEARSAL)


@require_GET
@allow(Permission.SEE)
def migration_rehearsal_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The newest report, as it was written, with the signatures."""
    migration = migration_of(pk)
    report = reporting.newest_report(migration)
    if report is None:
        raise Http404("no report yet")
    context = _frame(request, migration) | {
        "report": report,
        "signed": signing.signed(migration).values(),
    }
    return render(request, "migrations_tool/rehearsal_report.html", context)


@require_POST
@allow(Permission.MIGRATE)
def migration_rehearsal_sign(request: HttpRequest, pk: int) -> HttpResponse:
    """The implementer signs the report that the page showed."""
    migration = migration_of(pk)
    try:
        rehearsal.sign(
            migration,
            role=Signature.Role.IMPLEMENTER,
            name=request.user.get_username(),
            email=getattr(request.user, "email", ""),
            report_hash=request.POST.get("report_hash", ""),
            now=timezone.now(),
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "Signed. It stands for this report and this mapping only.")
    return redirect("migration_step", pk, Step.REHEARSAL)


@require_POST
@allow(Permission.MIGRATE)
def migration_rehearsal_withdraw(request: HttpRequest, pk: int, role: str) -> HttpResponse:
    """Take a signature back."""
    migration = migration_of(pk)
    if role not in Signature.Role.values:
        raise Http404("no such role")
    try:
        withdrawn = rehearsal.withdraw(
            migration, role=role, actor=request.user.get_username(), now=timezone.now()
        )
    except Refused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, f"The signature of {withdrawn.name} is withdrawn.")
    return redirect("migration_step", pk, Step.REHEARSAL)


def _object(pk: int, rehearsed: int) -> RehearsedObject:
    rows = RehearsedObject.objects.select_related("migration__connection")
    return get_object_or_404(rows, pk=rehearsed, migration=pk)


def _object_page(request: HttpRequest, row: RehearsedObject, *, refusal: str = "") -> HttpResponse:
    is_open = reporting.is_open(row)
    context = _frame(request, row.migration) | {
        "row": row,
        "type": type_label(row.object_type),
        "money": Money(row.amount_minor, row.currency, row.exponent),
        "look": VERDICT_LOOKS[row.verdict],
        "document": _document(row),
        "is_open": is_open,
        "alike": len(explaining.alike(row)) if is_open else 0,
        "typed": request.POST.get("text", ""),
        "refusal": refusal,
    }
    status = UNPROCESSABLE if refusal else 200
    return render(request, "migrations_tool/rehearsal_object.html", context, status=status)


def _document(row: RehearsedObject) -> dict[str, Any] | None:
    if row.document is None:
        return None
    document = Document.from_json(row.document)
    names = Names(row.migration.connection)
    return {
        "document": document,
        "kind": document.kind.replace("_", " "),
        "party": names.vendor(document.party) if document.party else "",
        "lines": [_line(line, names) for line in document.lines],
    }


def _line(line: Line, names: Names) -> dict[str, Any]:
    return {
        "account": names.account(line.account) if line.account else "",
        "amount": line.amount,
        "tax": line.tax_amount,
        "tax_code": names.tax_code(line.tax_code) if line.tax_code else "",
        "dimensions": [names.option(field, value) for field, value in line.dimensions.items()],
        "memo": line.memo,
    }


def _frame(request: HttpRequest, migration: ConnectionMigration) -> dict[str, Any]:
    is_open = migration.state == ConnectionMigration.State.OPEN
    return {
        "section": "migrations",
        "now": timezone.now(),
        "migration": migration,
        "connection": migration.connection,
        "step": BY_STEP[Step.REHEARSAL],
        "may_migrate": is_open and can(request.user, Permission.MIGRATE),
    }
