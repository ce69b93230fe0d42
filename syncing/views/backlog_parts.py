"""Parts of the managers' page that load by themselves: the slowest customers, and the team."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from rampbridge.lib.htmx import HtmxHttpRequest, page_or_partial
from rampbridge.policy import Permission, allow
from syncing.queries.backlog.scope import Scope
from syncing.queries.backlog.team import team
from syncing.queries.backlog.worst import worst
from syncing.views.backlog_charts import items_url
from syncing.views.backlog_scope import asked


@require_GET
@allow(Permission.SEE)
def backlog_worst(request: HtmxHttpRequest) -> HttpResponse:
    """The heat map: customers by day."""
    now = timezone.now()
    scope = asked(request.GET).scope
    return _part(request, "worst", worst_context(scope, now), scope, now)


@require_GET
@allow(Permission.SEE)
def backlog_team(request: HtmxHttpRequest) -> HttpResponse:
    """What is assigned to whom."""
    now = timezone.now()
    scope = asked(request.GET).scope
    return _part(request, "team", team_context(scope, now), scope, now)


def _part(
    request: HtmxHttpRequest, name: str, context: dict[str, Any], scope: Scope, now: datetime
) -> HttpResponse:
    template = page_or_partial(request, f"backlog/{name}.html", f"backlog/_{name}.html")
    context |= {"section": "backlog", "now": now, "page_query": scope.parameters()}
    return render(request, template, context)


def worst_context(scope: Scope, now: datetime) -> dict[str, Any]:
    """Each cell with the list of what became ready that day."""
    lines = worst(scope, now=now)
    return {
        "lines": [
            (
                line,
                f"{reverse('backlog')}?{urlencode({'customer': line.slug, 'period': '30d'})}",
                [
                    (cell, items_url(scope.gone(customer=line.slug, ready_from=cell.begins,
                                                ready_to=cell.ends)))
                    for cell in line.cells
                ],
            )
            for line in lines
        ],
        "days": [cell.day for cell in lines[0].cells] if lines else [],
    }  # fmt: skip


def team_context(scope: Scope, now: datetime) -> dict[str, Any]:
    """Each person with the lists of what is theirs."""

    def errors_url(owner: str, **more: str) -> str:
        query = {"owner": owner, **({"customer": scope.slug} if scope.slug else {}), **more}
        return f"{reverse('errors')}?{urlencode(query)}"

    return {
        "loads": [
            (
                load,
                items_url(scope.items(state="open", owner=load.owner)),
                errors_url(load.owner),
                errors_url(load.owner, state="regressed"),
            )
            for load in team(scope, now=now)
        ]
    }
