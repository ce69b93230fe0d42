"""Who may do what, in one table. Whatever declares nothing is refused.

A view says which permission it needs with `@allow`; the middleware below enforces it. Views of
other packages are listed by name. A test walks every route and fails on one that is not declared.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

_View = TypeVar("_View", bound=Callable[..., HttpResponseBase])


class Role(StrEnum):
    """What a person is here to do. A group of the same name gives the role."""

    SUPPORT = "support"
    IMPLEMENTER = "implementer"
    MANAGER = "manager"
    ADMIN = "admin"


class Permission(StrEnum):
    """What a view lets people do."""

    SEE = "see customers and items"
    RETRY = "retry failed items"
    PAUSE = "pause and resume posting"
    RUN = "have a customer read or compared now"
    CONNECT = "connect customers and change their settings"
    MAP = "change mappings"
    UPLOAD = "upload the chart of accounts and decide about drift"
    LINK_VENDORS = "link vendors and decide about their details"
    HANDLE = "assign, tag, snooze and comment on items and errors"
    SETTLE = "settle uncertain items and mark items handled outside"
    RULE = "change the category of an error"
    KEYS = "make keys to the API"
    MIGRATE = "move customers from another integration"
    CLOSE = "call months clean and set when customers close"
    APPROVE = "grant what somebody else asks to waive in a migration"
    WATCH = "change alert rules and who hears of alerts"


_ALL = frozenset(Role)

GRANTS: Mapping[Permission, frozenset[Role]] = {
    Permission.SEE: _ALL,
    Permission.RETRY: frozenset({Role.SUPPORT, Role.IMPLEMENTER, Role.ADMIN}),
    Permission.PAUSE: _ALL,
    Permission.RUN: frozenset({Role.SUPPORT, Role.IMPLEMENTER, Role.ADMIN}),
    Permission.CONNECT: frozenset({Role.IMPLEMENTER, Role.ADMIN}),
    Permission.MAP: frozenset({Role.SUPPORT, Role.IMPLEMENTER, Role.ADMIN}),
    Permission.UPLOAD: frozenset({Role.SUPPORT, Role.IMPLEMENTER, Role.ADMIN}),
    Permission.LINK_VENDORS: frozenset({Role.SUPPORT, Role.IMPLEMENTER, Role.ADMIN}),
    Permission.HANDLE: _ALL,
    Permission.SETTLE: frozenset({Role.SUPPORT, Role.IMPLEMENTER, Role.ADMIN}),
    Permission.RULE: frozenset({Role.IMPLEMENTER, Role.ADMIN}),
    Permission.KEYS: frozenset({Role.IMPLEMENTER, Role.ADMIN}),
    Permission.MIGRATE: frozenset({Role.IMPLEMENTER, Role.ADMIN}),
    Permission.CLOSE: frozenset({Role.IMPLEMENTER, Role.MANAGER, Role.ADMIN}),
    Permission.APPROVE: frozenset({Role.IMPLEMENTER, Role.MANAGER, Role.ADMIN}),
    Permission.WATCH: frozenset({Role.IMPLEMENTER, Role.MANAGER, Role.ADMIN}),
}

EVERYBODY = "everybody"
"""Declared open by the view's own package: sign-in, webhooks, health. They check what they must."""

FOREIGN_ROUTES: Mapping[str, Permission | str] = {
    "account_": EVERYBODY,
    "mfa_": EVERYBODY,
    "socialaccount_": EVERYBODY,
    "openid_connect_": EVERYBODY,
    "healthz": EVERYBODY,
    "readyz": EVERYBODY,
    "public_status": EVERYBODY,
    "ramp_webhook": EVERYBODY,
    "migration_share": EVERYBODY,  # its holder is who has the link
    "api-1.0.0:": EVERYBODY,  # each operation names its scope, and is refused if it names none
}
"""Routes whose views are not ours to decorate, by the start of their name."""


def allow(permission: Permission) -> Callable[[_View], _View]:
    """Declare which permission a view needs."""

    def declare(view: _View) -> _View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return declare


def declared(view: Callable[..., Any], route_name: str) -> Permission | str | None:
    """The permission a route needs, EVERYBODY, or None if nobody declared one."""
    own: Permission | None = getattr(view, "permission", None)
    if own is not None:
        return own
    return next(
        (need for start, need in FOREIGN_ROUTES.items() if route_name.startswith(start)), None
    )


def roles_of(user: AbstractBaseUser | AnonymousUser) -> frozenset[Role]:
    """The roles of a user; at most one query, once per user object."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    known: frozenset[Role] | None = getattr(user, "known_roles", None)
    return _read_roles(user) if known is None else known


def remember_roles(user: AbstractBaseUser, group_names: Iterable[str]) -> frozenset[Role]:
    """Keep the roles that follow from a user's groups, for as long as this user object lives."""
    names = set(group_names)
    is_admin = getattr(user, "is_superuser", False)
    known = frozenset({Role.ADMIN} if is_admin else (role for role in Role if role in names))
    user.known_roles = known  # type: ignore[attr-defined]  # of whom a lazy user stands for
    return known


def _read_roles(user: Any) -> frozenset[Role]:
    return remember_roles(user, [group.name for group in user.groups.all()])


def can(user: AbstractBaseUser | AnonymousUser, permission: Permission) -> bool:
    """Whether one of the user's roles grants the permission."""
    return is_granted(roles_of(user), permission)


def is_granted(roles: Iterable[Role], permission: Permission) -> bool:
    return not GRANTS[permission].isdisjoint(roles)


class PolicyMiddleware:
    """Refuse every view that declares no permission, and everyone who does not have it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], _args: Any, _kwargs: Any
    ) -> None:
        """:raises PermissionDenied: with words fit to show"""
        name = request.resolver_match.view_name if request.resolver_match else ""
        need = declared(view, name)
        if need == EVERYBODY:
            return
        if not isinstance(need, Permission):
            raise PermissionDenied("This page is not open to any role.")
        if not can(request.user, need):
            raise PermissionDenied(refusal(roles_of(request.user), need))


def refusal(roles: Iterable[Role], permission: Permission) -> str:
    """Why somebody is refused, and who can help."""
    have = ", ".join(sorted(roles))
    able = ", ".join(role for role in Role if role in GRANTS[permission])
    if not have:
        return f"Your account has no role yet. Ask an admin for one: {able}."
    return f"To {permission} you need one of the roles {able}. Yours: {have}."


def create_groups(**_: Any) -> None:
    """Make sure that each role's group exists. Runs after every migrate."""
    Group.objects.bulk_create([Group(name=role) for role in Role], ignore_conflicts=True)
