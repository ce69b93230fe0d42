"""What people do with a group of errors. For htmx an act answers with the whole group and a notice,
a refused form with itself; without a script both are pages."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.classifier import ErrorCategory
from syncing.error_desk import acts, judging
from syncing.error_desk.acts import NotDone
from syncing.error_forms import AssignForm, CommentForm, RulingForm, SnoozeForm, WithdrawForm
from syncing.models import ErrorGroup
from syncing.queries import error_group as queries
from syncing.rulings import choices
from syncing.views.error_group import category_of, context_of, open_group

UNPROCESSABLE = 422


@require_http_methods(["GET", "POST"])
@allow(Permission.HANDLE)
def assign_error(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """Give the group to somebody, or to nobody."""
    group = open_group(fingerprint)
    form = AssignForm(request.POST or None, initial={"owner": group.owner})
    if request.method == "POST" and form.is_valid():
        owner = form.cleaned_data["owner"].strip()
        words = f"Assigned to {owner}." if owner else "Assigned to nobody."
        done = _try(form, lambda: acts.assign(group, owner, actor=_me(request)), "owner")
        if done:
            return _done(request, fingerprint, words)
    return _form(request, group, form, "assign", {"people": acts.people()})


@require_POST
@allow(Permission.HANDLE)
def take_error(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """Give the group to whoever asks."""
    group = open_group(fingerprint)
    return _act(
        request, group, lambda: acts.assign(group, _me(request), actor=_me(request)), "It is yours."
    )


@require_POST
@allow(Permission.HANDLE)
def comment_error(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """Write something about the group."""
    group = open_group(fingerprint)
    form = CommentForm(request.POST)
    if form.is_valid():
        acts.comment(group, form.cleaned_data["text"], actor=_me(request))
        return _done(request, fingerprint, "Your comment is kept.")
    return _form(request, group, form, "comment", {})


@require_http_methods(["GET", "POST"])
@allow(Permission.HANDLE)
def snooze_error(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """Put the group off."""
    group = open_group(fingerprint)
    form = SnoozeForm(request.POST or None, initial={"until": SnoozeForm.TIME})
    if request.method == "POST" and form.is_valid():
        now = timezone.now()
        wish = form.snooze(now)
        if _try(form, lambda: acts.snooze(group, wish, actor=_me(request), now=now), "until"):
            return _done(request, fingerprint, f"Put off {wish.words}.")
    return _form(request, group, form, "snooze", {})


@require_POST
@allow(Permission.HANDLE)
def wake_error(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """End the snooze."""
    group = open_group(fingerprint)
    return _act(
        request, group, lambda: acts.wake(group, actor=_me(request)), "It is no longer put off."
    )


@require_http_methods(["GET", "POST"])
@allow(Permission.RULE)
def rule_error(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """Put the group into another category, from now on."""
    group = open_group(fingerprint)
    before = category_of(group, None, queries.standing_of(fingerprint))
    form = RulingForm(request.POST or None, choices=choices(group.code, before))
    if request.method == "POST" and form.is_valid():
        wish = judging.Wish(
            ErrorCategory(form.cleaned_data["category"]),
            form.cleaned_data["reason"],
            form.cleaned_data["fix"],
        )
        field = "fix" if wish.category is ErrorCategory.USER_ACTIONABLE else "category"
        if _try(form, lambda: judging.rule(group, wish, before=before, actor=_me(request)), field):
            label = judging.LABELS[wish.category]
            words = f"From now on it is {label}. What is open is judged anew, and Ramp is told."
            return _done(request, fingerprint, words)
    return _form(request, group, form, "rule", {})


@require_http_methods(["GET", "POST"])
@allow(Permission.RULE)
def withdraw_ruling(request: HtmxHttpRequest, fingerprint: str) -> HttpResponse:
    """End the ruling in force."""
    group = open_group(fingerprint)
    ruling = judging.current(fingerprint)
    if ruling is None:
        raise Http404("no ruling in force")
    form = WithdrawForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        done = _try(
            form,
            lambda: judging.withdraw(ruling, group, reason=reason, actor=_me(request)),
            "reason",
        )
        if done:
            words = "The ruling is withdrawn. What is open is tried again and judged anew."
            return _done(request, fingerprint, words)
    return _form(request, group, form, "withdraw", {})


def _me(request: HtmxHttpRequest) -> str:
    return request.user.get_username()


def _try(form: forms.Form, act: Callable[[], object], field: str) -> bool:
    """Whether the act was possible; if not, its field says why."""
    try:
        act()
    except NotDone as refusal:
        form.add_error(field, str(refusal))
        return False
    return True


def _act(
    request: HtmxHttpRequest, group: ErrorGroup, act: Callable[[], object], words: str
) -> HttpResponse:
    """An act that needs no form."""
    try:
        act()
    except NotDone as refusal:
        return _done(request, group.pk, str(refusal), is_refused=True)
    return _done(request, group.pk, words)


def _done(
    request: HtmxHttpRequest, fingerprint: str, words: str, *, is_refused: bool = False
) -> HttpResponse:
    """The group as it is now, with what came of the act."""
    if not request.htmx:
        (messages.error if is_refused else messages.success)(request, words)
        return redirect("error_group", fingerprint)
    context = context_of(request, fingerprint)
    notice = {"words": words, "is_refused": is_refused}
    return render(request, "errors/_group.html", {**context, "notice": notice})


def _form(
    request: HtmxHttpRequest,
    group: ErrorGroup,
    form: forms.Form,
    name: str,
    extra: dict[str, Any],
) -> HttpResponse:
    """The form alone for htmx, which puts it into its place; else the page with the form in it."""
    status = UNPROCESSABLE if form.is_bound else 200
    own = {"group": group, "act_form": form, "act": f"errors/_{name}.html", **extra}
    if not request.htmx:
        context = context_of(request, group.pk) | own
        return render(request, "errors/group.html", context, status=status)
    answer = render(request, f"errors/_{name}.html", own, status=status)
    if name != "comment":
        answer["HX-Retarget"], answer["HX-Reswap"] = "#group-form", "innerHTML"
    else:
        answer["HX-Retarget"], answer["HX-Reswap"] = "#comment-form", "outerHTML"
    return answer
