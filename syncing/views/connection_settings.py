"""One customer's connection: what is wanted and what Ramp has, how both sides are, who did what.

Nothing here calls Ramp or an ERP: a button writes a wish, and the page shows what came of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from connections.erp.kinds import KINDS
from connections.forms import (
    OBJECT_TYPES,
    BasicsForm,
    DisconnectForm,
    ErpCredentialForm,
    RampCredentialForm,
)
from connections.models import (
    Chore,
    Connection,
    Credential,
    HealthCheck,
    RampToken,
    Switch,
    WebhookSubscription,
)
from connections.upkeep import chores, history, lifecycle, scopes, switches
from rampbridge.lib.htmx import HtmxHttpRequest
from rampbridge.lib.together import together
from rampbridge.policy import Permission, allow
from syncing import upkeep
from syncing.button_switch import Verdict, may_enable_buttons
from syncing.queries import standing
from syncing.queries.words import OPEN_WORDS, Look
from syncing.views.closing import cannot_be_told
from syncing.views.customer_acts import open_customer
from syncing.views.live import live, version_of

UNPROCESSABLE = 422
SIDES = {Credential.Side.RAMP: "Ramp", Credential.Side.ERP: "ERP"}

WELL = Look("Well", "done", "circle-check")
ILL = Look("Not well", "person", "octagon-alert")
NOT_ASKED = Look("Not asked yet", "neutral", "circle-dashed")
UNDER_WAY = Look("Under way", "work", "loader")
AS_WANTED = Look("As wanted", "done", "circle-check")
DRIFTED = Look("Changed in Ramp", "customer", "triangle-alert")
REFUSED = Look("Refused", "person", "octagon-alert")
UNDECIDED = Look("Nobody decided", "neutral", "circle-dashed")

EXPLAINED: Mapping[str, str] = {
    Switch.Name.ENTITY_SELECTION: "Options of a field can be offered to some entities only.",
    Switch.Name.TRANSACTION_BUTTON: "People can have card spend booked at once, with Sync All.",
    Switch.Name.REIMBURSEMENT_BUTTON: "People can have reimbursements booked at once.",
    Switch.Name.VENDOR_CREATION: "Each merchant becomes a vendor before its spend is booked.",
    Switch.Name.VENDOR_CREDITS: "People can enter vendor credits in Ramp (beta).",
}


@dataclass(frozen=True, slots=True)
class SwitchRow:
    """One switch, wanted beside found."""

    switch: Switch
    look: Look
    words: str = ""
    fix: str = ""
    verdict: Verdict | None = None
    """Of a sync button that is off: whether it may be on."""

    @property
    def explained(self) -> str:
        return EXPLAINED.get(self.switch.name, "")

    @property
    def may_turn_on(self) -> bool:
        return self.verdict is None or self.verdict.is_admitted

    @property
    def is_drifted(self) -> bool:
        return self.look is DRIFTED


@dataclass(frozen=True, slots=True)
class SideRow:
    """One side of the connection, and the credentials to it."""

    side: str
    name: str
    look: Look
    check: HealthCheck | None
    credential: Credential | None
    wish: Chore | None
    """New credentials that are being checked, or were refused."""
    token: RampToken | None = None


@require_GET
@allow(Permission.SEE)
def connection_settings(request: HtmxHttpRequest, slug: str) -> HttpResponse:
    now = timezone.now()
    connection = open_customer(slug)
    wishes = chores.newest(connection)
    token = RampToken.objects.filter(pk=connection.pk).defer("sealed").first()
    checks, credentials, known, subscriptions = together(
        HealthCheck.objects.filter(connection=connection),
        Credential.objects.filter(connection=connection).defer("sealed"),
        Switch.objects.filter(connection=connection),
        _subscriptions(connection)[:5],
    )
    sides = _sides(connection, wishes, token, checks=checks, credentials=credentials)
    switch_rows = _switches(connection, wishes, known)
    granted = frozenset(token.scopes.split()) if token else frozenset()
    changes = history.lines(connection)
    context = {
        "section": "customers",
        "tab": "settings",
        "now": now,
        "connection": connection,
        "sides": sides,
        "check": wishes.get((Chore.Kind.CHECK, "")),
        "switches": switch_rows,
        "drifted": sum(row.is_drifted for row in switch_rows),
        "scopes": scopes.matrix(granted, connection.object_types) if token else [],
        "types": [
            (label, name in connection.object_types, scopes.can_read(name, granted) or not token)
            for name, label in OBJECT_TYPES.items()
        ],
        "subscriptions": subscriptions,
        "webhook_wish": wishes.get((Chore.Kind.WEBHOOK, ""))
        or wishes.get((Chore.Kind.WEBHOOK, upkeep.RENEW)),
        "disconnect": wishes.get((Chore.Kind.DISCONNECT, "")),
        "changes": changes,
        "is_open": connection.stage != Connection.Stage.CLOSED,
    }
    version = version_of(
        [(row.check and row.check.checked_at, row.credential and row.credential.hint)
         for row in sides],
        [(wish.pk, wish.state, wish.title) for wish in wishes.values()],
        [(row.switch.wanted, row.switch.found, row.look.label) for row in switch_rows],
        [(one.pk, one.status, one.last_event_at) for one in subscriptions],
        (connection.stage, connection.object_types, connection.owner, connection.time_zone),
        granted,
        changes[:1],
    )  # fmt: skip
    return live(
        request,
        "connections/settings.html",
        "connections/_settings.html",
        version=version,
        context=context,
    )


def _subscriptions(connection: Connection) -> QuerySet[WebhookSubscription]:
    found = connection.subscriptions.exclude(status=WebhookSubscription.Status.REMOVED)
    sealed = ("sealed_secret", "sealed_previous_secret", "sealed_header")
    return found.order_by("status", "-created_at").defer(*sealed)


def _sides(
    connection: Connection,
    wishes: Mapping[tuple[str, str], Chore],
    token: RampToken | None,
    *,
    checks: Sequence[HealthCheck],
    credentials: Sequence[Credential],
) -> list[SideRow]:
    check_of = {row.side: row for row in checks}
    credential_of = {row.side: row for row in credentials}
    rows = []
    for side, name in SIDES.items():
        check = check_of.get(side)
        wish = wishes.get((Chore.Kind.CREDENTIAL, side))
        is_settled = wish is None or wish.state == Chore.State.DONE
        look = NOT_ASKED if check is None else WELL if check.is_ok else ILL
        shown = name if side == Credential.Side.RAMP else connection.erp_name
        rows.append(
            SideRow(
                side,
                shown,
                look,
                check,
                credential_of.get(side),
                None if is_settled else wish,
                token if side == Credential.Side.RAMP else None,
            )
        )
    return rows


def _switches(
    connection: Connection, wishes: Mapping[tuple[str, str], Chore], known: Sequence[Switch]
) -> list[SwitchRow]:
    rows = {name: Switch(connection=connection, name=name) for name in Switch.Name}
    rows |= {Switch.Name(row.name): row for row in known}
    off = [button for name, button in switches.BUTTONS.items() if not rows[Switch.Name(name)].found]
    verdicts = may_enable_buttons(connection, off) if off else {}
    return [
        _switch_row(
            row,
            wishes.get((Chore.Kind.SWITCH, name)),
            verdicts.get(switches.BUTTONS.get(name, "")),
        )
        for name, row in rows.items()
    ]


def _switch_row(switch: Switch, wish: Chore | None, verdict: Verdict | None) -> SwitchRow:
    if wish is not None and wish.state == Chore.State.WANTED:
        return SwitchRow(switch, UNDER_WAY, wish.title or "A worker is at it.", wish.fix, verdict)
    is_otherwise = switch.wanted is not None and switch.wanted != switch.found
    if wish is not None and wish.state == Chore.State.REFUSED and is_otherwise:
        return SwitchRow(switch, REFUSED, wish.title, wish.fix, verdict)
    if switch.drifted_at is not None:
        return SwitchRow(switch, DRIFTED, verdict=verdict)
    if switch.wanted is None:
        return SwitchRow(switch, UNDECIDED, verdict=verdict)
    return SwitchRow(switch, AS_WANTED if not is_otherwise else UNDECIDED, verdict=verdict)


def _not_closed(slug: str) -> Connection:
    """:raises Http404: if nothing can be changed any more"""
    connection = open_customer(slug)
    if connection.stage == Connection.Stage.CLOSED:
        raise Http404("the customer is disconnected")
    return connection


@require_POST
@allow(Permission.CONNECT)
def turn_switch(request: HttpRequest, slug: str, name: str) -> HttpResponse:
    """Want a switch on or off, or take what Ramp has for what is wanted."""
    connection = _not_closed(slug)
    if name not in Switch.Name.values:
        raise Http404("no such switch")
    actor = request.user.get_username()
    on = request.POST.get("on") == "yes"
    switches.wish(connection, Switch.Name(name), on=on, actor=actor)
    found = Switch.objects.get(connection=connection, name=name).found
    if found is on:
        Switch.objects.filter(connection=connection, name=name).update(drifted_at=None)
        messages.success(request, f"{Switch.Name(name).label}: {'on' if on else 'off'} it is.")
    else:
        chores.want(connection, Chore.Kind.SWITCH, actor=actor, about=name, follows=True)
        messages.success(request, f"{Switch.Name(name).label}: Ramp is being told.")
    return redirect("connection_settings", slug=slug)


ASKED: Mapping[str, tuple[Chore.Kind, str, str]] = {
    "seat": (Chore.Kind.SEAT, "", "Ramp is being asked for the connection."),
    "webhook": (Chore.Kind.WEBHOOK, "", "Ramp is being asked for a webhook."),
    "renew-webhook": (Chore.Kind.WEBHOOK, upkeep.RENEW, "Ramp is being asked for a new webhook."),
    "live": (Chore.Kind.GO_LIVE, "", "It goes live within seconds."),
}
PAGES = ("connection_settings", "onboarding")


@require_POST
@allow(Permission.CONNECT)
def ask(request: HttpRequest, slug: str, what: str) -> HttpResponse:
    """Have a worker do something that takes a call, and go back to where it was asked for."""
    connection = open_customer(slug)
    if what not in ASKED or connection.stage == Connection.Stage.CLOSED:
        raise Http404("nothing that can be asked for")
    kind, about, words = ASKED[what]
    chores.want(connection, kind, actor=request.user.get_username(), about=about)
    messages.success(request, words)
    return back(request, slug)


@require_POST
@allow(Permission.RUN)
def check_now(request: HttpRequest, slug: str) -> HttpResponse:
    """Have both sides looked at."""
    connection = _not_closed(slug)
    chores.want(connection, Chore.Kind.CHECK, actor=request.user.get_username())
    messages.success(request, "Both sides are being asked. What they say appears here.")
    return back(request, slug)


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def edit_basics(request: HttpRequest, slug: str) -> HttpResponse:
    """Name, owner, time zone and what is synced."""
    connection = _not_closed(slug)
    form = BasicsForm(
        request.POST or None,
        initial={
            "name": connection.name,
            "time_zone": connection.time_zone,
            "owner": connection.owner,
            "object_types": connection.object_types,
        },
    )
    if request.method != "POST" or not form.is_valid():
        context = _form_context(connection, form=form)
        status = UNPROCESSABLE if request.method == "POST" else 200
        return render(request, "connections/basics.html", context, status=status)
    lifecycle.keep_basics(connection, form.cleaned_data, actor=request.user.get_username())
    messages.success(request, "Saved.")
    return redirect("connection_settings", slug=slug)


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def new_credentials(request: HttpRequest, slug: str, side: str) -> HttpResponse:
    """Enter new credentials of one side; they replace the old ones once they were seen to work."""
    connection = open_customer(slug)
    if side not in SIDES or connection.stage == Connection.Stage.CLOSED:
        raise Http404("no such side")
    form: RampCredentialForm | ErpCredentialForm
    if side == Credential.Side.RAMP:
        form = RampCredentialForm(request.POST or None)
    else:
        form = ErpCredentialForm(request.POST or None, kind=KINDS[connection.erp_kind])
    name = "Ramp" if side == Credential.Side.RAMP else connection.erp_name
    if request.method != "POST" or not form.is_valid():
        context = _form_context(connection, form=form, side=side, side_name=name)
        status = UNPROCESSABLE if request.method == "POST" else 200
        return render(request, "connections/credentials.html", context, status=status)
    secret = form.secret()
    chores.want(
        connection,
        Chore.Kind.CREDENTIAL,
        actor=request.user.get_username(),
        about=side,
        secret=secret,
        hint=lifecycle.credential_hint(Credential.Side(side), connection.erp_kind, secret),
    )
    messages.success(request, f"The new credentials of {name} are being checked.")
    return back(request, slug)


@require_http_methods(["GET", "POST"])
@allow(Permission.CONNECT)
def disconnect(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what it means, ask for the name, and have Ramp unlink the connection (R-05)."""
    connection = open_customer(slug)
    if connection.stage == Connection.Stage.CLOSED:
        return redirect("connection_settings", slug=slug)
    form = DisconnectForm(request.POST or None, name=connection.name)
    if request.method != "POST" or not form.is_valid():
        context = _form_context(
            connection,
            form=form,
            open_items=_open_items(connection),
            cannot_be_told=cannot_be_told(connection),
        )
        status = UNPROCESSABLE if request.method == "POST" else 200
        return render(request, "connections/disconnect.html", context, status=status)
    chores.want(connection, Chore.Kind.DISCONNECT, actor=request.user.get_username())
    messages.success(request, "Ramp is being told. What came of it appears here.")
    return redirect("connection_settings", slug=slug)


def _open_items(connection: Connection) -> int:
    """Items that would never be booked, as far as the roll-up knows."""
    lines = standing.standings(now=timezone.now(), connection_id=connection.pk)
    return sum(line.items for line in lines if line.word in OPEN_WORDS)


def _form_context(connection: Connection, **more: Any) -> dict[str, Any]:
    return {"section": "customers", "tab": "settings", "connection": connection, **more}


def back(request: HttpRequest, slug: str) -> HttpResponse:
    """To the page of the customer that the form stood on."""
    page = request.POST.get("back", "")
    return redirect(page if page in PAGES else PAGES[0], slug=slug)
