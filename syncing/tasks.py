"""Doorbells. A task carries a connection's id, loads, makes one call; it decides nothing.

Losing any of these messages loses no work: `sweep` rings again for whatever is due in the rows.
"""

import os
import random
import socket
from typing import Any

from celery import shared_task
from celery.signals import task_postrun
from django.utils import timezone

from connections import clients
from connections.mapping_sets import mapping_set
from connections.models import Connection
from syncing import claims, engine, outbox, polling, recheck, recovery, schedule
from syncing.models import SyncRun

CHUNKS_PER_RING = 4
"""Then other connections have their turn: round robin with a cap (architecture 3.9)."""

_WORKER = f"{socket.gethostname()}:{os.getpid()}"


@shared_task(queue="export", expires=5)
def sweep(**_: Any) -> None:
    """Ring for every connection that has something to do."""
    for due in schedule.ring():
        connection_id = str(due.connection_id)
        if due.poll:
            poll_connection.delay(connection_id=connection_id)
        if due.recheck:
            recheck_connection.delay(connection_id=connection_id)
        if due.work:
            work_connection.delay(connection_id=connection_id)
        if due.report:
            send_acks.delay(connection_id=connection_id)


@shared_task(queue="export")
def poll_connection(*, connection_id: str, trigger: str = "", **_: Any) -> None:
    """Pull what is ready in Ramp, and ring for posting it."""
    connection = Connection.objects.select_related("schedule").get(pk=connection_id)
    trigger = trigger or _trigger_of(connection)
    polling.pull(
        connection,
        clients.ramp_client(connection),
        trigger=trigger,
        now=timezone.now(),
        jitter=random.random(),  # noqa: S311  spreads load, guards nothing
    )
    work_connection.delay(connection_id=connection_id)


def _trigger_of(connection: Connection) -> str:
    rung = connection.schedule.fetch_due_at is not None
    return SyncRun.Trigger.WEBHOOK if rung else SyncRun.Trigger.POLL


@shared_task(queue="export")
def work_connection(*, connection_id: str, **_: Any) -> None:
    """Settle what is uncertain and post what is due, a few chunks of it; then ring for the report."""
    connection = Connection.objects.select_related("schedule").get(pk=connection_id)
    with claims.only_worker(connection.pk) as mine:
        if not mine or not schedule.may_post(connection):
            return
        worker = _worker(connection)
        for _chunk in range(CHUNKS_PER_RING):
            done = recovery.recover_lost_items(worker) + engine.post_due_items(worker)
            if not done or not claims.keep_working(connection.pk, mine):
                break
        else:
            schedule.work_soon(connection.pk)
    send_acks.delay(connection_id=connection_id)


@shared_task(queue="export")
def send_acks(*, connection_id: str, **_: Any) -> None:
    """Tell Ramp what became of items."""
    connection = Connection.objects.get(pk=connection_id)
    outbox.report_results(
        connection,
        clients.ramp_client(connection),
        now=timezone.now(),
        jitter=random.random(),  # noqa: S311
    )


@shared_task(queue="export")
def recheck_connection(*, connection_id: str, **_: Any) -> None:
    """Look whether what blocked failed items is gone."""
    connection = Connection.objects.get(pk=connection_id)
    if recheck.release_unblocked(_worker(connection)):
        work_connection.delay(connection_id=connection_id)


@task_postrun.connect
def _beat(**_: Any) -> None:
    schedule.progress(_WORKER)


def _worker(connection: Connection) -> engine.Worker:
    return engine.Worker(
        connection=connection,
        erp=clients.erp_adapter(connection),
        mappings=mapping_set(connection),
        now=timezone.now(),
        jitter=random.random,
    )
