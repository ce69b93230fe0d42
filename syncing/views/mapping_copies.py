"""Copy mappings from a sibling entity or another customer: the difference first, then one revision.

Nothing is copied away from the customer whose page this is; it only takes.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from connections.mapping_book import cloning, records
from connections.mapping_book import revisions as book
from connections.mapping_book.changes import NotSaved
from connections.mapping_book.cloning import CannotCopy, Plan
from connections.models import Connection, MappingRevision
from rampbridge.policy import Permission, allow
from syncing import mapping_effects, mapping_services
from syncing.mapping_forms import WhyForm
from syncing.queries import mappings as queries
from syncing.views.customer_acts import open_customer
from syncing.views.mappings import UNPROCESSABLE, after_saving, frame

LINES_SHOWN = 500
MOST_CUSTOMERS = 500


@require_http_methods(["GET", "POST"])
@allow(Permission.MAP)
def mapping_copy(request: HttpRequest, slug: str) -> HttpResponse:
    """Choose whom to copy from, see what differs, save it."""
    connection = open_customer(slug)
    names = queries.names_of(connection)
    asked = request.POST if request.method == "POST" else request.GET
    source, target = asked.get("source", "")[:100], asked.get("target", "")[:40]
    context = frame(request, connection, "mapping_copy") | {
        "customers": _customers(connection),
        "entities": list(names.entities.items()),
        "source": source,
        "target": target,
    }
    if not source:
        return render(request, "mappings/copy.html", context)
    try:
        plan, whence = _plan(connection, source, target, names)
    except CannotCopy as refusal:
        context["refusal"] = str(refusal)
        return render(request, "mappings/copy.html", context, status=UNPROCESSABLE)
    form = WhyForm(
        request.POST or None,
        initial={
            "reason": f"Copied from {whence}."[:300],
            "expected": book.newest_number(connection),
        },
    )
    if request.method == "POST" and form.is_valid():
        try:
            saved = mapping_services.save_and_release(
                connection,
                plan.changes,
                actor=request.user.get_username(),
                reason=form.cleaned_data["reason"],
                source=MappingRevision.Source.CLONE,
                expected_number=form.cleaned_data["expected"],
            )
            return after_saving(request, connection, saved)
        except NotSaved as refused:
            form.add_error(None, str(refused))
    context |= {"form": form, "whence": whence, **_shown(connection, plan, names)}
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, "mappings/copy.html", context, status=status)


def _plan(
    connection: Connection, source: str, target: str, names: queries.Names
) -> tuple[Plan, str]:
    """
    :raises CannotCopy: if there is no such source, or it cannot be copied from
    """
    if source in names.entities:
        return cloning.to_sibling(connection, source, target), names.entities[source]
    other = Connection.objects.filter(slug=source).first()
    if other is None:
        raise CannotCopy("There is no such customer or entity. Choose one of the list.")
    return cloning.to_customer(other, connection), other.name


def _customers(connection: Connection) -> list[tuple[str, str]]:
    others = Connection.objects.filter(erp_kind=connection.erp_kind).exclude(pk=connection.pk)
    return list(others.order_by("name", "pk").values_list("slug", "name")[:MOST_CUSTOMERS])


def _shown(connection: Connection, plan: Plan, names: queries.Names) -> dict[str, Any]:
    wanted = {
        (one.change.kind, one.change.field_erp_id, one.before) for one in plan.copied if one.before
    }
    before = records.named(connection, wanted)
    news = [one for one in plan.copied if one.is_news]
    return {
        "news": [
            {
                "kind_label": names.kind(one.change.kind, one.change.field_erp_id),
                "name": names.ramp(
                    one.change.kind, one.change.ramp_external_id, one.change.ramp_name
                ),
                "before": before.get(
                    (one.change.kind, one.change.field_erp_id, one.before), one.before
                ),
                "after": one.target or one.change.after,
                "why": one.why,
            }
            for one in news[:LINES_SHOWN]
        ],
        "news_count": len(news),
        "same": len(plan.copied) - len(news),
        "not_copied": [
            (names.kind(one.key.kind, one.key.field), one.name, one.why)
            for one in plan.not_copied[:LINES_SHOWN]
        ],
        "not_copied_count": len(plan.not_copied),
        "effect": mapping_effects.would_release(connection, plan.changes),
    }
