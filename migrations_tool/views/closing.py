"""What is downloaded at the end: the closing report, and the documents since the switch."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET

from migrations_tool.models import ConnectionMigration, Report
from migrations_tool.rollback import documents
from rampbridge.lib.csv_stream import csv_response
from rampbridge.policy import Permission, allow


@require_GET
@allow(Permission.SEE)
def migration_hypercare_report(request: HttpRequest, pk: int) -> HttpResponse:
    """The closing report as a page, fit to print."""
    report = _report(pk)
    context = {
        "section": "migrations",
        "migration": report.migration,
        "connection": report.migration.connection,
        "report": report,
        "html": mark_safe(report.html),  # noqa: S308  escaped as it was written
    }
    return render(request, "migrations_tool/closing_report.html", context)


@require_GET
@allow(Permission.SEE)
def migration_hypercare_report_file(_request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    """The same as a file."""
    report = _report(pk)
    name = f"closing-report-{report.migration.connection.slug}"
    if kind == "pdf":
        response = HttpResponse(bytes(report.pdf), content_type="application/pdf")
    else:
        title = f"Closing report: {report.migration.connection.name}"
        page = render_to_string(
            "migrations_tool/reports/document.html", {"title": title, "content": report.html}
        )
        response = HttpResponse(page)
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    return response


@require_GET
@allow(Permission.SEE)
def migration_flip_documents(_request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """What was posted since the switch, to be reversed or kept (R-103)."""
    migration = get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)
    name = f"posted-since-the-switch-{migration.connection.slug}"
    return csv_response(name, documents.HEAD, documents.lines(migration))


def _report(pk: int) -> Report:
    """:raises Http404: if none was written yet"""
    found = Report.objects.filter(migration=pk, kind=Report.Kind.CLOSING)
    report = found.select_related("migration__connection").order_by("-made_at", "-pk").first()
    if report is None:
        raise Http404("The closing report is written when hypercare is completed.")
    return report
