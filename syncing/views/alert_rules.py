"""Rules: the list, one with what it would have done, and silence for a while."""

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from rampbridge.policy import Permission, allow
from syncing.alert_forms import KindForm, MuteForm, RuleForm
from syncing.alert_kinds import KINDS, Kind, Subject, said
from syncing.alerts import acts
from syncing.alerts.previewing import preview
from syncing.alerts.telling import is_muted
from syncing.models import AlertRule
from syncing.queries import alerts as queries

UNPROCESSABLE, CONFLICT = 422, 409
SHOWN_FIRINGS = 20
_ABOUT = {
    Subject.FLEET: "Our own program",
    Subject.ERP: "Each ERP",
    Subject.CUSTOMER: "Each customer",
}


@require_GET
@allow(Permission.SEE)
def alert_rules(request: HttpRequest) -> HttpResponse:
    """Every rule, what it asks, and whether anything is open by it."""
    now = timezone.now()
    context = {
        "section": "alerts",
        "tab": "rules",
        "now": now,
        "rows": queries.rules(now=now),
    }
    return render(request, "alerts/rules.html", context)


@require_http_methods(["GET", "POST"])
@allow(Permission.WATCH)
def new_alert_rule(request: HttpRequest) -> HttpResponse:
    """First what kind, then the rule."""
    kind = KindForm.kind_of(request.GET)
    if kind is None:
        groups = [
            (label, [one for one in KINDS.values() if one.subject is subject])
            for subject, label in _ABOUT.items()
        ]
        context = {"section": "alerts", "tab": "rules", "groups": groups}
        return render(request, "alerts/kinds.html", context)
    if request.method != "POST":
        return _page(request, kind, RuleForm(kind), None)
    return _saved(request, kind, RuleForm(kind, request.POST), None)


@require_GET
@allow(Permission.SEE)
def alert_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """One rule. Everybody may read it."""
    rule = get_object_or_404(AlertRule, pk=pk, kind__in=list(KINDS))
    kind = KINDS[rule.kind]
    return _page(request, kind, RuleForm(kind, rule=rule), rule)


@require_POST
@allow(Permission.WATCH)
def change_alert_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Save a rule."""
    rule = get_object_or_404(AlertRule, pk=pk, kind__in=list(KINDS))
    kind = KINDS[rule.kind]
    return _saved(request, kind, RuleForm(kind, request.POST), rule)


@require_GET
@allow(Permission.SEE)
def preview_alert_rule(request: HttpRequest) -> HttpResponse:
    """What the rule would have done that is being filled in."""
    kind = KindForm.kind_of(request.GET)
    form = RuleForm(kind, request.GET) if kind else None
    context: dict[str, Any] = {"now": timezone.now()}
    if kind is not None and form is not None and form.is_valid():
        context |= _preview(kind, form)
    return render(request, "alerts/_preview.html", context)


@require_POST
@allow(Permission.WATCH)
def mute_alert_rule(request: HttpRequest, pk: int) -> HttpResponse:
    """Tell nobody for a while, or tell people again."""
    rule = get_object_or_404(AlertRule, pk=pk)
    now, actor = timezone.now(), request.user.get_username()
    if request.POST.get("act") == "unmute":
        acts.unmute(rule=rule, actor=actor)
        messages.success(request, "People are told again.")
        return redirect("alert_rule", pk=pk)
    form = MuteForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say for how long, and why.")
        return redirect("alert_rule", pk=pk)
    until = form.until(now)
    acts.mute(rule=rule, until=until, reason=form.cleaned_data["reason"], actor=actor, now=now)
    messages.success(request, f"Muted until {until:%d %b %Y %H:%M} UTC. Alerts still open here.")
    return redirect("alert_rule", pk=pk)


def _saved(
    request: HttpRequest, kind: Kind, form: RuleForm, rule: AlertRule | None
) -> HttpResponse:
    if not form.is_valid():
        return _page(request, kind, form, rule, status=UNPROCESSABLE)
    filled = form.into(rule or AlertRule())
    try:
        saved = acts.save_rule(
            rule=filled,
            channels=list(form.cleaned_data["channels"]),
            actor=request.user.get_username(),
            version=(form.cleaned_data["version"] or 0) if rule else None,
        )
    except acts.ChangedMeanwhile as refusal:
        messages.error(request, str(refusal))
        return _page(request, kind, form, rule, status=CONFLICT)
    messages.success(request, f"Saved “{saved.name}”. It is looked at within a minute.")
    return redirect("alert_rule", pk=saved.pk)


def _page(
    request: HttpRequest, kind: Kind, form: RuleForm, rule: AlertRule | None, *, status: int = 200
) -> HttpResponse:
    now = timezone.now()
    context = {
        "section": "alerts",
        "tab": "rules",
        "now": now,
        "kind": kind,
        "form": form,
        "rule": rule,
        "look": queries.rule_look(rule, now=now) if rule else None,
        "is_muted": bool(rule and is_muted(rule, now=now)),
        "mute_form": MuteForm(),
        "is_of_customers": kind.subject is Subject.CUSTOMER,
    }
    return render(request, "alerts/rule.html", context, status=status)


def _preview(kind: Kind, form: RuleForm) -> dict[str, Any]:
    cleaned = form.cleaned_data
    found = preview(
        kind=kind,
        thresholds=cleaned["thresholds"],
        holds=timedelta(minutes=cleaned["holds_minutes"]),
        scope=cleaned["scope"],
        scope_value=cleaned["scope_value"],
        now=timezone.now(),
    )
    shown = [(one, said(kind.unit, one.worst)) for one in found.firings[:SHOWN_FIRINGS]]
    return {
        "preview": found,
        "shown": shown,
        "more": len(found.firings) - len(shown),
        "kind": kind,
    }
