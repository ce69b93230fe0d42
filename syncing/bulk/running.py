"""Do what jobs ask for: chunk by chunk, each with its results in one transaction.

Everything a job does is rows of ours, so a worker that is killed has done a chunk whole or not at
all, and whoever comes next goes on behind it. Nothing is done twice. A chunk that raises is done in
ever smaller parts; an item that raises by itself is refused in words, and the job goes on.
"""

import logging
import time
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F

from syncing import schedule, stopping
from syncing.bulk.acts import CHUNK, Act, Result, carry_out
from syncing.models import Job, JobItem, SyncItem
from syncing.statements import as_json, execute, rows

LEASE = timedelta(minutes=1)
TURN_SECONDS = 5.0
"""Then another job has its turn."""
OUR_MISTAKE = (
    "Something went wrong in rampbridge itself, so nothing was done to it. Tell rampbridge's"
    " developers: the log says more."
)

logger = logging.getLogger(__name__)


def is_due() -> bool:
    """Whether there is a job to do that nobody is at."""
    return bool(rows(f"SELECT EXISTS ({_WAITING})", [])[0][0])


def run_next(*, seconds: float = TURN_SECONDS) -> bool:
    """Take a turn at the job that has waited longest. False if there was none."""
    token = uuid.uuid4()
    taken = rows(_TAKE, {"token": token, "lease": LEASE})
    if not taken:
        return False
    ((job_id,),) = taken
    ends_at = time.monotonic() + seconds
    most = CHUNK
    try:
        while True:
            try:
                if not _do_chunk(job_id, token, most):
                    break
                most = min(most * 2, CHUNK)
            except (OperationalError, InterfaceError):  # the database's own: nothing of the items
                raise
            except Exception:
                logger.exception("A chunk of a job failed.", extra={"job": job_id, "items": most})
                if most == 1:
                    _do_chunk(job_id, token, 1, refuse=OUR_MISTAKE)
                most = max(most // 8, 1)
            if time.monotonic() > ends_at or stopping.is_asked():
                break
    finally:
        _give_back(job_id, token)
    return True


_WAITING = """
    SELECT id FROM syncing_job
    WHERE state IN ('open', 'running') AND (lease_until IS NULL OR lease_until <= now())
"""
_TAKE = f"""
    UPDATE syncing_job SET lease_token = %(token)s, state = 'running',
        lease_until = now() + %(lease)s,
        started_at = coalesce(started_at, now())
    WHERE id = (
        {_WAITING} ORDER BY lease_until NULLS FIRST, asked_at LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    RETURNING id
"""  # noqa: S608  a constant of this file


def _do_chunk(job_id: uuid.UUID, token: uuid.UUID, most: int, *, refuse: str = "") -> bool:
    """Do the next items of a job that is still ours. Whether there may be more.

    :param refuse: why nothing is done to them
    """
    with transaction.atomic():
        job = (
            Job.objects.select_for_update()
            .filter(pk=job_id, lease_token=token, state=Job.State.RUNNING)
            .first()
        )
        if job is None:  # stopped, or another's since
            return False
        members = dict(
            JobItem.objects.filter(job=job, outcome=JobItem.Outcome.WAITING)
            .order_by("pk")
            .values_list("item_id", "before")[:most]
        )
        if not members:
            Job.objects.filter(pk=job.pk).update(state=Job.State.DONE, finished_at=Now())
            return False
        if refuse:
            results = [Result(item_id, is_done=False, text=refuse) for item_id in members]
        else:
            results = carry_out(job, members, actor=job.asked_by)
        _keep(job, results)
    if job.act == Act.RETRY:
        done = [result.item_id for result in results if result.is_done]
        owners = SyncItem.objects.filter(pk__in=done).values_list("connection_id", flat=True)
        for connection_id in sorted(set(owners)):
            schedule.work_soon(connection_id)
    return True


def _keep(job: Job, results: Sequence[Result]) -> None:
    """Write down what came of each item, and how far the job is."""
    execute(
        """
        UPDATE syncing_jobitem m
        SET outcome = r.outcome, text = r.text, at = now(),
            before = CASE WHEN r.before = 'null' THEN m.before ELSE r.before::jsonb END
        FROM unnest(
            %(ids)s::bigint[], %(outcomes)s::text[], %(texts)s::text[], %(before)s::text[]
        ) AS r (item_id, outcome, text, before)
        WHERE m.job_id = %(job)s AND m.item_id = r.item_id
        """,
        {
            "job": job.pk,
            "ids": [result.item_id for result in results],
            "outcomes": ["done" if result.is_done else "refused" for result in results],
            "texts": [result.text[:300] for result in results],
            "before": [as_json(result.before) for result in results],
        },
    )
    done = sum(result.is_done for result in results)
    Job.objects.filter(pk=job.pk).update(
        done=F("done") + done,
        failed=F("failed") + len(results) - done,
        lease_until=Now() + LEASE,
    )


def _give_back(job_id: uuid.UUID, token: uuid.UUID) -> None:
    Job.objects.filter(pk=job_id, lease_token=token).update(lease_until=Now())
