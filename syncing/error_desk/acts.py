"""What people do with a group of errors: care for it, talk about it, put it off. All is audited."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.functions import Now

from connections import audit
from syncing.models import Comment, ErrorGroup, Occurrence

SUBJECT = "error"
"""What audit lines call a group."""


class NotDone(Exception):
    """The act is not possible. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Snooze:
    """Until when a group is put off. Whatever of it comes first ends it."""

    reason: str
    until: datetime | None = None
    for_more: int | None = None
    """So many more items that fail with it."""
    until_freed: bool = False
    """Its cause is gone somewhere: an item of it went through."""
    until_release: bool = False
    """Another version of rampbridge runs."""

    @property
    def words(self) -> str:
        """What it waits for, as part of a sentence."""
        parts = []
        if self.until:
            parts.append(f"until {self.until:%-d %b %Y, %H:%M} UTC")
        if self.for_more:
            parts.append(f"until {self.for_more} more items fail with it")
        if self.until_freed:
            parts.append("until one of its items goes through")
        if self.until_release:
            parts.append("until another version runs")
        return " or ".join(parts)


@transaction.atomic
def assign(group: ErrorGroup, owner: str, *, actor: str) -> None:
    """Give a group to somebody; empty: to nobody.

    :raises NotDone: if there is no such person, or somebody else was quicker
    """
    if owner == group.owner:
        return
    if owner and not _is_person(owner):
        raise NotDone(f"There is nobody with the user name {owner}.")
    changed = ErrorGroup.objects.filter(pk=group.pk, owner=group.owner).update(
        owner=owner, owned_since=Now() if owner else None
    )
    if not changed:
        raise NotDone("Somebody else has just assigned it. Look again.")
    text = (
        f"Assigned “{group.heading}” to {owner}."
        if owner
        else f"Assigned “{group.heading}” to nobody."
    )
    _record(actor, "errors.assign", text, group, before=group.owner, after=owner)


def people() -> list[str]:
    """User names of those who may care for something, for a field to choose from."""
    users = get_user_model().objects.filter(is_active=True)
    return list(users.order_by("username").values_list("username", flat=True)[:500])


@transaction.atomic
def comment(group: ErrorGroup, text: str, *, actor: str) -> Comment:
    """Write something about a group, which nobody can change later.

    :raises NotDone: if there is nothing in it
    """
    text = text.strip()
    if not text:
        raise NotDone("Write something first.")
    written = Comment.objects.create(group=group, at=Now(), author=actor, text=text)
    _record(actor, "errors.comment", f"Commented on “{group.heading}”.", group, comment=written.pk)
    return written


@transaction.atomic
def snooze(group: ErrorGroup, wish: Snooze, *, actor: str, now: datetime) -> None:
    """Put a group off. It comes back by itself; its items go on as they would.

    :raises NotDone: if nothing ends it, or its end is past
    """
    if not (wish.until or wish.for_more or wish.until_freed or wish.until_release):
        raise NotDone("Choose what brings it back.")
    if wish.until and wish.until <= now:
        raise NotDone("Choose a time to come.")
    ErrorGroup.objects.filter(pk=group.pk).update(
        snoozed_at=Now(),
        snoozed_by=actor,
        snooze_reason=wish.reason[:300],
        snoozed_until=wish.until,
        snoozed_for_more=wish.for_more,
        snoozed_until_freed=wish.until_freed,
        snoozed_in_version=settings.RELEASE if wish.until_release else "",
        woken_because="",
    )
    text = f"Snoozed “{group.heading}” {wish.words}: {wish.reason}"
    _record(actor, "errors.snooze", text, group, reason=wish.reason)


NOT_SNOOZED: dict[str, Any] = {
    "snoozed_at": None,
    "snoozed_by": "",
    "snooze_reason": "",
    "snoozed_until": None,
    "snoozed_for_more": None,
    "snoozed_until_freed": False,
    "snoozed_in_version": "",
}


@transaction.atomic
def wake(group: ErrorGroup, *, actor: str) -> None:
    """End a snooze before its time.

    :raises NotDone: if it is not snoozed
    """
    snoozed = ErrorGroup.objects.filter(pk=group.pk, snoozed_at__isnull=False)
    if not snoozed.update(**NOT_SNOOZED, woken_because=f"{actor} ended the snooze."):
        raise NotDone("It is not snoozed any more.")
    _record(actor, "errors.wake", f"Ended the snooze of “{group.heading}”.", group)


def more_since_snoozed(group: ErrorGroup) -> int:
    """How many items have failed with it since it was snoozed; counted up to what ends it."""
    if group.snoozed_at is None:
        return 0
    since = Occurrence.objects.filter(fingerprint=group.pk, last_at__gt=group.snoozed_at)
    return since[: group.snoozed_for_more or 1].count()


def _is_person(username: str) -> bool:
    return get_user_model().objects.filter(username=username, is_active=True).exists()


def _record(actor: str, act: str, text: str, group: ErrorGroup, **data: object) -> None:
    audit.record(actor, act, text, subject=SUBJECT, subject_id=group.pk, data=data)
