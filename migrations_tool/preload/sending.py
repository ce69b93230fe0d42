"""Bring the ERP's chart onto our connection: by the mirror's own planner, batch by batch (R-96).

On the path of a migration everything goes through an `InactiveChart`, which cannot send what does
not name our connection (R-95). On a fresh connection ours is the active one already.
"""

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial

from django.db.models import F, Sum
from django.db.models.functions import Now

from connections.erp.errors import ErpError
from connections.erp.port import ErpAdapter
from connections.mirror import plan, reading, schedule, seat, troubles, upload, withdrawal
from connections.mirror.batches import Sent
from connections.mirror.diff import ACCOUNT, FIELD, OPTION, VENDOR
from connections.mirror.schedule import EVERYTHING, Lease
from connections.models import MirrorRun, UploadBatch
from connections.ramp.chart import Chart
from connections.ramp.errors import RampError
from connections.ramp.inactive import InactiveChart
from migrations_tool.models import ConnectionMigration
from migrations_tool.newcomer.making import what_is_wrong
from migrations_tool.steps import Path
from migrations_tool.wizard import Refused
from migrations_tool.work import NotNow, Work

KINDS = (ACCOUNT, FIELD, OPTION, VENDOR)
"""Taxes are left to step 9, where their own order is shown."""
Keep = Callable[[], None]


def is_inactive(migration: ConnectionMigration) -> bool:
    """Whether ours still stands beside the active connection."""
    return migration.path == Path.MIGRATION and migration.flipped_at is None


def chart_of(work: Work) -> Chart:
    """Our connection's chart, whichever standing it has.

    :raises Refused: if our connection is not made yet
    """
    return inactive_chart(work) if is_inactive(work.migration) else work.ramp


def inactive_chart(work: Work) -> InactiveChart:
    """:raises Refused: if there is no inactive connection of ours that everybody means"""
    migration = work.migration
    if migration.new_connection_id is None:
        raise Refused("Our connection is not made yet. Do step 6 first.")
    if not is_inactive(migration):
        raise Refused("Our connection is active. Its chart is kept up by itself now.")
    if work.connection.ramp_connection_id != migration.new_connection_id:
        raise Refused(
            "The customer's settings name another connection in Ramp than this migration. Take"
            " step 6 back and apply it again."
        )
    return work.ramp.for_inactive(migration.new_connection_id)


@contextmanager
def at_the_chart(work: Work) -> Iterator[Keep]:
    """Nobody else reads or uploads this customer's chart meanwhile.

    Yields what is to be called before each call: it holds on to the run and to the chart. A worker
    that goes on with a dead one's run takes that one's hold over.

    :raises NotNow: if a refresh is at it, also later on
    """
    lease = _hold(work)

    def keep() -> None:
        work.keep()
        try:
            lease.keep()
        except schedule.LeaseLost as lost:
            raise NotNow("A refresh is at this customer's chart.") from lost

    try:
        yield keep
    finally:
        schedule.give_back(lease)


def read_erp(work: Work, keep: Keep, erp: ErpAdapter | None = None) -> reading.Seen:
    """Read the ERP's whole chart into our rows.

    :param erp: the work's own, with somebody who listens
    :raises ErpError: if the ERP breaks off
    """
    work.progress(0, None, f"Reading {work.connection.erp_name}'s chart.")
    return reading.read_erp(work.connection, erp or work.erp, full=True, keep=keep)


def send(work: Work, kinds: Collection[str] = KINDS, *, is_read: bool = False) -> Sent:
    """Read the ERP and upload what differs. Killed anywhere, the next try sends only what is left.

    :param is_read: the ERP was read just now
    :raises RampError, ErpError, SeatLost: with what was sent until then kept
    """
    chart = chart_of(work)
    with at_the_chart(work) as keep:
        seen = {} if is_read else read_erp(work, keep)
        with _in_ledger(work, seen) as run:
            pace = _Pace(work, keep, run, kinds)
            sent = upload.upload(
                work.connection,
                chart,
                run=run,
                kinds=kinds,
                may_send=_guarded(work, chart, pace),
                in_doubt=partial(look, work),
            )
            pace.tell()
            return sent


def take_back(work: Work) -> int:
    """Delete on our inactive connection what we made there; how many records.

    :raises Refused: if ours is active
    """
    chart = inactive_chart(work)
    with at_the_chart(work) as keep:
        of = work.place.setdefault("of", withdrawal.outstanding(work.connection))
        with _in_ledger(work, {}) as run:

            def may_send() -> None:
                keep()
                left = withdrawal.outstanding(work.connection) if not chart.calls % 100 else None
                if left is not None:
                    work.progress(max(0, of - left), of, "Deleting on the inactive connection.")

            return withdrawal.withdraw_all(work.connection, chart, run=run, may_send=may_send)


def look(work: Work) -> None:
    """Is our connection still as it has to be? One call.

    :raises Refused: if the inactive one is not inactive and ours any more
    :raises SeatLost: if ours is to be active and is not
    """
    if not is_inactive(work.migration):
        seat.check(work.connection, work.ramp)
        return
    ours = work.migration.new_connection_id
    assert ours is not None, "the chart was made of it"
    wrong = what_is_wrong(work.ramp.connection(ours), work.connection.ramp_provider_name)
    if wrong:
        raise Refused(f"Our connection in Ramp has changed. {wrong} Check step 6.")


def batches_of(migration: ConnectionMigration, limit: int = 60) -> list[UploadBatch]:
    """What the wizard has sent to Ramp, the newest first."""
    sent = UploadBatch.objects.filter(
        connection=migration.connection_id,
        run__trigger=MirrorRun.Trigger.MIGRATION,
        started_at__gte=migration.started_at,
    )
    return list(sent.order_by("-started_at", "-pk").defer("erp_ids")[:limit])


def _hold(work: Work) -> Lease:
    connection = work.connection
    schedule.ensure(connection)
    if token := work.place.get("chart"):
        lease = Lease(connection.pk, uuid.UUID(token), EVERYTHING, "", {})
        try:
            lease.keep()
        except schedule.LeaseLost:
            pass
        else:
            return lease
    taken = schedule.take(connection.pk, also=EVERYTHING)
    if taken is None:
        raise NotNow("A refresh is at this customer's chart.")
    work.place["chart"] = str(taken.token)
    work.progress(0, None, "Beginning.")
    return taken


@contextmanager
def _in_ledger(work: Work, seen: reading.Seen) -> Iterator[MirrorRun]:
    """A run of the mirror, as those of every refresh, so that its batches stand with theirs."""
    run = MirrorRun.objects.create(
        connection=work.connection,
        trigger=MirrorRun.Trigger.MIGRATION,
        actor=work.actor,
        seen=seen,
    )
    try:
        yield run
    except BaseException as error:
        title, fix = _words_of(error)
        _write_down(run, MirrorRun.State.FAILED, title=title, fix=fix)
        raise
    _write_down(run, MirrorRun.State.DONE, title="", fix="")


def _words_of(error: BaseException) -> tuple[str, str]:
    match error:
        case RampError():
            trouble = troubles.of_ramp(error)
            return trouble.title, trouble.fix
        case ErpError():
            return error.title, error.fix
        case Refused() | NotNow():
            return str(error), ""
        case _:
            return "Its worker was stopped.", "Nothing to do: the migration goes on where it was."


def _write_down(run: MirrorRun, state: MirrorRun.State, *, title: str, fix: str) -> None:
    sent: dict[str, dict[str, int]] = {}
    refused = 0
    for batch in UploadBatch.objects.filter(run=run).defer("erp_ids"):
        of_kind = sent.setdefault(batch.kind, {})
        of_kind[batch.action] = of_kind.get(batch.action, 0) + batch.taken
        refused += batch.refused
    MirrorRun.objects.filter(pk=run.pk).update(
        state=state, title=title[:300], fix=fix[:500], sent=sent, refused=refused, finished_at=Now()
    )


class _Pace:
    """Called before each call: holds on to everything, and says how far it is."""

    def __init__(self, work: Work, keep: Keep, run: MirrorRun, kinds: Collection[str]) -> None:
        self._work = work
        self._keep = keep
        self._run = run
        counts = plan.pending(work.connection).counts
        left = sum(count for (kind, _), count in counts.items() if kind in kinds)
        self._of = max(work.place.get("of", 0), left)
        self._before = self._of - left
        work.place["of"] = self._of

    def __call__(self) -> None:
        self._keep()
        self.tell()

    def tell(self) -> None:
        """How far it is now, with the batch under way."""
        batches = UploadBatch.objects.filter(run=self._run).order_by()
        done = batches.aggregate(n=Sum(F("taken") + F("refused")))["n"] or 0
        newest = batches.order_by("-started_at", "-pk").defer("erp_ids").first()
        doing = "Beginning."
        if newest is not None:
            number = batches.count()
            kind, action = newest.get_kind_display(), newest.get_action_display()
            doing = f"Batch {number}: {action}, {kind}, {newest.size:,}."
        self._work.progress(min(self._before + done, self._of), self._of, doing)


def _guarded(work: Work, chart: Chart, pace: _Pace) -> Keep:
    """An inactive chart guards itself at every call. Who has the seat is asked before the first
    change of an active one.
    """
    if isinstance(chart, InactiveChart):
        return pace
    return seat.Guard(work.connection, work.ramp, pace)
