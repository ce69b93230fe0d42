"""Who cares for a customer and how it is filed: what people keep at hand, assign and tag."""

import re
from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from connections import audit
from connections.models import Connection, Pin

MOST_TAGS = 12
LONGEST_TAG = 40


class BadOwner(Exception):
    """Nobody can be made the owner by that name. The message is fit to show."""


class BadTags(Exception):
    """The tags cannot be kept. The message is fit to show."""


@transaction.atomic
def pin(connection: Connection, *, pinned: bool, actor: str) -> None:
    """Keep a customer at the top of somebody's own list, or no longer."""
    if pinned:
        _, is_new = Pin.objects.get_or_create(owner=actor, connection=connection)
    else:
        is_new = bool(Pin.objects.filter(owner=actor, connection=connection).delete()[0])
    if is_new:
        act, text = ("pin", "Pinned") if pinned else ("unpin", "Took the pin from")
        _note(connection, actor, f"customers.{act}", f"{text} {connection.name}.")


@transaction.atomic
def assign(connection: Connection, *, owner: str, actor: str) -> None:
    """Say who is asked first when something needs a person. Empty: nobody.

    :raises BadOwner: if there is no such person
    """
    if owner == connection.owner:
        return
    if owner and not people().filter(username=owner).exists():
        raise BadOwner(f"Nobody called “{owner}” can sign in here. Choose one of the names.")
    before, connection.owner = connection.owner, owner
    connection.save(update_fields=["owner"])
    text = f"Assigned {connection.name} to {owner}." if owner else f"{connection.name}: no owner."
    _note(connection, actor, "customers.assign", text, before=before, after=owner)


@transaction.atomic
def tag(connection: Connection, *, tags: Sequence[str], actor: str) -> None:
    """File a customer under some words, in place of those it had.

    :raises BadTags: if there are too many, or one is too long
    """
    wanted = _cleaned(tags)
    if wanted == connection.tags:
        return
    before, connection.tags = connection.tags, wanted
    connection.save(update_fields=["tags"])
    text = f"Tagged {connection.name}: {', '.join(wanted) or 'nothing'}."
    _note(connection, actor, "customers.tag", text, before=before, after=wanted)


def people() -> QuerySet[User]:
    """Everybody who can be an owner."""
    return User.objects.filter(is_active=True).order_by("username")


def _cleaned(tags: Sequence[str]) -> list[str]:
    """Small letters, each once, in order; a hyphen for what is between words."""
    found = sorted({re.sub(r"[\s_]+", "-", one.strip().casefold()) for one in tags} - {""})
    if len(found) > MOST_TAGS:
        raise BadTags(f"{MOST_TAGS} tags are the most. Leave out {len(found) - MOST_TAGS}.")
    too_long = next((one for one in found if len(one) > LONGEST_TAG), None)
    if too_long:
        raise BadTags(f"“{too_long[:20]}…” is longer than {LONGEST_TAG} characters. Shorten it.")
    return found


def _note(connection: Connection, actor: str, act: str, text: str, **data: object) -> None:
    audit.record(actor, act, text, connection_id=connection.pk, subject="customer",
                 subject_id=connection.slug, data=data)  # fmt: skip
