"""Connect a new customer: from its credentials to the first synced object.

Every button writes a wish or a row that workers answer; the steps follow from what is true. So a
browser can be closed at any moment, and two people can work on it at once.
"""

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections import services
from connections.erp.kinds import KINDS, ErpKind
from connections.forms import (
    EntitiesForm,
    ErpCredentialForm,
    NewCustomerForm,
    PostingAccountsForm,
    RampCredentialForm,
    free_slug,
)
from connections.mapping_book.revisions import BadTarget
from connections.mirror import schedule as mirror_schedule
from connections.models import Chore, Connection, LedgerAccount, PostingProfile
from connections.upkeep import chores, lifecycle
from connections.upkeep.onboarding import Status, Step, current, steps
from connections.upkeep.posting_accounts import PURPOSES, suggestions
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.policy import Permission, allow
from syncing.queries.onboarding import facts, first_synced
from syncing.queries.words import Look
from syncing.views.customer_acts import open_customer
from syncing.views.live import live, version_of

UNPROCESSABLE = 422
LABEL = "rampbridge"
LOOKS = {
    Status.DONE: Look("Done", "done", "circle-check"),
    Status.WORKING: Look("Under way", "work", "loader"),
    Status.TO_DO: Look("To do", "retry", "circle-dot"),
    Status.BLOCKED: Look("Blocked", "person", "octagon-alert"),
    Status.LATER: Look("Later", "neutral", "circle-dashed"),
}


@dataclass(frozen=True, slots=True)
class StepRow:
    """One step with its look, and whether it is where things stand."""

    number: int
    step: Step
    is_current: bool

    @property
    def look(self) -> Look:
        return LOOKS[self.step.status]


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def onboarding_start(request: HttpRequest) -> HttpResponse:
    """Enter a customer with its credentials. What was entered stays if something is missing."""
    offered = lifecycle.offered_kinds()
    kind = KINDS[_chosen_kind(request, offered)]
    data = request.POST or None
    first = {
        "key": uuid.uuid4(),
        "provider_name": LABEL,
        "erp_name": kind.label,
        "time_zone": "UTC",
        "owner": request.user.get_username(),
    }
    customer = NewCustomerForm(data, initial=first)
    ramp = RampCredentialForm(data, prefix="ramp")
    erp = ErpCredentialForm(data, prefix="erp", kind=kind)
    is_complete = data is not None and all(one.is_valid() for one in (customer, ramp, erp))
    if not is_complete:
        context = {
            "section": "customers", "customer": customer, "ramp": ramp, "erp": erp, "kind": kind,
            "offered": offered, "has_errors": data is not None,
        }  # fmt: skip
        status = UNPROCESSABLE if data is not None else 200
        return render(request, "connections/onboarding_start.html", context, status=status)
    connection = _create_once(customer, ramp, erp, actor=request.user.get_username())
    messages.success(request, f"{connection.name} is entered. Both sides are being asked.")
    return redirect("onboarding", slug=connection.slug)


def _chosen_kind(request: HttpRequest, offered: dict[str, str]) -> str:
    chosen = request.POST.get("erp_kind") or request.GET.get("erp", "")
    return chosen if chosen in offered else next(iter(offered))


SLUGS_TRIED = 3


def _create_once(
    customer: NewCustomerForm, ramp: RampCredentialForm, erp: ErpCredentialForm, *, actor: str
) -> Connection:
    """The customer of this form: a second submission finds the one that the first has made.

    :raises IntegrityError: if others keep taking the same name at the same moment
    """
    key = customer.cleaned_data["key"]
    for attempt in range(SLUGS_TRIED):
        if key and (known := Connection.objects.filter(pk=key).first()):
            return known
        try:
            return _create(customer, ramp, erp, actor=actor)
        except IntegrityError:  # the same form, or another customer of that name, just now
            if attempt == SLUGS_TRIED - 1:
                raise
    raise AssertionError("unreachable")


@transaction.atomic
def _create(
    customer: NewCustomerForm, ramp: RampCredentialForm, erp: ErpCredentialForm, *, actor: str
) -> Connection:
    entered, secret = customer.cleaned_data, ramp.secret()
    connection = services.create_connection(
        services.NewConnection(
            id=entered["key"],
            slug=free_slug(entered["name"]),
            name=entered["name"],
            time_zone=entered["time_zone"],
            ramp_client_id=secret["client_id"],
            ramp_client_secret=secret["client_secret"],
            erp_kind=erp.kind.kind,
            erp_name=entered["erp_name"],
            erp_settings=erp.secret(),
            provider_name=entered["provider_name"],
            owner=entered["owner"],
            object_types=entered["object_types"],
        ),
        actor=actor,
    )
    chores.want(connection, Chore.Kind.CHECK, actor=actor, follows=True)
    return connection


@require_GET
@allow(Permission.SEE)
def onboarding(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    """How far a new customer is, what is missing, and whose move it is."""
    now = timezone.now()
    connection = open_customer(slug)
    known = facts(connection)
    all_steps = steps(known)
    at = current(all_steps)
    rows = [StepRow(number, one, one == at) for number, one in enumerate(all_steps, start=1)]
    kind: ErpKind | None = KINDS.get(connection.erp_kind)
    context = {
        "section": "customers",
        "tab": "onboarding",
        "now": now,
        "connection": connection,
        "rows": rows,
        "current": at,
        "done": sum(one.is_done for one in all_steps),
        "facts": known,
        "missing_side": "erp" if known.has_ramp_credentials else "ramp",
        "prerequisites": kind.prerequisites if kind else (),
        "first": first_synced(connection) if known.synced else None,
    }
    return live(
        request,
        "connections/onboarding.html",
        "connections/_onboarding.html",
        version=version_of(known),
        context=context,
    )


@require_POST
@allow(Permission.CONNECT)
def read_chart(request: HttpRequest, slug: str) -> HttpResponse:
    """Have the ERP's chart read and uploaded now."""
    connection = open_customer(slug)
    mirror_schedule.ensure(connection)
    mirror_schedule.upload_soon(connection.pk, actor=request.user.get_username())
    messages.success(request, f"{connection.erp_name}'s chart is read and uploaded now.")
    return redirect("onboarding", slug=slug)


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def onboarding_entities(request: HttpRequest, slug: str) -> HttpResponse:
    """Say which company of the ERP each entity is."""
    connection = open_customer(slug)
    entities = list(connection.entities.order_by("-is_primary", "name", "pk"))
    companies = list(connection.erp_entities.order_by("name", "pk"))
    if not entities:
        raise Http404("no entities yet")
    form = EntitiesForm(
        request.POST or None,
        entities=entities,
        companies=companies,
        erp_name=connection.erp_name,
    )
    if request.method == "POST" and form.is_valid():
        actor = request.user.get_username()
        try:
            for entity, company in form.chosen():
                services.map_entity(entity, erp_entity=company, actor=actor)
        except BadTarget as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The entities are mapped.")
            return redirect("onboarding", slug=slug)
    return _form(request, connection, form, "connections/onboarding_entities.html")


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def onboarding_accounts(request: HttpRequest, slug: str) -> HttpResponse:
    """Say which accounts stand for what Ramp does not code, with a suggestion for each."""
    connection = open_customer(slug)
    accounts = list(
        LedgerAccount.objects.filter(
            connection=connection, is_active=True, is_postable=True, gone_at=None
        ).order_by("code", "name", "pk")
    )
    if not accounts:
        raise Http404("no accounts yet")
    form = PostingAccountsForm(
        request.POST or None,
        accounts=accounts,
        suggested=suggestions(accounts),
        initial=_profile_of(connection),
    )
    if request.method == "POST" and form.is_valid():
        actor = request.user.get_username()
        try:
            services.set_posting_profile(connection, **form.chosen(), actor=actor)
        except BadTarget as refused:
            form.add_error(None, str(refused))
        else:
            messages.success(request, "The posting accounts are saved.")
            return redirect("onboarding", slug=slug)
    return _form(request, connection, form, "connections/onboarding_accounts.html")


def _profile_of(connection: Connection) -> dict[str, str]:
    """What is chosen already; where nothing is, the form suggests."""
    profile = PostingProfile.objects.filter(connection=connection, entity=None).first()
    if profile is None:
        return {}
    return {purpose.name: str(getattr(profile, purpose.name)) for purpose in PURPOSES}


def _form(request: HttpRequest, connection: Connection, form: Any, template: str) -> HttpResponse:
    context = {"section": "customers", "connection": connection, "form": form}
    status = UNPROCESSABLE if request.method == "POST" else 200
    return render(request, template, context, status=status)
