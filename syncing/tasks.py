"""Doorbells. A task carries a connection's id, loads, makes one call; it decides nothing.

Losing any of these messages loses no work: `sweep` rings again for whatever is due in the rows.
"""

import logging
import os
import random
import socket
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from celery import Task, shared_task
from celery.signals import task_postrun, worker_shutting_down
from django.utils import timezone
from kombu.exceptions import OperationalError

from connections import clients, services
from connections.mapping_sets import mapping_set
from connections.mirror import pruning
from connections.models import Connection, WebhookSubscription
from connections.ramp.rate_limit import Lane
from connections.secrets import NoCredential
from connections.upkeep import health
from rampbridge.metrics import writing
from syncing import (
    circuit,
    claims,
    engine,
    errands,
    evidence,
    in_hand,
    incidents,
    outbox,
    poll_schedule,
    polling,
    recheck,
    reconciliation,
    recovery,
    rollups,
    schedule,
    stopping,
    suspect,
    sync_button,
    sync_requests,
    upkeep,
    vendor_saga,
    webhook_health,
)
from syncing.alerts import looking
from syncing.backlog import folding, recounting, sampling, thinning
from syncing.bulk import running
from syncing.classifier import no_credentials
from syncing.dispatch import Worker
from syncing.errands import Errand
from syncing.error_desk import tending
from syncing.fleet import keeping
from syncing.in_hand import InHand
from syncing.inquiries import answering
from syncing.pace import Pace
from syncing.settling import looks
from syncing.statements import only_one

TURN_SECONDS = 5.0
CHUNKS_PER_RING = 4
"""Whichever is over first: then other connections have their turn (fault S1)."""

THIN_OUT_MINUTES = 10
"""Of an hour's minutes those in which what is too old is taken away."""

Doorbell = Task[..., None]

logger = logging.getLogger(__name__)

_WORKER = f"{socket.gethostname()}:{os.getpid()}"
_BEAT_SECONDS = 1.0
"""Between two beats of a process; a worker is called silent after half a minute without one."""


def ring(doorbell: Doorbell, **about: str) -> None:
    """Ring if the broker takes it. If not, the sweep rings once the broker is back (fault I1)."""
    try:
        doorbell.delay(**about)
    except OperationalError:
        logger.warning("The broker did not take a doorbell.", extra={"doorbell": doorbell.name})


@shared_task(expires=5)
def sweep(**_: Any) -> None:
    """Ring for every connection that has something to do."""
    if suspect.look_at_database():
        logger.error("The database is another than before. Items ready until now are looked up.")
    for due in schedule.ring():
        connection_id = str(due.connection_id)
        if due.poll:
            ring(poll_connection, connection_id=connection_id)
        if due.recheck:
            ring(recheck_connection, connection_id=connection_id)
        if due.work:
            ring(work_connection, connection_id=connection_id)
        if due.report:
            ring(send_acks, connection_id=connection_id)
    for waiting in sync_requests.open_connections():
        ring(answer_sync_request, connection_id=str(waiting))
    for errand, owing in errands.due():
        ring(_ERRANDS[errand], connection_id=str(owing))
    for asked in upkeep.connections_due():
        ring(look_after, connection_id=str(asked))
    for nightly in reconciliation.connections_due():
        ring(reconcile_connection, connection_id=str(nightly))
    if running.is_due():
        ring(run_jobs)


def answer_here(doorbell: Doorbell, customer: InHand) -> None:
    """Go on with a customer in hand in place of ringing: whoever hears a ring reads all of it anew,
    and comes to it behind all others that were rung for."""
    _GOES_ON[doorbell.name](customer if customer.is_fresh else in_hand.take(customer.connection.pk))


@shared_task
def poll_connection(*, connection_id: str, **_: Any) -> None:
    """Pull what is ready in Ramp if it is time to, and go on to posting it."""
    customer = in_hand.take(connection_id)
    connection, trigger = customer.connection, customer.rang
    if trigger is None:
        return
    jitter = random.random()  # noqa: S311  spreads load, guards nothing
    try:
        ramp = clients.ramp_client(connection)
    except NoCredential as missing:
        poll_schedule.no_pull(connection, no_credentials(str(missing)), jitter=jitter)
        return
    now = timezone.now()
    run = polling.pull(connection, ramp, trigger=trigger, now=now, jitter=jitter)
    if run is None:
        return
    if run.seen:
        answer_here(work_connection, customer)
    is_unheard = run.unannounced or (run.new and run.hook_is_quiet)
    if is_unheard and webhook_health.is_broken(connection, now=now):
        services.renew_subscription(connection, ramp)


@shared_task
def work_connection(*, connection_id: str, **_: Any) -> None:
    """Settle what is uncertain and post what is due, a few chunks; then go on to the report, and
    ring for the next turn behind all who wait already (fault S1)."""
    _work(in_hand.take(connection_id))


def _work(customer: InHand) -> None:
    connection = customer.connection
    with claims.only_worker(connection.pk) as lease:
        if lease is None:
            schedule.work_soon(connection.pk)  # it may have looked before there was this to do
            return
        if not lease.may_post:
            return
        worker = _worker(connection, lease.pace, is_trying=lease.place is not None)
        if worker is None:
            return
        # should the ring below be lost, the next sweep's is not
        goes_on = _work_chunks(worker, lease) and schedule.work_soon(connection.pk)
        poll_schedule.end_turn(lease)
    answer_here(send_acks, customer)
    if goes_on:
        ring(work_connection, connection_id=str(connection.pk))


def _work_chunks(worker: Worker, lease: claims.WorkLease) -> bool:
    """Work for one turn. Whether there may be more to do than it took up."""
    ends_at = time.monotonic() + TURN_SECONDS
    recovered = 0
    if lease.has_lost:
        limit = 1 if lease.is_probing else claims.CHUNK
        recovered = recovery.recover_lost_items(worker, limit=limit)
    if lease.has_canary:
        engine.post_canary(worker)
    is_known = lease.is_fresh and not (lease.has_lost or lease.has_canary)
    for _chunk in range(CHUNKS_PER_RING):
        if not (is_known or lease.keep()) or not lease.may_post:
            return False
        is_known = False  # what the ERP has answered since may have stopped us
        left = max(1.0, ends_at - time.monotonic())
        size = engine.chunk_size(worker, is_probing=lease.is_probing, seconds=left)
        if engine.post_due_items(worker, limit=size) < size:
            return bool(recovered)
        if time.monotonic() > ends_at or stopping.is_asked():
            return True
    return True


@shared_task(expires=5)
def answer_sync_request(*, connection_id: str, **_: Any) -> None:
    """Take a turn at what somebody waits for at Ramp's sync button."""
    connection = Connection.objects.select_related("schedule").get(pk=connection_id)
    try:
        ramp = clients.ramp_client(connection, lane=Lane.BUTTON)
    except NoCredential as missing:
        circuit.block(connection.pk, no_credentials(str(missing)), side=circuit.RAMP)
        sync_requests.close_finished(connection.pk)
        return
    report = partial(sync_button.report, connection, ramp, jitter=random.random())  # noqa: S311
    if connection.stage == Connection.Stage.LIVE:
        sync_button.pull(connection, ramp)
        with claims.only_worker(connection.pk) as lease:
            if (
                lease is not None
                and lease.may_post
                and (worker := _worker(connection, lease.pace, is_trying=lease.place is not None))
            ):
                sync_button.work(worker, lease, report=report)
    sync_button.finish(connection, report=report)


@shared_task
def send_acks(*, connection_id: str, **_: Any) -> None:
    """Tell Ramp what became of items."""
    _report(in_hand.take(connection_id))


def _report(customer: InHand) -> None:
    connection = customer.connection
    ramp = partial(clients.ramp_client, connection)
    try:
        outbox.report_results(connection, ramp, jitter=random.random())  # noqa: S311
    except NoCredential as missing:
        circuit.block(connection.pk, no_credentials(str(missing)), side=circuit.RAMP)


_GOES_ON: Mapping[str, Callable[[InHand], None]] = {
    work_connection.name: _work,
    send_acks.name: _report,
}


@shared_task
def recheck_connection(*, connection_id: str, **_: Any) -> None:
    """Look whether what blocked failed items is gone."""
    connection = Connection.objects.get(pk=connection_id)
    with only_one(f"recheck {connection_id}") as is_mine:
        worker = _worker(connection, Pace()) if is_mine else None
        if worker is not None and recheck.release_unblocked(worker):
            ring(work_connection, connection_id=connection_id)


@shared_task(expires=5)
def create_vendors(*, connection_id: str, **_: Any) -> None:
    """Create vendors of merchants that transactions wait for, and ring for what they freed."""
    connection = Connection.objects.get(pk=connection_id)
    with only_one(f"vendors {connection_id}") as is_mine:
        worker = _worker(connection, Pace()) if is_mine else None
        if worker is None:
            return
        try:
            ramp = clients.ramp_client(connection)
        except NoCredential as missing:
            circuit.block(connection.pk, no_credentials(str(missing)), side=circuit.RAMP)
            return
        if vendor_saga.create_due(worker, ramp):
            ring(work_connection, connection_id=connection_id)


@shared_task(expires=5)
def send_evidence(*, connection_id: str, **_: Any) -> None:
    """Attach receipts and invoices to the ERP's documents."""
    connection = Connection.objects.get(pk=connection_id)
    try:
        ramp, erp = clients.ramp_client(connection), clients.erp_adapter(connection)
    except NoCredential as missing:
        evidence.postpone(connection, no_credentials(str(missing)))
        return
    courier = evidence.Courier(connection, ramp, erp, clients.file_store(), random.random)
    with only_one(f"files {connection_id}") as is_mine:
        if is_mine:
            evidence.send_due(courier)


@shared_task(expires=5)
def answer_looks(*, connection_id: str, **_: Any) -> None:
    """Look in the ERP for items that people ask about."""
    connection = Connection.objects.get(pk=connection_id)
    try:
        erp = clients.erp_adapter(connection)
    except NoCredential as missing:
        looks.cannot_ask(connection.pk, str(missing))
        return
    with only_one(f"looks {connection_id}") as is_mine:
        if is_mine:
            looks.answer_due(connection.pk, erp, erp_name=connection.erp_name)


@shared_task(expires=5)
def answer_inquiries(*, connection_id: str, **_: Any) -> None:
    """Read from Ramp what people ask about and what is not here."""
    connection = Connection.objects.get(pk=connection_id)
    try:
        ramp = clients.ramp_client(connection)
    except NoCredential as missing:
        answering.cannot_ask(connection.pk, no_credentials(str(missing)))
        return
    with only_one(f"inquiries {connection_id}") as is_mine:
        if is_mine:
            answering.answer_due(connection.pk, ramp)


_ERRANDS: Mapping[Errand, Doorbell] = {
    Errand.FILES: send_evidence,
    Errand.VENDORS: create_vendors,
    Errand.LOOKS: answer_looks,
    Errand.INQUIRIES: answer_inquiries,
}


@shared_task(expires=60)
def reconcile_connection(*, connection_id: str, **_: Any) -> None:
    """Compare Ramp, us and the ERP if it is time to."""
    connection = Connection.objects.select_related("schedule").get(pk=connection_id)
    now = timezone.now()
    if not reconciliation.is_planned(connection):
        reconciliation.plan(connection, now=now)
        return
    try:
        ramp, erp = clients.ramp_client(connection), clients.erp_adapter(connection)
    except NoCredential:
        reconciliation.plan(connection, now=now)  # polls and posts say so; tomorrow again
        return
    reconciliation.reconcile(
        connection,
        ramp,
        erp,
        mapping_set(connection),
        now=now,
        jitter=random.random(),  # noqa: S311
    )


@shared_task(expires=60)
def look_after(*, connection_id: str, **_: Any) -> None:
    """Carry out what people asked of a connection, and look at both its sides if it is time to."""
    connection = Connection.objects.get(pk=connection_id)
    with only_one(f"upkeep {connection_id}") as is_mine:
        if is_mine:
            upkeep.look_after(connection, now=timezone.now())


@shared_task(expires=60)
def look_around(**_: Any) -> None:
    """See what many customers have in common, tend the error desk, ring for every customer of whom
    a side is to be looked at, and drop what nobody looks at any more."""
    incidents.watch()
    for due in health.due():
        ring(look_after, connection_id=str(due))
    tending.tend()
    writing.tidy_up()
    schedule.forget_workers()
    pruning.prune()


@shared_task(expires=60)
def watch_alerts(**_: Any) -> None:
    """Look whether anything is wrong, unless the process that only does that has just looked."""
    looking.look(now=timezone.now())


@shared_task(expires=10)
def keep_fleet_up(**_: Any) -> None:
    """Have the customers' list say what is true now."""
    keeping.keep_up(now=timezone.now())
    rollups.fold_totals()


@shared_task(expires=60)
def keep_backlog(**_: Any) -> None:
    """Fold what has come and gone, sample what is open, and count some of it again."""
    now = timezone.now()
    with only_one("backlog") as is_mine:
        if is_mine:
            folding.fold()
            if sampling.sample(now=now) and now.minute % THIN_OUT_MINUTES == 0:
                thinning.thin_out()
            recounting.recount(now=now)


@shared_task(expires=5)
def run_jobs(**_: Any) -> None:
    """Take a turn at what people asked for on many items; any number of workers may."""
    running.run_next()


@shared_task
def answer_challenge(*, subscription_id: str, **_: Any) -> None:
    """Answer the challenge that makes a webhook subscription active."""
    subscription = WebhookSubscription.objects.select_related("connection").get(pk=subscription_id)
    services.answer_challenge(subscription, clients.ramp_client(subscription.connection))


class _Progress:
    """What this process has finished and not yet written down."""

    def __init__(self) -> None:
        self._finished = 0
        self._next_beat = 0.0

    def finished(self, *, now: float) -> None:
        """Count a doorbell, and leave a beat if it is time to. `now` is the monotonic clock's."""
        self._finished += 1
        if now >= self._next_beat:
            schedule.progress(_WORKER, doorbells=self._finished)
            self._finished, self._next_beat = 0, now + _BEAT_SECONDS


_progress = _Progress()


@worker_shutting_down.connect
def _stop(**_: Any) -> None:
    stopping.ask()  # in this process: the pool is one of threads


@task_postrun.connect
def _beat(**_: Any) -> None:
    _progress.finished(now=time.monotonic())


def _worker(connection: Connection, pace: Pace, *, is_trying: bool = False) -> Worker | None:
    """A worker on the connection; None, and the circuit open, if its ERP cannot be used now."""
    try:
        erp = clients.erp_adapter(connection)
    except NoCredential as missing:
        circuit.erp_stopped(connection, no_credentials(str(missing)), jitter=random.random())  # noqa: S311
        return None
    worker = Worker(connection, erp, mapping_set(connection), random.random, pace, is_trying)
    return worker if engine.can_work(worker) else None
