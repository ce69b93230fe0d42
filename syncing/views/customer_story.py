"""What happened to one customer, and what people have written about it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.keyset import Cursor, keyset_page
from rampbridge.policy import Permission, allow, can
from syncing.fleet import notes
from syncing.models import Comment
from syncing.queries import customer_stream
from syncing.queries.customer_stream import KINDS
from syncing.views.customer import href
from syncing.views.customer_acts import open_customer

UNPROCESSABLE = 422
NOTES_SHOWN = 30


@require_GET
@allow(Permission.SEE)
def customer_timeline(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """The customer's stream, a page at a time."""
    now = timezone.now()
    connection = open_customer(slug)
    kind = request.GET.get("kind", "")
    kind = kind if kind in KINDS else ""
    after = request.GET.get("after", "")
    found = customer_stream.stream(connection.pk, now=now, after=after, kind=kind)
    context = {
        "section": "customers",
        "tab": "timeline",
        "now": now,
        "connection": connection,
        "kind": kind,
        "kinds": KINDS.items(),
        "events": [(line, href(line, slug)) for line in found.lines],
        "next": found.next,
        "is_first": not after,
    }
    return render(request, "syncing/customer_timeline.html", context)


@require_http_methods(["GET", "POST"])
@allow(Permission.SEE)
def customer_notes(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """What people have written; a POST adds to it."""
    connection = open_customer(slug)
    may_write = can(request.user, Permission.HANDLE)
    refusal = ""
    if request.method == "POST" and may_write:
        try:
            notes.add(
                connection, text=request.POST.get("text", ""), actor=request.user.get_username()
            )
        except notes.EmptyNote as empty:
            refusal = str(empty)
        else:
            messages.success(request, "The note is kept.")
            return redirect("customer_notes", slug=slug)
    page = keyset_page(
        Comment.objects.filter(connection=connection),
        field="at",
        after=Cursor.parse(request.GET.get("after", "")),
        size=NOTES_SHOWN,
        newest_first=True,
    )
    context = {
        "section": "customers",
        "tab": "notes",
        "now": timezone.now(),
        "connection": connection,
        "page": page,
        "may_write": may_write,
        "refusal": refusal,
    }
    status = UNPROCESSABLE if refusal else 200
    return render(request, "syncing/customer_notes.html", context, status=status)
