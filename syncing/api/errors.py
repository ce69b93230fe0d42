"""Errors by cause across customers: the list with the page's own filters, one, and acts on it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from django.utils import timezone
from ninja import Field, Path, Query, Router, Schema
from pydantic import AwareDatetime, StringConstraints

from rampbridge.lib.money import Money
from syncing.api.access import HANDLE, READ, caller_of
from syncing.api.acts import LONGEST_SNOOZE, person
from syncing.api.filters import (
    NO_CURSOR,
    Body,
    NothingThere,
    Paging,
    check,
    chosen_customer,
    invalid,
    parameters,
)
from syncing.api.schemas import CustomerRef, MoneyOut, Text, address_of
from syncing.error_desk import acts
from syncing.error_desk.acts import Snooze
from syncing.error_forms import ErrorFilterForm
from syncing.models import ErrorGroup, Ruling
from syncing.queries import error_group, errors
from syncing.queries.group_states import Facts, GroupState, open_since

router = Router(tags=["Errors"])
Fingerprint = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]

WORDS = {
    "state": "Empty or `open`: every group with something open.",
    "customer": "Only what it hits at this customer, by its name in addresses.",
    "category": "Whose move it is.",
    "origin": "Where it comes from.",
    "owner": "Who cares for it: a user name, `me` for the key's owner, or `nobody`.",
    "erp": "Only what it hits at customers of this kind of ERP.",
    "q": "Part of the title or the code.",
}
FILTERS = parameters(ErrorFilterForm({}), WORDS)


class ErrorGroupOut(Schema):
    """One cause in plain words, whoever it hits."""

    group: str = Field(description="Its fingerprint; `cause` of the items list.")
    code: str
    title: str = Field(description="With … for what differs between items.")
    category: str
    origin: str
    owner: str = Field(description="A user name; empty: nobody.")
    state: GroupState
    items: int = Field(description="Open ones.")
    customers: int
    amounts: list[MoneyOut]
    first_seen_at: datetime
    last_seen_at: datetime | None
    since: datetime = Field(description="Since when it is open without a break.")
    why: str = Field(description="Why it was put off, or what woke it.")
    url: str


class ErrorGroupPage(Schema):
    items: list[ErrorGroupOut]
    next: str | None


class HitOut(Schema):
    """What a group holds at one customer."""

    customer: CustomerRef
    items: int
    amounts: list[MoneyOut]
    last_seen_at: datetime


class ErrorGroupWithHits(ErrorGroupOut):
    hits: list[HitOut] = Field(description="The customers with most of it first; not all of many.")


class ErrorOwnerIn(Body):
    owner: Annotated[Text, StringConstraints(max_length=150)] = Field(
        description="A user name, `me` for the key's owner, or empty for nobody."
    )


class ErrorSnoozeIn(Body):
    """At least one thing must bring it back; whatever comes first does."""

    reason: Annotated[Text, StringConstraints(min_length=1, max_length=300)]
    until: AwareDatetime | None = None
    for_more: int | None = Field(
        None, ge=1, le=1_000_000, description="So many more items that fail with it."
    )
    until_freed: bool = Field(default=False, description="One of its items goes through.")
    until_release: bool = Field(default=False, description="Another version of rampbridge runs.")


class ErrorCommentIn(Body):
    text: Annotated[Text, StringConstraints(min_length=1, max_length=4000)]


@router.get(
    "",
    auth=READ,
    response=ErrorGroupPage,
    summary="List errors",
    openapi_extra={"parameters": FILTERS},
)
def list_errors(request: HttpRequest, paging: Query[Paging]) -> ErrorGroupPage:
    """What has come back first, then by money and time; what is snoozed last."""
    form = ErrorFilterForm(request.GET)
    check(form, request.GET, also=Paging.model_fields)
    chosen_customer(form.value("customer"))
    page = errors.page_of_groups(
        form.as_filter(caller_of(request).actor),
        now=timezone.now(),
        start=_start(paging.after),
        size=paging.limit,
    )
    return ErrorGroupPage(
        items=[_listed(row) for row in page.rows],
        next=str(page.next_start) if page.next_start is not None else None,
    )


@router.get("/{group}", auth=READ, response=ErrorGroupWithHits, summary="Show one error")
def show_error(request: HttpRequest, group: Fingerprint) -> ErrorGroupWithHits:
    """Whom it hits, with how much. Its items: `GET /items?cause=…`."""
    return _whole(_group(group))


@router.post("/{group}/assign", auth=HANDLE, response=ErrorGroupWithHits, summary="Assign an error")
def assign(request: HttpRequest, group: Fingerprint, body: ErrorOwnerIn) -> ErrorGroupWithHits:
    """Say who cares for it."""
    actor = caller_of(request).actor
    acts.assign(_group(group), person(body.owner, me=actor), actor=actor)
    return _whole(_group(group))


@router.post("/{group}/snooze", auth=HANDLE, response=ErrorGroupWithHits, summary="Snooze an error")
def snooze(request: HttpRequest, group: Fingerprint, body: ErrorSnoozeIn) -> ErrorGroupWithHits:
    """Put it off. It comes back by itself; its items go on as they would."""
    now = timezone.now()
    if body.until and not now < body.until <= now + LONGEST_SNOOZE:
        raise invalid("until", "Give a time that is to come, within a year.")
    wish = Snooze(
        reason=body.reason,
        until=body.until,
        for_more=body.for_more,
        until_freed=body.until_freed,
        until_release=body.until_release,
    )
    if not wish.words:
        raise invalid("until", "Give until, for_more, until_freed or until_release.")
    acts.snooze(_group(group), wish, actor=caller_of(request).actor, now=now)
    return _whole(_group(group))


@router.post("/{group}/wake", auth=HANDLE, response=ErrorGroupWithHits, summary="Wake an error")
def wake(request: HttpRequest, group: Fingerprint) -> ErrorGroupWithHits:
    """End a snooze before its time."""
    acts.wake(_group(group), actor=caller_of(request).actor)
    return _whole(_group(group))


@router.post(
    "/{group}/comment", auth=HANDLE, response=ErrorGroupWithHits, summary="Comment on an error"
)
def comment(request: HttpRequest, group: Fingerprint, body: ErrorCommentIn) -> ErrorGroupWithHits:
    """Say something about it, which cannot be changed later."""
    acts.comment(_group(group), body.text, actor=caller_of(request).actor)
    return _whole(_group(group))


def _start(after: str) -> int:
    if not after:
        return 0
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise invalid("after", NO_CURSOR)
    return int(after)


def _group(fingerprint: str) -> ErrorGroup:
    found = ErrorGroup.objects.filter(pk=fingerprint).first()
    if found is None:
        raise NothingThere("There is no such error. GET /api/v1/errors lists them.")
    return found


def _listed(row: errors.GroupRow) -> ErrorGroupOut:
    same = ("code", "title", "category", "origin", "owner", "state", "items", "customers", "why")
    times = ("first_seen_at", "last_seen_at", "since")
    return ErrorGroupOut(
        **{name: getattr(row, name) for name in (*same, *times)},
        group=row.fingerprint,
        amounts=_amounts(row.sums),
        url=address_of("error_group", row.fingerprint),
    )


def _whole(group: ErrorGroup) -> ErrorGroupWithHits:
    standing = error_group.standing_of(group.pk)
    facts = Facts(
        standing.items,
        group.first_seen_at,
        group.resolved_at,
        group.regressed_at,
        group.snoozed_at is not None,
    )
    return ErrorGroupWithHits(
        group=group.pk,
        code=group.code,
        title=group.title,
        category=_category(group, standing),
        origin=group.origin,
        owner=group.owner,
        state=error_group.state_in(group, standing.items, timezone.now()),
        items=standing.items,
        customers=standing.customers,
        amounts=_amounts(standing.sums),
        first_seen_at=group.first_seen_at,
        last_seen_at=standing.last_seen_at,
        since=open_since(facts),
        why=group.snooze_reason if group.snoozed_at else group.woken_because,
        url=address_of("error_group", group.pk),
        hits=[
            HitOut(
                customer=CustomerRef.of(hit.connection),
                items=hit.items,
                amounts=_amounts(hit.sums),
                last_seen_at=hit.last_seen_at,
            )
            for hit in standing.hits
        ],
    )


def _category(group: ErrorGroup, standing: error_group.Standing) -> str:
    """As it was ruled, as its items are judged, or as at first."""
    ruling = Ruling.objects.filter(fingerprint=group.pk, withdrawn_at=None).first()
    if ruling:
        return ruling.category
    return standing.categories[0] if standing.categories else group.category


def _amounts(sums: Iterable[Money]) -> list[MoneyOut]:
    return [MoneyOut.of(money) for money in sums]
