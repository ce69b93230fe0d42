"""The chart as it is mirrored, to be searched, and how a field is shown in Ramp."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from connections import queries as connection_queries
from connections.mirror import wishes
from connections.models import Connection, CustomField
from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.policy import Permission, allow
from syncing.forms import FieldForm
from syncing.queries import chart_records
from syncing.queries.chart_records import After
from syncing.views.chart import Tab, frame, mirrored_customer

UNPROCESSABLE = 422


@require_GET
@allow(Permission.SEE)
def records(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """Is account 6200 in Ramp, and under what name? Both sides of every record."""
    connection = mirrored_customer(slug)
    asked = request.GET.get("kind", "")
    kind = asked if asked in connection_queries.PLURALS else ""
    text = request.GET.get("q", "").strip()
    field_erp_id = request.GET.get("field") or None
    page = chart_records.records(
        connection.pk,
        kind=kind,
        text=text,
        field_erp_id=field_erp_id,
        after=After.parse(request.GET.get("after", "")),
    )
    counts = connection_queries.reference_counts(connection.pk)
    context = {
        **frame(request, connection, timezone.now()),
        "records": page.rows,
        "page": page,
        "text": text,
        "kind": kind,
        "field": field_erp_id,
        "is_narrowed": bool(text or field_erp_id),
        "kinds": [
            Tab("", "All", sum(one.wanted for one in counts), not kind),
            *(Tab(one.kind, one.label, one.wanted, one.kind == kind) for one in counts),
        ],
    }
    template = page_or_partial(request, "syncing/chart_records.html", "syncing/_chart_records.html")
    return render(request, template, context)


@require_GET
@allow(Permission.SEE)
def field(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """How a dimension is shown in Ramp."""
    connection = mirrored_customer(slug)
    found = _field(connection, pk)
    form = FieldForm(
        initial={
            "display_name": found.display_name,
            "is_splittable": found.is_splittable,
            "required_for": found.required_for,
        }
    )
    return _show(request, connection, found, form)


@require_POST
@allow(Permission.UPLOAD)
def set_field(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Have it shown otherwise."""
    connection = mirrored_customer(slug)
    found = _field(connection, pk)
    form = FieldForm(request.POST)
    if not form.is_valid():
        return _show(request, connection, found, form)
    changed = wishes.set_field(found, **form.cleaned_data, actor=request.user.get_username())
    if changed:
        messages.success(request, f"{found.name} is shown so after the next upload.")
    else:
        messages.info(request, "Nothing was different.")
    return redirect("chart_field", slug=slug, pk=pk)


def _field(connection: Connection, pk: int) -> CustomField:
    found = CustomField.objects.filter(connection=connection, pk=pk).first()
    if found is None:
        raise Http404("no such field")
    return found


def _show(
    request: HttpRequest, connection: Connection, found: CustomField, form: FieldForm
) -> HttpResponse:
    labels = dict(FieldForm.REQUIRED_FOR)
    context = {
        **frame(request, connection, timezone.now()),
        "field": found,
        "form": form,
        "required_in_ramp": [labels.get(one, one) for one in found.ramp_required_for],
    }
    status = UNPROCESSABLE if form.is_bound else None
    return render(request, "syncing/chart_field.html", context, status=status)
