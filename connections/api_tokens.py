"""Keys to the API: made by people, shown once, and never able to do more than who made them.

Of a key only the SHA-256 of its 256 random bits is kept. It is looked up by that digest, of which
nobody who guesses can choose a single bit, so how long the look-up takes tells nothing.
"""

import hashlib
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from connections import audit
from connections.models import ApiToken
from rampbridge.lib import statements
from rampbridge.policy import Permission, can, refusal, roles_of

PREFIX = "rbk_"
"""What every key begins with, so that people and log filters know one when they see it."""
HINT_LENGTH = len(PREFIX) + 6
LONGEST = timedelta(days=366)
BURST, PER_SECOND = 120.0, 10.0
"""Calls that a key may make at once, and how fast the allowance refills."""


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    HANDLE = "handle"
    RETRY = "retry"
    SETTLE = "settle"


@dataclass(frozen=True, slots=True)
class Power:
    """A scope in words, and the permission that its owner must have."""

    permission: Permission
    label: str
    words: str


POWERS: Mapping[Scope, Power] = {
    Scope.READ: Power(Permission.SEE, "Read", "See customers, items, errors, runs and jobs"),
    Scope.HANDLE: Power(Permission.HANDLE, "Handle", "Assign, tag, snooze and comment"),
    Scope.RETRY: Power(Permission.RETRY, "Retry", "Retry items, one or many"),
    Scope.SETTLE: Power(Permission.SETTLE, "Settle", "Mark items handled outside"),
}


class NotAccepted(Exception):
    """The key opens nothing: unknown, expired, revoked, or its owner has left. Fit to show."""


class NotAllowed(Exception):
    """The key, or its owner, may not do this. The message is fit to show."""


class TooFast(Exception):
    """The key has used up its allowance; `wait` seconds until the next call."""

    def __init__(self, wait: float) -> None:
        super().__init__(
            f"This key may make {PER_SECOND:.0f} calls a second, and {BURST:.0f} at once."
            " Wait as long as Retry-After says."
        )
        self.wait = wait


class NameTaken(Exception):
    """The person has a key of that name that still works. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls by a key: the person it belongs to, and the key."""

    user: User
    token: ApiToken

    @property
    def actor(self) -> str:
        """The name that acts and audit lines carry."""
        return self.user.get_username()

    def check(self, scope: Scope) -> None:
        """:raises NotAllowed: unless both the key and its owner's present roles allow it"""
        if scope not in self.token.scopes:
            has = ", ".join(self.token.scopes)
            raise NotAllowed(
                f"This key has no scope {scope}; it has {has}. Make one that has it on /api-keys/."
            )
        power = POWERS[scope]
        if not can(self.user, power.permission):
            whose = refusal(roles_of(self.user), power.permission)
            raise NotAllowed(f"The owner of this key may not do that. {whose}")


def make(
    *, owner: User, name: str, scopes: Collection[Scope], lasts: timedelta, now: datetime
) -> tuple[ApiToken, str]:
    """A new key, and its text, which nobody can read again.

    :raises NotAllowed: if a scope is more than the owner's roles allow
    :raises NameTaken: if the owner has a working key of that name
    :raises ValueError: if it would last longer than `LONGEST`, or has no scope
    """
    if not scopes or not timedelta(0) < lasts <= LONGEST:
        raise ValueError("A key needs a scope, and an end within a year.")
    beyond = [scope for scope in scopes if not can(owner, POWERS[scope].permission)]
    if beyond:
        raise NotAllowed(f"Your roles do not allow this: {', '.join(beyond)}.")
    username, text = owner.get_username(), PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=owner.pk)  # two submits of one form: one key
        if working(username, now).filter(name=name).exists():
            raise NameTaken(f"You have a key named “{name}” already. Choose another name.")
        token = ApiToken.objects.create(
            name=name,
            hint=text[:HINT_LENGTH],
            digest=_digest(text),
            scopes=[scope.value for scope in Scope if scope in scopes],
            owner=username,
            created_at=now,
            expires_at=now + lasts,
        )
        audit.record(
            username,
            "api_keys.make",
            f"Made the API key “{name}” ({', '.join(token.scopes)}),"
            f" good until {token.expires_at:%-d %b %Y}.",
            subject="api_key",
            subject_id=token.pk,
        )
    return token, text


def revoke(*, token: ApiToken, actor: str, now: datetime) -> bool:
    """End a key at once. False if it had been revoked before."""
    with transaction.atomic():
        mine = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
        if not mine.update(revoked_at=now, revoked_by=actor):
            return False
        audit.record(
            actor,
            "api_keys.revoke",
            f"Revoked the API key “{token.name}” of {token.owner}.",
            subject="api_key",
            subject_id=token.pk,
        )
    return True


def working(owner: str, now: datetime) -> Any:
    """A person's keys that are neither revoked nor expired."""
    return ApiToken.objects.filter(owner=owner, revoked_at=None, expires_at__gt=now)


_LEFT = """least(%(burst)s, CASE WHEN calls_left_at IS NULL THEN %(burst)s ELSE
    calls_left + greatest(0, extract(epoch FROM now() - calls_left_at)) * %(rate)s END)::float8"""
# One statement finds the key, takes a call from its allowance and notes that it was used: of two
# at the same moment the second sees what the first has left.
_TAKE = f"""
    UPDATE connections_apitoken
    SET calls_left = {_LEFT} - 1, calls_left_at = now(),
        last_used_at = CASE WHEN last_used_at > now() - interval '1 minute'
                            THEN last_used_at ELSE now() END
    WHERE digest = %(digest)s AND revoked_at IS NULL AND expires_at > now() AND {_LEFT} >= 1
    RETURNING id
"""  # noqa: S608  constants of this module
_WHY_NOT = f"""
    SELECT revoked_at IS NOT NULL, expires_at <= now(), (1 - {_LEFT}) / %(rate)s
    FROM connections_apitoken WHERE digest = %(digest)s
"""  # noqa: S608  constants of this module


def admit(text: str) -> Caller:
    """Who calls with this key. Takes one call from its allowance.

    :raises NotAccepted: if it opens nothing
    :raises TooFast: if its allowance is used up
    """
    params = {"digest": _digest(text), "burst": BURST, "rate": PER_SECOND}
    taken = statements.rows(_TAKE, params)
    if not taken:
        raise _why_not(statements.rows(_WHY_NOT, params))
    token = ApiToken.objects.get(pk=taken[0][0])
    return Caller(_owner_of(token), token)


def _why_not(found: list[tuple[Any, ...]]) -> NotAccepted | TooFast:
    if not found:
        return NotAccepted("Nobody has this key. Make one on /api-keys/.")
    is_revoked, is_expired, wait = found[0]
    if is_revoked:
        return NotAccepted("This key was revoked. Make a new one on /api-keys/.")
    if is_expired:
        return NotAccepted("This key has expired. Make a new one on /api-keys/.")
    return TooFast(max(wait, 0.0))


def _owner_of(token: ApiToken) -> User:
    """:raises NotAccepted: if the owner has left, also if somebody new goes by the same name"""
    users = User.objects.filter(username=token.owner, date_joined__lte=token.created_at)
    user = users.filter(is_active=True).first()
    if user is None:
        raise NotAccepted("Whoever made this key is no longer here, so it opens nothing.")
    return user


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
