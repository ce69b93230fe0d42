"""One refresh of a customer's chart: read the ERP, upload what differs, read back what Ramp has."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Now

from connections.erp.errors import ErpError
from connections.erp.port import ErpAdapter
from connections.mirror import reading, schedule, seat, troubles, upload, verification
from connections.mirror.batches import Sent
from connections.mirror.schedule import Due, Lease, LeaseLost
from connections.mirror.troubles import SeatLost, Trouble
from connections.models import Connection, Mirror, MirrorRun, UploadBatch
from connections.ramp.client import RampClient
from connections.ramp.errors import Forbidden, InvalidRequest, NoConnection, RampError
from connections.vendor_book import following, ramp_vendors

State, Trigger = MirrorRun.State, MirrorRun.Trigger


def refresh(
    connection: Connection,
    erp: ErpAdapter,
    ramp: RampClient,
    *,
    due: Due,
    now: datetime,
    lease: Lease,
    actor: str = "",
    trigger: str = Trigger.SCHEDULE,
) -> MirrorRun:
    """Do what is due, and say in a run what came of it.

    What either side refuses ends the run as FAILED, with words on it and on the customer's mirror;
    what was read and sent until then is kept.

    :param lease: of `schedule.take`; given back here
    :raises LeaseLost: if another worker has taken over meanwhile
    """
    _end_those_of_dead_workers(connection)
    run = MirrorRun.objects.create(connection=connection, trigger=trigger, actor=actor)
    outcome = _Refresh(connection, erp, ramp, due, lease, run)
    try:
        trouble = outcome.trouble_of(outcome.go)
    except LeaseLost:
        outcome.write_down(troubles.TAKEN_OVER, now)
        raise
    except Exception:  # a mistake of ours: said on the page, and raised for the log
        unexpected = troubles.unexpected(outcome.side)
        outcome.write_down(unexpected, now)
        schedule.failed(lease, due, unexpected)
        raise
    outcome.write_down(trouble, now)
    if trouble is None:
        schedule.done(lease, due)
    else:
        schedule.failed(lease, due, trouble)
    return run


def _end_those_of_dead_workers(connection: Connection) -> None:
    """Whoever has the lease is alone, so a run that still stands as running has no worker."""
    MirrorRun.objects.filter(connection=connection, state=State.RUNNING).update(
        state=State.FAILED,
        title="Its worker was stopped.",
        fix="Nothing to do: the next refresh goes on where it was.",
        finished_at=Now(),
    )


def cannot_begin(
    connection: Connection, lease: Lease, trouble: Trouble, *, now: datetime, trigger: str
) -> MirrorRun:
    """Write down a refresh that failed before either side could be asked."""
    run = MirrorRun.objects.create(
        connection=connection,
        trigger=trigger,
        actor=lease.asked_by,
        state=State.FAILED,
        finished_at=now,
        title=trouble.title[:300],
        fix=trouble.fix[:500],
    )
    schedule.failed(lease, lease.due, trouble)
    return run


@dataclass
class _Refresh:
    connection: Connection
    erp: ErpAdapter
    ramp: RampClient
    due: Due
    lease: Lease
    run: MirrorRun
    side: str = troubles.ERP
    """Whose part is being done."""

    def go(self) -> None:
        if self.due.read:
            self.run.seen = reading.read_erp(
                self.connection, self.erp, full=self.due.full, keep=self.lease.keep
            )
            following.follow_erp(self.connection)
            self.lease.keep()
        self.side = troubles.RAMP
        if self._waits_for_the_switch():
            return
        if self.due.push:
            self._push()
        if self.due.verify:
            verification.read_back(
                self.connection, self.ramp, keep=self.lease.keep, is_ours=self._is_our_seat
            )
            self.lease.keep()
            ramp_vendors.read_ramp_vendors(self.connection, self.ramp)

    def trouble_of(self, work: Callable[[], None]) -> Trouble | None:
        """What kept the work from being done; None if nothing did."""
        try:
            work()
        except ErpError as error:
            return troubles.of_erp(error)
        except SeatLost as error:
            return troubles.seat_lost(error)
        except (Forbidden, NoConnection, InvalidRequest) as error:
            return self._is_it_the_seat(error)
        except RampError as error:
            return troubles.of_ramp(error)
        return None

    def write_down(self, trouble: Trouble | None, now: datetime) -> None:
        """Batches know what was sent, also where the run broke off.

        A run that a failover has forgotten is not written again.
        """
        run = self.run
        run.state = State.DONE if trouble is None else State.FAILED
        run.finished_at = now
        if trouble is not None:
            run.title, run.fix = trouble.title[:300], trouble.fix[:500]
        sent: dict[str, dict[str, int]] = {}
        for batch in UploadBatch.objects.filter(run=run):
            of_kind = sent.setdefault(batch.kind, {})
            of_kind[batch.action] = of_kind.get(batch.action, 0) + batch.taken
        run.sent = sent
        columns = ("state", "finished_at", "title", "fix", "seen", "sent", "refused")
        MirrorRun.objects.filter(pk=run.pk).update(**{name: getattr(run, name) for name in columns})

    def _push(self) -> None:
        guard = seat.Guard(self.connection, self.ramp, self.lease.keep)
        sent: Sent = upload.upload(
            self.connection, self.ramp, run=self.run, may_send=guard, in_doubt=guard.look_again
        )
        self.run.refused = sent.refused

    def _waits_for_the_switch(self) -> bool:
        """While a migration prepares our connection, nobody is troubled with what only happened
        because it was time. Whoever asked for it is told.
        """
        if not (self.due.push or self.due.verify) or self.lease.asked_by or self.run.actor:
            return False
        if not Mirror.objects.filter(connection=self.connection, is_being_prepared=True).exists():
            return False
        try:
            seat.check(self.connection, self.ramp)
        except SeatLost:
            return True
        return False

    def _is_our_seat(self) -> None:
        """The lists of another connection would have none of ours."""
        seat.check(self.connection, self.ramp)

    def _is_it_the_seat(self, error: RampError) -> Trouble:
        """Ramp forbids writing while another connection is active, in words that nobody knows."""
        try:
            seat.check(self.connection, self.ramp)
        except SeatLost as lost:
            return troubles.seat_lost(lost)
        except RampError as silent:
            return troubles.of_ramp(silent)
        return troubles.of_ramp(error)


def refresh_now(
    connection: Connection,
    erp: ErpAdapter,
    ramp: RampClient,
    *,
    now: datetime,
    actor: str,
    trigger: str = Trigger.ONBOARDING,
) -> MirrorRun | None:
    """Read everything and upload it at once, for a command that waits for it. None if a worker is
    at this customer's chart just now.

    :raises Broken: if either side refuses, with the words
    """
    schedule.ensure(connection)
    lease = schedule.take(connection.pk, also=schedule.EVERYTHING)
    if lease is None:
        return None
    run = refresh(
        connection, erp, ramp, due=lease.due, now=now, lease=lease, actor=actor, trigger=trigger
    )
    if run.state == State.FAILED:
        raise Broken(f"{run.title} {run.fix}")
    return run


class Broken(Exception):
    """A refresh that somebody waited for broke off. The message is fit to show."""
