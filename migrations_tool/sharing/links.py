"""Links for the customer: 256 bits that only their holder has. Here only their hash is kept."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q

from connections import audit
from migrations_tool.models import ConnectionMigration, ShareLink, StepRecord
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

BYTES = 32
LONGEST_DAYS = 60
LONGEST_TOKEN = 64
"""Characters. What is longer is none of ours and is not even looked up."""

STEP_OF = {
    ShareLink.Purpose.FOLLOW: Step.FLIP,
    ShareLink.Purpose.RULES: Step.RULES,
    ShareLink.Purpose.SIGN: Step.REHEARSAL,
}
"""Whose page shows what became of a link."""

ANSWERS = frozenset({ShareLink.Purpose.RULES, ShareLink.Purpose.SIGN})
"""By these the customer stands for something. Whoever made such a link does not answer by it: not
while they are signed in, nor in the browser in which they made it."""


class LinkGone(Exception):
    """The link leads nowhere (any more)."""

    def __init__(self, *, was_known: bool) -> None:
        super().__init__()
        self.was_known = was_known


@transaction.atomic
def make(
    migration: ConnectionMigration,
    purpose: str,
    *,
    actor: str,
    now: datetime,
    days: int = 14,
    given_to: str = "",
    made_in: str = "",
) -> str:
    """A new link for the customer. The token is returned once and cannot be told again.

    An earlier link of the same purpose goes on working until it ends or is revoked.

    :param given_to: the e-mail address that it is given to; empty: the contact's
    :param made_in: hash of a mark of the browser that makes it, see `ANSWERS`
    :raises Refused: if the migration has ended, that many days are too many, or nobody is named who
        is to answer, or somebody who works here
    """
    if migration.state != ConnectionMigration.State.OPEN:
        raise Refused("This migration has ended: there is nothing to ask the customer any more.")
    if not 1 <= days <= LONGEST_DAYS:
        raise Refused(f"A link can be good for 1 to {LONGEST_DAYS} days.")
    given_to = (given_to or migration.contact_email).strip()
    if purpose in ANSWERS and not given_to:
        raise Refused("Say to which address the link is given: the record names who answers by it.")
    if purpose in ANSWERS and User.objects.filter(email__iexact=given_to).exists():
        raise Refused(f"{given_to} works here. The customer answers for itself.")
    token = secrets.token_urlsafe(BYTES)
    link = ShareLink.objects.create(
        migration=migration,
        purpose=ShareLink.Purpose(purpose),
        token_hash=hash_of(token),
        made_by=actor,
        made_in=made_in,
        given_to=given_to,
        made_at=now,
        expires_at=now + timedelta(days=days),
    )
    whom = given_to or "the customer"
    _told(link, actor, "migrations.share", f"Made a link for {whom} to {_what(link)}.")
    return token


def open_link(token: str, *, now: datetime) -> ShareLink:
    """The link behind a token, and note that it was seen. One call finds, one notes.

    :raises LinkGone: if there is none, or it has ended or was revoked
    """
    if not token or len(token) > LONGEST_TOKEN:
        raise LinkGone(was_known=False)
    found = ShareLink.objects.select_related("migration__connection")
    link = found.filter(token_hash=hash_of(token)).first()
    if link is None:
        raise LinkGone(was_known=False)
    if link.revoked_at is not None or link.expires_at <= now:
        raise LinkGone(was_known=True)
    ShareLink.objects.filter(pk=link.pk).update(last_seen_at=now)
    return link


@transaction.atomic
def revoke(link: ShareLink, *, actor: str, now: datetime) -> None:
    """End a link at once. Again changes nothing."""
    if not ShareLink.objects.filter(pk=link.pk, revoked_at=None).update(revoked_at=now):
        return
    _told(link, actor, "migrations.unshare", f"Revoked a link of the customer to {_what(link)}.")


@transaction.atomic
def revoke_all(migration: ConnectionMigration, *, actor: str, now: datetime) -> int:
    """End every link that still leads somewhere. Returns how many did."""
    ended = migration.links.filter(revoked_at=None, expires_at__gt=now).update(revoked_at=now)
    if ended:
        audit.record(
            actor,
            "migrations.unshare",
            f"Revoked the customer's links ({ended}).",
            connection_id=migration.connection_id,
            subject="migration",
            subject_id=migration.pk,
        )
    return ended


def links_of(migration: ConnectionMigration) -> list[ShareLink]:
    """All of a migration, the newest first."""
    return list(migration.links.order_by("-made_at", "-pk"))


def working(now: datetime) -> Q:
    """Which links lead somewhere now."""
    return Q(revoked_at=None, expires_at__gt=now)


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _what(link: ShareLink) -> str:
    label = ShareLink.Purpose(link.purpose).label
    return f"{label[0].lower()}{label[1:]}"


def _told(link: ShareLink, actor: str, act: str, text: str) -> None:
    step = STEP_OF[ShareLink.Purpose(link.purpose)]
    StepRecord.objects.filter(migration=link.migration, step=step).update(version=F("version") + 1)
    audit.record(
        actor,
        act,
        text,
        connection_id=link.migration.connection_id,
        subject="migration",
        subject_id=link.migration_id,
        data={"step": step, "link": link.pk},
    )
