"""Ask for a job, stop it, do its failures again, undo it. Each leaves an audit line."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Now

from connections import audit
from rampbridge.lib.money import Money
from syncing.bulk.acts import KINDS, Act, BadArgument, checked
from syncing.models import Job, JobItem, SyncItem
from syncing.statements import execute

MOST = 100_000
"""Items of one job. More are several jobs, so that each can be looked through and stopped."""


class NotStarted(Exception):
    """There is no job of this. The message is fit to show."""


def start(
    *,
    act: Act,
    argument: Mapping[str, Any],
    items: QuerySet[SyncItem],
    at_most: int,
    key: uuid.UUID,
    actor: str,
    query: str = "",
) -> Job:
    """Freeze the items and make a job of them, for `running` to do. The same key, the same job.

    :param items: in any order; the longest waiting are taken first
    :param at_most: as many as were shown when it was asked for; what has come since is left out
    :raises NotStarted: if there is no item, the key is another person's, or the act does not know
        what to do with its argument
    """
    try:
        argument = checked(act, argument)
    except BadArgument as refusal:
        raise NotStarted(str(refusal)) from refusal
    chosen = items.order_by("ready_at", "pk").values("pk")[: min(at_most, MOST)]
    sql, parameters = chosen.query.sql_with_params()
    return _make(
        Job(act=act, argument=argument, query=query[:1000], key=key, asked_by=actor),
        f"SELECT id, NULL::jsonb FROM ({sql}) AS chosen (id)",  # noqa: S608  the ORM's own
        parameters,
    )


def again(job: Job, *, actor: str) -> Job:
    """A new job for what this one could not do. Asked twice, it is one.

    :raises NotStarted: if it is at work still, or nothing of it failed
    """
    _check_over(job)
    return _make(
        Job(
            act=job.act,
            argument=job.argument,
            query=job.query,
            key=uuid.uuid5(job.pk, "again"),
            asked_by=actor,
        ),
        "SELECT item_id, before FROM syncing_jobitem WHERE job_id = %s AND outcome = 'refused'"
        " ORDER BY id",
        [job.pk],
    )


def undo(job: Job, *, actor: str) -> Job:
    """A new job that puts back what this one has changed. Asked twice, it is one.

    :raises NotStarted: if it is at work still, or cannot be undone
    """
    _check_over(job)
    if not KINDS[Act(job.act)].can_undo:
        raise NotStarted("This cannot be undone by a job. Each item's page says what can be done.")
    return _make(
        Job(
            act=Act.UNDO,
            argument={"job": str(job.pk), "act": job.act, "argument": job.argument},
            query=job.query,
            key=uuid.uuid5(job.pk, "undo"),
            asked_by=actor,
        ),
        "SELECT item_id, before -> 'was' FROM syncing_jobitem"
        " WHERE job_id = %s AND outcome = 'done' AND before IS NOT NULL ORDER BY id",
        [job.pk],
    )


def stop(job: Job, *, actor: str) -> bool:
    """Do no more of a job. What is done stays done. False if it was over already."""
    with transaction.atomic():
        stopped = Job.objects.filter(
            pk=job.pk, state__in=[Job.State.OPEN, Job.State.RUNNING]
        ).update(state=Job.State.STOPPED, stopped_by=actor, finished_at=Now())
        if stopped:
            audit.record(
                actor, "jobs.stop", f"Stopped a job: {words(job)}", subject="job", subject_id=job.pk
            )
    return bool(stopped)


def words(job: Job) -> str:
    """What a job does, as a short sentence without a full stop."""
    argument = job.argument
    match Act(job.act):
        case Act.ASSIGN:
            return f"Assign to {argument['owner'] or 'nobody'}"
        case Act.TAG:
            return f"Tag {argument['tag']}"
        case Act.UNTAG:
            return f"Remove the tag {argument['tag']}"
        case Act.SNOOZE:
            until = argument["until"]
            return f"Snooze until {until[:16].replace('T', ' ')} UTC" if until else "Show again"
        case Act.UNDO:
            done = Job(act=argument["act"], argument=argument["argument"])
            return f"Undo: {words(done)}"
        case Act.OUTSIDE:
            return f"Mark handled outside: {argument['reason']}"
        case Act.RETRY:
            return "Retry"


def sums(job: Job) -> list[Money]:
    """The money of a job's items per currency."""
    return [Money(minor, currency, exponent) for minor, currency, exponent in job.amounts]


def _check_over(job: Job) -> None:
    if job.state in (Job.State.OPEN, Job.State.RUNNING):
        raise NotStarted("The job is at work. Wait for its end, or stop it.")


def _make(job: Job, members: str, parameters: Sequence[Any]) -> Job:
    """Write the job and its members, one statement for all of them."""
    made = Job.objects.filter(key=job.key).first()
    if made is not None:
        return _own(made, job.asked_by)
    try:
        with transaction.atomic():
            job.total = job.customers = 0
            job.asked_at = Now()
            job.save(force_insert=True)
            total = execute(
                "INSERT INTO syncing_jobitem (job_id, item_id, before, outcome, text)"  # noqa: S608
                f" SELECT %s, m.item_id, m.before, '', '' FROM ({members}) m (item_id, before)",
                [job.pk, *parameters],
            )
            if not total:
                raise NotStarted("There is no such item any more, so there is nothing to do.")
            _add_up(job, total)
            audit.record(
                job.asked_by,
                f"jobs.{job.act}",
                f"{words(job)}: {total:,} items of {job.customers:,} customers.",
                subject="job",
                subject_id=job.pk,
                data={"query": job.query, "argument": job.argument, "amounts": job.amounts},
            )
    except IntegrityError:
        made = Job.objects.filter(key=job.key).first()
        if made is None:
            raise
        return _own(made, job.asked_by)  # the same form, sent twice at once
    return Job.objects.get(pk=job.pk)


def _add_up(job: Job, total: int) -> None:
    members = SyncItem.objects.filter(pk__in=JobItem.objects.filter(job=job).values("item_id"))
    lines = (
        members.order_by()
        .values("currency", "exponent")
        .annotate(n=Count("pk"), minor=Sum("amount_minor"))
    )
    amounts = sorted(lines, key=lambda line: (-line["n"], line["currency"]))
    customers = members.aggregate(n=Count("connection", distinct=True))["n"]
    Job.objects.filter(pk=job.pk).update(
        total=total,
        customers=customers,
        amounts=[[line["minor"], line["currency"], line["exponent"]] for line in amounts],
    )
    job.total, job.customers = total, customers


def _own(job: Job, actor: str) -> Job:
    if job.asked_by != actor:
        raise NotStarted("Somebody else has asked for this already. Look at the list of jobs.")
    return job
