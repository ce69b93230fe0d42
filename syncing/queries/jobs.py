"""Jobs and what came of their items, for pages."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count

from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from rampbridge.lib.money import Money
from syncing.models import Job, JobItem, SyncItem
from syncing.queries.items import ItemRow, rows
from syncing.queries.words import LOOKS, Look, Word, word_of

PAGE_SIZE = 50
STANDING_READ = 10_000
"""Items of which a page says where they stand now; of a larger job the list says it."""

State = Job.State

JOB_LOOKS: Mapping[str, Look] = {
    State.OPEN: Look("To be done", "neutral", "clock", "It begins within seconds."),
    State.RUNNING: Look("Running", "work", "send", "It goes on without this page."),
    State.DONE: Look("Done", "done", "circle-check", "Every item has its result."),
    State.STOPPED: Look("Stopped", "customer", "ban", "What was done stays done."),
}
OUTCOME_LOOKS: Mapping[str, Look] = {
    JobItem.Outcome.REFUSED: Look("Not done", "customer", "circle-slash"),
    JobItem.Outcome.WAITING: Look("Not yet", "neutral", "clock"),
    JobItem.Outcome.DONE: Look("Done", "done", "circle-check"),
}


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job, as lists and its page show it."""

    job: Job
    words: str

    @property
    def look(self) -> Look:
        return JOB_LOOKS.get(self.job.state, JOB_LOOKS[State.OPEN])

    @property
    def sums(self) -> Sequence[Money]:
        return [Money(minor, currency, exponent) for minor, currency, exponent in self.job.amounts]

    @property
    def waiting(self) -> int:
        return max(self.job.total - self.job.done - self.job.failed, 0)

    @property
    def is_over(self) -> bool:
        return self.job.state in (State.DONE, State.STOPPED)

    @property
    def lasted(self) -> timedelta | None:
        if self.job.started_at is None or self.job.finished_at is None:
            return None
        return self.job.finished_at - self.job.started_at


@dataclass(frozen=True, slots=True)
class Member:
    """One item of a job, what came of it, and where the item stands now."""

    member: JobItem
    row: ItemRow

    @property
    def look(self) -> Look:
        return OUTCOME_LOOKS.get(self.member.outcome, OUTCOME_LOOKS[JobItem.Outcome.WAITING])


def jobs(*, after: Cursor | None, owner: str = "") -> KeysetPage[Job]:
    """Jobs, the newest first; those of one person only, if one is given."""
    found = Job.objects.filter(asked_by=owner) if owner else Job.objects.all()
    return keyset_page(found, field="asked_at", after=after, size=PAGE_SIZE, newest_first=True)


def members(
    job: Job, *, outcome: str, after: int, now: datetime
) -> tuple[Sequence[Member], int | None]:
    """A page of a job's items with one outcome, and where the next one starts."""
    found = list(
        JobItem.objects.filter(job=job, outcome=outcome, pk__gt=after)
        .select_related("item__connection", "item__handling")
        .order_by("pk")[: PAGE_SIZE + 1]
    )
    page = found[:PAGE_SIZE]
    shown = rows([member.item for member in page], now)
    pairs = [Member(member, row) for member, row in zip(page, shown, strict=True)]
    return pairs, page[-1].pk if len(found) > PAGE_SIZE else None


def standing(job: Job) -> list[tuple[Word, Look, int]]:
    """Where the items of a job stand now, whatever the job has done; nothing of a large one."""
    if job.total > STANDING_READ:
        return []
    lines = (
        SyncItem.objects.filter(pk__in=JobItem.objects.filter(job=job).values("item_id"))
        .order_by()
        .values("state", "error_category")
        .annotate(n=Count("pk"))
    )
    counts: dict[Word, int] = {}
    for line in lines:
        word = word_of(line["state"], line["error_category"])
        counts[word] = counts.get(word, 0) + line["n"]
    return [(word, LOOKS[word], counts[word]) for word in Word if word in counts]


RESULT_COLUMNS = (
    "reference",
    "customer",
    "type",
    "merchant_or_vendor",
    "amount",
    "currency",
    "result",
    "words",
    "at",
    "state_now",
    "erp_number",
    "ramp_id",
)
READ_AT_ONCE = 1_000


def result_lines(job_id: uuid.UUID, now: datetime) -> Iterator[Sequence[Any]]:
    """Every item of a job as `RESULT_COLUMNS` name it, failures first, read page by page."""
    for outcome, look in OUTCOME_LOOKS.items():
        after = 0
        while page := list(
            JobItem.objects.filter(job_id=job_id, outcome=outcome, pk__gt=after)
            .select_related("item__connection")
            .order_by("pk")[:READ_AT_ONCE]
        ):
            for member, row in zip(page, rows([one.item for one in page], now), strict=True):
                item = member.item
                yield (
                    item.reference,
                    item.connection.name,
                    row.type_label,
                    item.label,
                    item.money.decimal,
                    item.currency,
                    look.label,
                    member.text,
                    member.at,
                    row.look.label,
                    item.erp_number,
                    item.ramp_id,
                )
            after = page[-1].pk
