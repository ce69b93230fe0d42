"""Acts on many items: look before, freeze the items, read what came of each."""

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

from django.db.models import Q, QuerySet
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from ninja import Field, Query, Router, Schema, Status
from pydantic import AwareDatetime, StringConstraints

from connections.api_tokens import POWERS
from syncing.api.access import HANDLE, READ, RETRY, SETTLE, caller_of
from syncing.api.acts import person, tag_in, until_in
from syncing.api.filters import NO_CURSOR, Body, NothingThere, Paging, invalid, refuse_others
from syncing.api.items import filter_in
from syncing.api.schemas import CustomerRef, MoneyOut, Text, address_of
from syncing.bulk import jobs
from syncing.bulk.acts import KINDS, Act
from syncing.bulk.preview import Preview, preview
from syncing.models import Job, JobItem, SyncItem
from syncing.queries.items import matching

router = Router(tags=["Jobs"])
MOST_IDS = 10_000


class ChosenIn(Body):
    """Which items: all that a list shows, or some by id."""

    query: Annotated[Text, StringConstraints(max_length=1000)] | None = Field(
        None,
        description="The filters of the items list, as its address says them. Empty: all open ones."
        " Give this or `ids`.",
        examples=["state=waiting-for-customer&customer=harbor-coffee"],
    )
    ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(
        None, min_length=1, max_length=MOST_IDS
    )


class PreviewIn(ChosenIn):
    act: Literal["retry", "assign", "tag", "untag", "snooze", "outside"]


class JobIn(ChosenIn):
    key: uuid.UUID = Field(
        description="Drawn by you, once for each job you mean. Sent again, the same job answers."
    )
    at_most: int = Field(
        ge=1,
        le=jobs.MOST,
        description="As many as the preview showed. What has come since is left out.",
    )


class AssignManyIn(JobIn):
    owner: Annotated[Text, StringConstraints(max_length=150)] = Field(
        description="A user name, `me` for the key's owner, or empty for nobody."
    )


class TagManyIn(JobIn):
    tag: Annotated[Text, StringConstraints(min_length=1, max_length=40)]


class SnoozeManyIn(JobIn):
    until: AwareDatetime | None = Field(description="null: show them in lists again at once.")
    reason: Annotated[Text, StringConstraints(max_length=300)] = ""


class OutsideManyIn(JobIn):
    reason: Annotated[Text, StringConstraints(min_length=1, max_length=300)] = Field(
        description="Why rampbridge need not book them."
    )


class FateOut(Schema):
    """What becomes of the items in one state."""

    state: str
    items: int
    why_not: str = Field(description="Why nothing is done to them; empty: it is.")


class PreviewOut(Schema):
    """What a job would do. Nothing has been done."""

    items: int
    is_all: bool = Field(description="False: there are more than one job can take.")
    will_be_done: int
    customers: int
    amounts: list[MoneyOut]
    fates: list[FateOut]
    effect: str
    way_back: str

    @classmethod
    def of(cls, act: Act, seen: Preview) -> "PreviewOut":
        return cls(
            items=seen.items,
            is_all=seen.is_all,
            will_be_done=seen.willing,
            customers=seen.customers,
            amounts=[MoneyOut.of(one) for one in seen.sums],
            fates=[
                FateOut(state=fate.look.label, items=fate.items, why_not=fate.why_not)
                for fate in seen.fates
            ],
            effect=KINDS[act].effect,
            way_back=KINDS[act].way_back,
        )


class JobOut(Schema):
    id: uuid.UUID
    act: str
    words: str
    state: str = Field(description="open, running, done or stopped.")
    query: str
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    items: int
    done: int
    failed: int
    customers: int
    amounts: list[MoneyOut]
    url: str

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        same = ("id", "act", "state", "query", "asked_by", "customers", "done", "failed")
        times = ("asked_at", "started_at", "finished_at")
        return cls(
            **{name: getattr(job, name) for name in (*same, *times)},
            words=jobs.words(job),
            items=job.total,
            amounts=[MoneyOut.of(one) for one in jobs.sums(job)],
            url=address_of("job", job.pk),
        )


class JobPage(Schema):
    items: list[JobOut]
    next: str | None


class JobRowOut(Schema):
    """What came of one item."""

    item: int
    reference: str
    label: str
    customer: CustomerRef
    outcome: str = Field(description="waiting, done or refused.")
    text: str
    at: datetime | None


class JobRowPage(Schema):
    items: list[JobRowOut]
    next: str | None


@router.post("/preview", auth=READ, response=PreviewOut, summary="Preview a job")
def look(request: HttpRequest, body: PreviewIn) -> PreviewOut:
    """How many items, how much money, whose, and what becomes of them. Nothing is done."""
    act = Act(body.act)
    return PreviewOut.of(act, preview(act, _chosen(request, body), now=timezone.now()))


@router.post("/retry", auth=RETRY, response={202: JobOut}, summary="Retry many")
def retry(request: HttpRequest, body: JobIn) -> Status[JobOut]:
    """An item whose outcome is unknown is never sent twice; its row says so."""
    return _start(request, body, Act.RETRY, {})


@router.post("/assign", auth=HANDLE, response={202: JobOut}, summary="Assign many")
def assign(request: HttpRequest, body: AssignManyIn) -> Status[JobOut]:
    """Say who cares for them."""
    owner = person(body.owner, me=caller_of(request).actor)
    return _start(request, body, Act.ASSIGN, {"owner": owner})


@router.post("/tag", auth=HANDLE, response={202: JobOut}, summary="Tag many")
def tag(request: HttpRequest, body: TagManyIn) -> Status[JobOut]:
    """File them under a tag."""
    return _start(request, body, Act.TAG, {"tag": tag_in(body.tag)})


@router.post("/untag", auth=HANDLE, response={202: JobOut}, summary="Take a tag off many")
def untag(request: HttpRequest, body: TagManyIn) -> Status[JobOut]:
    """They need not have had it."""
    return _start(request, body, Act.UNTAG, {"tag": tag_in(body.tag)})


@router.post("/snooze", auth=HANDLE, response={202: JobOut}, summary="Snooze many")
def snooze(request: HttpRequest, body: SnoozeManyIn) -> Status[JobOut]:
    """Leave them out of open lists until then."""
    until = until_in(body.until)
    argument = {"until": until.isoformat() if until else None, "reason": body.reason}
    return _start(request, body, Act.SNOOZE, argument)


@router.post("/outside", auth=SETTLE, response={202: JobOut}, summary="Mark many handled outside")
def outside(request: HttpRequest, body: OutsideManyIn) -> Status[JobOut]:
    """rampbridge is to leave them alone. Those above a limit wait for a second person."""
    return _start(request, body, Act.OUTSIDE, {"reason": body.reason})


@router.get("", auth=READ, response=JobPage, summary="List jobs")
def list_jobs(request: HttpRequest, paging: Query[Paging]) -> JobPage:
    """The newest first."""
    refuse_others(request.GET, Paging.model_fields)
    newest = Job.objects.order_by("-asked_at", "-pk")
    if paging.after:
        at, pk = _moment_and_job(paging.after)
        newest = newest.filter(Q(asked_at__lt=at) | Q(asked_at=at, pk__lt=pk))
    found = list(newest[: paging.limit + 1])
    shown = found[: paging.limit]
    more = len(found) > paging.limit
    return JobPage(
        items=[JobOut.of(job) for job in shown],
        next=f"{shown[-1].asked_at.isoformat()}~{shown[-1].pk}" if more else None,
    )


@router.get("/{uuid:id}", auth=READ, response=JobOut, summary="Show one job")
def show_job(request: HttpRequest, id: uuid.UUID) -> JobOut:  # noqa: A002  as in the address
    """How far it is."""
    return JobOut.of(_job(id))


@router.get("/{uuid:id}/items", auth=READ, response=JobRowPage, summary="Results of a job")
def results(request: HttpRequest, id: uuid.UUID, paging: Query[Paging]) -> JobRowPage:  # noqa: A002
    """What came of each item: what was refused first, then what is done, then what waits."""
    refuse_others(request.GET, Paging.model_fields)
    lines = JobItem.objects.filter(job=_job(id)).select_related("item__connection")
    if paging.after:
        outcome, pk = _place(paging.after)
        lines = lines.filter(Q(outcome__lt=outcome) | Q(outcome=outcome, pk__lt=pk))
    found = list(lines.order_by("-outcome", "-pk")[: paging.limit + 1])
    shown = found[: paging.limit]
    more = len(found) > paging.limit
    return JobRowPage(
        items=[_row(one) for one in shown],
        next=f"{shown[-1].outcome}~{shown[-1].pk}" if more else None,
    )


@router.post("/{uuid:id}/stop", auth=HANDLE, response=JobOut, summary="Stop a job")
def stop(request: HttpRequest, id: uuid.UUID) -> JobOut:  # noqa: A002
    """What is done stays done. One that was over already stays as it is."""
    jobs.stop(_job_to_act_on(request, id), actor=caller_of(request).actor)
    return JobOut.of(_job(id))


@router.post(
    "/{uuid:id}/again", auth=HANDLE, response={202: JobOut}, summary="Try what was refused again"
)
def again(request: HttpRequest, id: uuid.UUID) -> Status[JobOut]:  # noqa: A002
    """A new job. Asked for twice, it is one."""
    job = jobs.again(_job_to_act_on(request, id), actor=caller_of(request).actor)
    return Status(202, JobOut.of(job))


@router.post("/{uuid:id}/undo", auth=HANDLE, response={202: JobOut}, summary="Undo a job")
def undo(request: HttpRequest, id: uuid.UUID) -> Status[JobOut]:  # noqa: A002
    """A new job that puts back what this one has changed, where nobody has changed it since."""
    job = jobs.undo(_job_to_act_on(request, id), actor=caller_of(request).actor)
    return Status(202, JobOut.of(job))


def _start(request: HttpRequest, body: JobIn, act: Act, argument: dict[str, Any]) -> Status[JobOut]:
    job = jobs.start(
        act=act,
        argument=argument,
        items=_chosen(request, body),
        at_most=body.at_most,
        key=body.key,
        actor=caller_of(request).actor,
        query=body.query or "",
    )
    return Status(202, JobOut.of(job))


def _chosen(request: HttpRequest, body: ChosenIn) -> QuerySet[SyncItem]:
    """:raises Invalid: if it says both or neither, or a filter is unknown or makes no sense"""
    if (body.query is None) == (body.ids is None):
        raise invalid("query", "Give query, or ids, and not both.")
    if body.ids is not None:
        return SyncItem.objects.filter(pk__in=body.ids)
    given = QueryDict(body.query)
    return matching(filter_in(given, caller_of(request).actor), timezone.now())


def _job(pk: uuid.UUID) -> Job:
    found = Job.objects.filter(pk=pk).first()
    if found is None:
        raise NothingThere("There is no such job.")
    return found


def _job_to_act_on(request: HttpRequest, pk: uuid.UUID) -> Job:
    """:raises NotAllowed: if the key has not the scope of the job's act"""
    job = _job(pk)
    need = KINDS[Act(job.act)].permission
    caller_of(request).check(
        next(scope for scope, power in POWERS.items() if power.permission == need)
    )
    return job


def _place(after: str) -> tuple[str, int]:
    outcome, separator, pk = after.partition("~")
    if outcome not in JobItem.Outcome.values or not separator or not pk.isdecimal():
        raise invalid("after", NO_CURSOR)
    return outcome, int(pk)


def _moment_and_job(after: str) -> tuple[datetime, uuid.UUID]:
    at, _, pk = after.partition("~")
    try:
        moment = datetime.fromisoformat(at.replace(" ", "+"))
        job = uuid.UUID(pk)
    except ValueError:
        raise invalid("after", NO_CURSOR) from None
    if moment.tzinfo is None:
        raise invalid("after", NO_CURSOR)
    return moment, job


def _row(one: JobItem) -> JobRowOut:
    return JobRowOut(
        item=one.item_id,
        reference=one.item.reference,
        label=one.item.label,
        customer=CustomerRef.of(one.item.connection),
        outcome=JobItem.Outcome(one.outcome).value or "waiting",
        text=one.text,
        at=one.at,
    )
