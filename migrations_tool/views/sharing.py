"""The customer's page behind a link, without an account."""

from django import forms
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from migrations_tool.models import ShareLink
from migrations_tool.sharing import LinkGone, answers, open_link
from migrations_tool.sharing.customer_page import CustomerPage, page_of
from migrations_tool.views import browser_marks
from migrations_tool.wizard import Refused

NOT_FOUND, GONE, UNPROCESSABLE = 404, 410, 422
Purpose = ShareLink.Purpose


class AnswerForm(forms.Form):
    """Who answers."""

    name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "name"}),
    )
    email = forms.EmailField(
        label="Your e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"class": "field", "autocomplete": "email"}),
    )
    agrees = forms.BooleanField(
        label="I have read it and stand for it.",
        error_messages={"required": "Tick this once you have read it."},
    )
    report_hash = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)


@csrf_exempt  # the address is the secret, and a page without a referrer has no origin to check
@login_not_required
@require_http_methods(["GET", "POST"])
def migration_share(request: HttpRequest, token: str) -> HttpResponse:
    """What the link is for. Reads only, but for the one answer that the customer gives."""
    now = timezone.now()
    try:
        link = open_link(token, now=now)
    except LinkGone as gone:
        status = GONE if gone.was_known else NOT_FOUND
        return _private(render(request, "migrations_tool/share/gone.html", status=status))
    page = page_of(link)
    form, refusal = None, ""
    if _may_answer(page):
        form = AnswerForm(request.POST or None, initial=_initial(page))
        if request.method == "POST" and form.is_valid():
            try:
                _answer(request, link, form.cleaned_data)
            except Refused as refused:
                refusal = str(refused)
            else:
                link.refresh_from_db()
                page, form = page_of(link), None
    context = {
        "page": page,
        "migration": page.migration,
        "connection": page.migration.connection,
        "link": link,
        "form": form,
        "refusal": refusal,
        "report_html": mark_safe(page.report.html) if page.report else "",  # noqa: S308  escaped as it was written
        "now": now,
    }
    refused_status = UNPROCESSABLE if refusal or (form is not None and form.errors) else 200
    return _private(
        render(request, "migrations_tool/share/page.html", context, status=refused_status)
    )


def _may_answer(page: CustomerPage) -> bool:
    if page.link.used_at is not None or page.migration.state != "open":
        return False
    match page.link.purpose:
        case Purpose.RULES:
            return True
        case Purpose.SIGN:
            return page.report is not None
        case _:
            return False


def _initial(page: CustomerPage) -> dict[str, str]:
    return {
        "name": page.migration.contact_name,
        "email": page.migration.contact_email,
        "report_hash": page.report.digest if page.report else "",
    }


def _answer(request: HttpRequest, link: ShareLink, said: dict[str, str]) -> None:
    """:raises Refused: with words fit to show"""
    now = timezone.now()
    who = answers.Answering(
        said["name"],
        said["email"],
        signed_in_as=request.user.get_username(),
        browser=browser_marks.known(request),
    )
    if link.purpose == Purpose.RULES:
        answers.confirm_rules(link, who, now=now)
        return
    answers.sign_report(link, who, report_hash=said["report_hash"], now=now)


def _private(response: HttpResponse) -> HttpResponse:
    """Nothing keeps the page or passes its address on."""
    response["Cache-Control"] = "no-store"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
