"""What a program may do to one item: what a person may, by the same rules, in the same words."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AwareDatetime, StringConstraints

from syncing import handling, services
from syncing.alerts.acts import AlertIsOver
from syncing.api.access import HANDLE, RETRY, SETTLE, caller_of
from syncing.api.filters import Body, NothingThere, invalid
from syncing.api.items import one_row
from syncing.api.schemas import Id, ItemOut, Text, item_out
from syncing.bulk.jobs import NotStarted
from syncing.error_desk.acts import NotDone
from syncing.job_forms import people
from syncing.models import SyncItem
from syncing.settling.outside import mark_outside
from syncing.settling.refusal import NotSettled

router = Router(tags=["Items"])
LONGEST_SNOOZE = timedelta(days=366)


class Conflict(Exception):
    """It cannot be done as things stand. The message is fit to show."""


class ActOut(Schema):
    """What was done, and the item as it stands now."""

    words: str
    item: ItemOut


class OwnerIn(Body):
    owner: Annotated[Text, StringConstraints(max_length=150)] = Field(
        description="A user name, `me` for the key's owner, or empty for nobody."
    )


class TagIn(Body):
    tag: Annotated[Text, StringConstraints(min_length=1, max_length=40)]


class SnoozeIn(Body):
    until: AwareDatetime | None = Field(description="null: show it in lists again at once.")
    reason: Annotated[Text, StringConstraints(max_length=300)] = ""


class CommentIn(Body):
    text: Annotated[Text, StringConstraints(min_length=1, max_length=4000)]


class OutsideIn(Body):
    erp_reference: Annotated[Text, StringConstraints(max_length=100)] = Field(
        "", description="The number of the document in the ERP. It or a reason is needed."
    )
    reason: Annotated[Text, StringConstraints(max_length=300)] = ""


@router.post("/{id}/retry", auth=RETRY, response=ActOut, summary="Retry")
def retry(request: HttpRequest, id: Id) -> ActOut:  # noqa: A002  as in the address
    """Put a failed item, or one that waits for its next try, at the front of its queue."""
    services.retry_item(item=_item(id), actor=caller_of(request).actor)
    return _done(id, "Queued again. The timeline shows what comes of it.")


@router.post("/{id}/assign", auth=HANDLE, response=ActOut, summary="Assign")
def assign(request: HttpRequest, id: Id, body: OwnerIn) -> ActOut:  # noqa: A002
    """Say who cares for it. The sync goes on as before."""
    actor = caller_of(request).actor
    owner = person(body.owner, me=actor)
    words = f"Assigned to {owner}." if owner else "Assigned to nobody."
    item = _item(id)
    with transaction.atomic():
        if handling.assign([id], owner=owner, actor=actor):
            handling.record("assign", words, item, actor=actor)
    return _done(id, words)


@router.post("/{id}/tag", auth=HANDLE, response=ActOut, summary="Tag")
def tag(request: HttpRequest, id: Id, body: TagIn) -> ActOut:  # noqa: A002
    """File it under a tag: small letters and digits, such as `month-end`."""
    actor, item, name = caller_of(request).actor, _item(id), tag_in(body.tag)
    with transaction.atomic():
        if handling.tag([id], tag=name, actor=actor):
            handling.record("tag", f"Tagged {name}.", item, actor=actor)
    done = _done(id, f"Tagged {name}.")
    if name not in done.item.handling.tags:
        raise Conflict(f"It has {handling.MOST_TAGS} tags, and no more fit. Take one off first.")
    return done


@router.post("/{id}/untag", auth=HANDLE, response=ActOut, summary="Take a tag off")
def untag(request: HttpRequest, id: Id, body: TagIn) -> ActOut:  # noqa: A002
    """It need not have had it."""
    actor, item, name = caller_of(request).actor, _item(id), tag_in(body.tag)
    with transaction.atomic():
        if handling.untag([id], tag=name, actor=actor):
            handling.record("untag", f"Tag {name} taken off.", item, actor=actor)
    return _done(id, f"Tag {name} taken off.")


@router.post("/{id}/snooze", auth=HANDLE, response=ActOut, summary="Snooze")
def snooze(request: HttpRequest, id: Id, body: SnoozeIn) -> ActOut:  # noqa: A002
    """Leave it out of open lists until then. The sync goes on as before."""
    actor, item, until = caller_of(request).actor, _item(id), until_in(body.until)
    words = f"Put off until {until:%-d %b %Y, %H:%M %Z}." if until else "Shown in lists again."
    with transaction.atomic():
        if handling.snooze([id], until=until, reason=body.reason, actor=actor):
            handling.record("snooze", words, item, actor=actor)
    return _done(id, words)


@router.post("/{id}/comment", auth=HANDLE, response=ActOut, summary="Comment")
def comment(request: HttpRequest, id: Id, body: CommentIn) -> ActOut:  # noqa: A002
    """Say something about it. It stands on the timeline and cannot be changed."""
    handling.comment(_item(id), text=body.text, author=caller_of(request).actor)
    return _done(id, "Commented.")


@router.post("/{id}/outside", auth=SETTLE, response=ActOut, summary="Mark handled outside")
def outside(request: HttpRequest, id: Id, body: OutsideIn) -> ActOut:  # noqa: A002
    """rampbridge is to leave it alone: somebody has booked it, or nobody need. Above a limit it
    waits for a second person, who agrees on the item's page.
    """
    if not (body.erp_reference or body.reason):
        raise invalid("erp_reference", "Give the document's number, or say in reason why not.")
    _item(id)
    [marked] = mark_outside(
        [id],
        erp_reference=body.erp_reference,
        reason=body.reason,
        actor=caller_of(request).actor,
    )
    if not (marked.is_done or marked.waits):
        raise Conflict(marked.words)
    return _done(id, marked.words)


def person(named: str, *, me: str) -> str:
    """The user name that a caller means; empty is nobody.

    :raises Invalid: if nobody of that name has a role
    """
    owner = me if named == "me" else named
    if owner and owner not in people():
        raise invalid("owner", "Nobody of that name has a role here.")
    return owner


def tag_in(text: str) -> str:
    """:raises Invalid: if it is no tag"""
    try:
        return handling.tag_name(text)
    except handling.NotHandled as refusal:
        raise invalid("tag", str(refusal)) from None


def until_in(until: Any) -> Any:
    """:raises Invalid: if it is past, or too far away"""
    now = timezone.now()
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise invalid("until", "Give a time that is to come, within a year.")
    return until


def _item(pk: int) -> SyncItem:
    found = SyncItem.objects.select_related("connection").filter(pk=pk).first()
    if found is None:
        raise NothingThere(f"There is no item {pk}.")
    return found


def _done(pk: int, words: str) -> ActOut:
    return ActOut(words=words, item=item_out(one_row(pk)))


REFUSALS: Mapping[type[Exception], int] = {
    Conflict: 409,
    services.NotRetryable: 409,
    handling.NotHandled: 422,
    NotSettled: 409,
    NotStarted: 409,
    NotDone: 409,
    AlertIsOver: 409,
}
"""What services refuse, as a status. Their messages are fit to show."""
