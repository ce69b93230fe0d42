"""The customer's links of a migration: made, listed and revoked."""

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from migrations_tool import sharing
from migrations_tool.models import ConnectionMigration, ShareLink
from migrations_tool.sharing.links import LONGEST_DAYS, links_of
from migrations_tool.views import browser_marks
from migrations_tool.wizard import Refused
from rampbridge.policy import Permission, allow

UNPROCESSABLE = 422


class LinkForm(forms.Form):
    """What the link is for, and how long it leads somewhere."""

    purpose = forms.ChoiceField(
        label="For what",
        choices=ShareLink.Purpose.choices,
        widget=forms.Select(attrs={"class": "field"}),
    )
    given_to = forms.EmailField(
        label="Given to",
        max_length=254,
        help_text="Their e-mail address. Evidence and reports say that they came by this link.",
        error_messages={"required": "Say to which address the link is given."},
        widget=forms.EmailInput(attrs={"class": "field", "autocomplete": "off"}),
    )
    days = forms.IntegerField(
        label="Good for so many days",
        min_value=1,
        max_value=LONGEST_DAYS,
        initial=14,
        widget=forms.NumberInput(attrs={"class": "field"}),
    )


@require_http_methods(["GET", "POST"])
@allow(Permission.MIGRATE)
def migration_links(request: HttpRequest, pk: int) -> HttpResponse:
    """All links of a migration; a POST makes one, whose address is shown this once."""
    migration = _migration(pk)
    now = timezone.now()
    wanted = request.GET.get("purpose", "")
    form = LinkForm(
        request.POST or None,
        initial={
            "purpose": wanted if wanted in ShareLink.Purpose.values else "follow",
            "given_to": migration.contact_email,
            "days": 14,
        },
    )
    address = refusal = ""
    mark, made_in = browser_marks.begin(request)
    if request.method == "POST" and form.is_valid():
        try:
            token = sharing.make(
                migration,
                form.cleaned_data["purpose"],
                actor=request.user.get_username(),
                now=now,
                days=form.cleaned_data["days"],
                given_to=form.cleaned_data["given_to"],
                made_in=made_in,
            )
        except Refused as refused:
            refusal = str(refused)
        else:
            address = request.build_absolute_uri(reverse("migration_share", args=[token]))
    context = {
        "section": "migrations",
        "now": now,
        "migration": migration,
        "connection": migration.connection,
        "links": [(one, _standing(one)) for one in links_of(migration)],
        "form": form,
        "address": address,
        "refusal": refusal,
        "is_open": migration.state == ConnectionMigration.State.OPEN,
    }
    bad = refusal or (request.method == "POST" and not form.is_valid())
    response = render(
        request, "migrations_tool/links.html", context, status=UNPROCESSABLE if bad else 200
    )
    response["Cache-Control"] = "no-store"  # an address may stand on it
    if address:
        browser_marks.keep(response, mark)
    return response


@require_POST
@allow(Permission.MIGRATE)
def migration_link_revoke(request: HttpRequest, pk: int, link: int) -> HttpResponse:
    """End a link at once."""
    found = get_object_or_404(ShareLink.objects.select_related("migration"), pk=link, migration=pk)
    sharing.revoke(found, actor=request.user.get_username(), now=timezone.now())
    messages.success(request, "Revoked. The link leads nowhere any more.")
    return redirect("migration_links", pk)


def _standing(link: ShareLink) -> str:
    if link.revoked_at is not None:
        return "revoked"
    if link.expires_at <= timezone.now():
        return "ended"
    return "answered" if link.used_at is not None else "open"


def _migration(pk: int) -> ConnectionMigration:
    return get_object_or_404(ConnectionMigration.objects.select_related("connection"), pk=pk)
