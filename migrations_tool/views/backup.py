"""The archive: another version of it, and its files."""

from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from migrations_tool import services
from migrations_tool.backup import download
from migrations_tool.forms import VersionForm
from migrations_tool.models import Backup, ConnectionMigration
from migrations_tool.step_records import write_down
from migrations_tool.steps import Act, Step
from migrations_tool.views.acts import ASKED, CONFLICT, UNPROCESSABLE
from migrations_tool.views.steps import answer
from migrations_tool.wizard import Refused, StepNotCurrent, StepNotYours
from rampbridge.lib.csv_stream import csv_response
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow


@require_POST
@allow(Permission.MIGRATE)
def migration_backup_anew(request: HtmxHttpRequest, pk: int) -> HttpResponse:
    """Have another version made, although the chart has not changed."""
    migration = get_object_or_404(ConnectionMigration, pk=pk)
    form = VersionForm(request.POST)
    try:
        if not form.is_valid():
            raise StepNotCurrent("Load the page again.")
        services.ask(
            migration,
            Step.BACKUP,
            Act.APPLY,
            version=form.cleaned_data["version"],
            actor=request.user.get_username(),
            now=timezone.now(),
            settings={"anew": True},
        )
    except Refused as refusal:
        is_conflict = isinstance(refusal, (StepNotCurrent, StepNotYours))
        status = CONFLICT if is_conflict else UNPROCESSABLE
        return answer(request, pk, Step.BACKUP, status=status, notice=str(refusal), is_refused=True)
    return answer(request, pk, Step.BACKUP, notice=ASKED[Act.APPLY])


@require_GET
@allow(Permission.MIGRATE)
def migration_backup_archive(request: HtmxHttpRequest, pk: int, number: int) -> HttpResponseBase:
    """All of a sealed version as files, with a manifest of their hashes."""
    backup = _sealed(pk, number)
    _write_down(request, backup, "the archive")
    name = f"{backup.migration.connection.slug}-backup-{backup.number}.tar.gz"
    return StreamingHttpResponse(
        download.archive(backup),
        content_type="application/gzip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@require_GET
@allow(Permission.MIGRATE)
def migration_backup_codings(request: HtmxHttpRequest, pk: int, number: int) -> HttpResponseBase:
    """The codings of a sealed version as a table."""
    backup = _sealed(pk, number)
    _write_down(request, backup, "the codings")
    name = f"{backup.migration.connection.slug}-codings-{backup.number}"
    return csv_response(name, download.COLUMNS, download.coding_rows(backup))


def _sealed(pk: int, number: int) -> Backup:
    sealed = Backup.objects.filter(state=Backup.State.SEALED)
    found = sealed.select_related("migration__connection")
    return get_object_or_404(found, migration_id=pk, number=number)


def _write_down(request: HtmxHttpRequest, backup: Backup, what: str) -> None:
    """Who took a customer's spend out of here is worth a line."""
    text = f"Downloaded {what} of backup version {backup.number}."
    write_down(backup.migration, Step.BACKUP, "download", text, actor=request.user.get_username())
