"""Keys to the API: make one, read it once, see what each may still do, revoke it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from connections import api_tokens
from connections.api_tokens import POWERS, Power, Scope
from connections.models import ApiToken
from connections.token_forms import ApiTokenForm
from rampbridge.policy import Permission, Role, allow, can, roles_of
from syncing.queries.words import Look

UNPROCESSABLE = 422
SHOWN = 200
ENDS_SOON = timedelta(days=14)

_WORKS = Look("Works", "done", "circle-check")
_ENDS = Look("Ends soon", "customer", "hourglass")
_EXPIRED = Look("Expired", "neutral", "clock")
_REVOKED = Look("Revoked", "neutral", "ban")
_ORPHAN = Look("Owner has left", "neutral", "user-round-x")


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key, and what it may do today."""

    token: ApiToken
    look: Look
    scopes: Sequence[tuple[Power, bool]]
    """Each with whether its owner may still do that."""

    @property
    def is_working(self) -> bool:
        return self.look in (_WORKS, _ENDS)

    @property
    def lost(self) -> list[str]:
        """What it was made for and may do no longer."""
        return [power.label.lower() for power, may in self.scopes if not may]


@require_http_methods(["GET", "POST"])
@never_cache
@allow(Permission.KEYS)
def api_tokens_page(request: HttpRequest) -> HttpResponse:
    """The keys of whoever asks, for admins those of all; a POST makes one and shows it once.

    The answer to the POST is the only place where a key ever stands, so it is not kept anywhere to
    be shown after a redirect. Sent again, the form is refused, for the name is taken.
    """
    owner = cast(User, request.user)
    if request.method != "POST":
        return _page(request, owner, ApiTokenForm(owner=owner))
    form = ApiTokenForm(request.POST, owner=owner)
    if not form.is_valid():
        return _page(request, owner, form, status=UNPROCESSABLE)
    try:
        token, text = api_tokens.make(
            owner=owner,
            name=form.cleaned_data["name"],
            scopes=form.chosen,
            lasts=form.length,
            now=timezone.now(),
        )
    except api_tokens.NameTaken as refusal:
        form.add_error("name", str(refusal))
        return _page(request, owner, form, status=UNPROCESSABLE)
    return _page(request, owner, ApiTokenForm(owner=owner), made=token, text=text)


@require_POST
@allow(Permission.KEYS)
def revoke_api_token(request: HttpRequest, pk: int) -> HttpResponse:
    """End a key at once."""
    owner = cast(User, request.user)
    token = _visible(owner).filter(pk=pk).first()
    if token is None:
        raise Http404("no such key")
    if api_tokens.revoke(token=token, actor=owner.get_username(), now=timezone.now()):
        messages.success(request, f"Revoked “{token.name}”. It opens nothing any more.")
    else:
        messages.warning(request, f"“{token.name}” had been revoked already.")
    return redirect("api_tokens")


def _page(
    request: HttpRequest,
    owner: User,
    form: ApiTokenForm,
    *,
    made: ApiToken | None = None,
    text: str = "",
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    found = list(_visible(owner).order_by("-created_at", "-pk")[:SHOWN])
    rows = _rows(found, now)
    context = {
        "section": "api_keys",
        "now": now,
        "form": form,
        "made": made,
        "text": text,
        "working": [row for row in rows if row.is_working],
        "over": [row for row in rows if not row.is_working],
        "sees_all": _sees_all(owner),
        "burst": int(api_tokens.BURST),
        "per_second": int(api_tokens.PER_SECOND),
    }
    return render(request, "api/keys.html", context, status=status)


def _sees_all(user: User) -> bool:
    return Role.ADMIN in roles_of(user)


def _visible(user: User) -> Any:
    tokens = ApiToken.objects.all()
    return tokens if _sees_all(user) else tokens.filter(owner=user.get_username())


def _rows(tokens: Sequence[ApiToken], now: datetime) -> list[KeyRow]:
    """Two statements for all owners."""
    names = {token.owner for token in tokens}
    owners = {
        user.get_username(): user
        for user in User.objects.filter(username__in=names).prefetch_related("groups")
    }
    return [_row(token, owners.get(token.owner), now) for token in tokens]


def _row(token: ApiToken, owner: User | None, now: datetime) -> KeyRow:
    scopes = [Scope(one) for one in token.scopes]
    return KeyRow(
        token,
        _look(token, owner, now),
        [(POWERS[one], owner is not None and can(owner, POWERS[one].permission)) for one in scopes],
    )


def _look(token: ApiToken, owner: User | None, now: datetime) -> Look:
    if token.revoked_at:
        return _REVOKED
    if token.expires_at <= now:
        return _EXPIRED
    if owner is None or not owner.is_active or owner.date_joined > token.created_at:
        return _ORPHAN
    return _ENDS if token.expires_at - now < ENDS_SOON else _WORKS
