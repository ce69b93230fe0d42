"""Frozen figures: what stood there, and what has changed since."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from rampbridge.lib.keyset import Cursor, keyset_page
from rampbridge.policy import Permission, allow
from syncing.closing import snapshots
from syncing.models import CloseSnapshot
from syncing.queries import close_since

PAGE_SIZE = 50


@require_GET
@allow(Permission.SEE)
def close_snapshots(request: HttpRequest) -> HttpResponse:
    """All of them, the newest first."""
    page = keyset_page(
        CloseSnapshot.objects.select_related("connection", "statement"),
        field="taken_at",
        after=Cursor.parse(request.GET.get("after", "")),
        size=PAGE_SIZE,
        newest_first=True,
    )
    context = {"section": "close", "now": timezone.now(), "page": page}
    return render(request, "closing/snapshots.html", context)


@require_GET
@allow(Permission.SEE)
def close_snapshot(request: HttpRequest, name: str) -> HttpResponse:
    """One, beside today's figures."""
    snapshot = snapshots.named(name)
    if snapshot is None:
        raise Http404("no such snapshot")
    lines = close_since.lines(snapshot)
    context = {
        "section": "close",
        "now": timezone.now(),
        "snapshot": snapshot,
        "month": f"{snapshot.period:%Y-%m}" if snapshot.period else "",
        "lines": lines,
        "has_today": any(line.now is not None for line in lines),
        "has_entities": any(line.entity for line in lines),
        "is_same": all(line.is_same for line in lines),
        "since": close_since.since(snapshot),
        "stamps": list(snapshot.stamps.order_by("-pk")),
    }
    return render(request, "closing/snapshot.html", context)
