"""Pull what is ready in Ramp: the guarantee under webhooks, which only shorten the wait."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.postgres.functions import TransactionNow

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from syncing import cadence, cursors, inbox, lists, poll_schedule, vanished, webhook_health
from syncing.classifier import classify_ramp
from syncing.cursors import Reading
from syncing.kinds import LISTS
from syncing.lists import Turn
from syncing.models import SyncItem, SyncRun
from syncing.poll_schedule import LeaseLost, PollLease
from syncing.pull_endings import RESULTS, Ending
from syncing.snapshots import Complete

logger = logging.getLogger(__name__)

PAGE_SIZES = (100, 100, 50, 50, 25)
"""By failures in a row: Ramp cuts answers at 60 s, and smaller pages answer sooner (fault P9)."""

OF_ONE_LIST = (errors.NotFound, *vanished.OF_ONE_OBJECT)
"""What is wrong with one list, or with one entity's; the others are read all the same (P11)."""


@dataclass(slots=True)
class _Pull:
    """One pull at work."""

    connection: Connection
    run: SyncRun
    lease: PollLease
    readings: Sequence[Reading]
    failed: list[tuple[Reading, errors.RampError]] = field(default_factory=list)

    @property
    def is_refused(self) -> bool:
        """Ramp refuses every list there is, so that it is the connection's problem."""
        return (
            not self.lease.wanted
            and bool(self.failed)
            and all(one.problem for one in self.readings)
        )


def pull(
    connection: Connection, ramp: RampClient, *, trigger: str, now: datetime, jitter: float
) -> SyncRun | None:
    """Bring our items up to what Ramp says is ready. None if another worker is at it.

    Reads the lists that rang, or all of them if it is time to poll. A long list is left off after
    some pages and goes on in the next pull, which is then due at once. A pull that breaks off keeps
    the pages it has and plans its next try; what is wrong stands on the run, on the list's cursor
    and, if a person must act before anything can go on, on the connection.
    """
    with poll_schedule.only_poller(connection, trigger=trigger) as lease:
        if lease is None:
            return None
        run = _begun(connection, lease, trigger)
        pull = _Pull(connection, run, lease, _readings(connection, lease))
        # What rang does not move the poll, so nobody need ask when it is.
        habits = None if lease.wanted else webhook_health.habits_of(connection)
        next_in = next_poll_in(habits, now=now) if habits else timedelta(0)
        run.hook_is_quiet = habits is not None and habits.hook_is_quiet
        try:
            _read(pull, ramp)
            if not pull.is_refused and _done(pull, ramp, next_in=next_in, unless_vanished=True):
                return run
            _settle_vanished(pull, ramp)
        except errors.RampError as error:
            _broke_off(pull, error, jitter=jitter, next_in=next_in)
        except LeaseLost:
            run.problem = "It took so long that another worker took over."
        else:
            if pull.is_refused:
                _broke_off(pull, pull.failed[0][1], jitter=jitter, next_in=next_in)
            else:
                _done(pull, ramp, next_in=next_in)
                return run
        lists.count_calls(run, ramp)
        run.finished_at = TransactionNow()
        _keep(run)
    return run


def _keep(run: SyncRun) -> None:
    """Write what came of a pull, if the database still knows that it began.

    If a failover has made it forget, the number may be another run's by now (fault I5).
    """
    known = SyncRun.objects.filter(
        pk=run.pk, connection=run.connection_id, started_at=run.started_at
    )
    known.update(**{name: getattr(run, name) for name in (*RESULTS, "finished_at")})


def _begun(connection: Connection, lease: PollLease, trigger: str) -> SyncRun:
    """The run that the lease was taken with."""
    run = SyncRun(
        pk=lease.run_id,
        connection=connection,
        trigger=SyncRun.Trigger.MANUAL if lease.asked_by else trigger,
        actor=lease.asked_by,
        started_at=lease.began_at,
    )
    run._state.adding = False  # noqa: SLF001  it has its row
    return run


def next_poll_in(habits: cadence.Habits, *, now: datetime) -> timedelta:
    """Time to a connection's next slot, by its habits (R-78)."""
    return cadence.next_poll_in(habits, now=now, every=settings.POLL_INTERVAL_SECONDS)


def _readings(connection: Connection, lease: PollLease) -> list[Reading]:
    """Of the lists that are wanted and switched on; a list of each entity where they are apart."""
    names = [
        name
        for name in LISTS
        if name in connection.object_types and (not lease.wanted or name in lease.wanted)
    ]
    everybody = [(None, "")]
    entities = (
        list(connection.entities.order_by("name", "pk").values_list("ramp_id", "name"))
        if connection.scoped_by_entity
        else everybody
    )
    return cursors.found(lease.cursors, names, entities, now=lease.began_at)


def _read(pull: _Pull, ramp: RampClient) -> None:
    turn = Turn(
        connection=pull.connection,
        ramp=ramp,
        run=pull.run,
        lease=pull.lease,
        page_size=PAGE_SIZES[min(pull.connection.schedule.poll_failures, len(PAGE_SIZES) - 1)],
        announced=_announced(pull),
    )
    for reading in pull.readings:
        try:
            lists.read(turn, reading)
        except OF_ONE_LIST as error:
            pull.failed.append((reading, error))
            reading.problem = classify_ramp(error).title
            pull.run.trace_id = error.trace_id
            logger.warning(
                "A list cannot be read.",
                extra={
                    "connection": pull.connection.slug,
                    "list": reading.list_name,
                    "entity": str(reading.entity_id or ""),
                    "why": str(error),
                },
            )
    pull.run.problem = _problems(pull.readings)


def _settle_vanished(pull: _Pull, ramp: RampClient) -> None:
    unread = vanished.settle(
        pull.connection,
        ramp,
        _complete(pull.readings),
        listed_at=pull.run.started_at,
        keep_lease=pull.lease.keep,
    )
    for error in unread[:1]:  # they have it all in common, most likely
        pull.run.trace_id = error.trace_id
        pull.run.problem += f"\n{len(unread)} no longer listed: {classify_ramp(error).title}"
        pull.run.problem = pull.run.problem.strip()


def _problems(readings: Sequence[Reading]) -> str:
    return "\n".join(
        f"{SyncItem.ObjectType(one.list_name).label}"
        f"{' of ' + one.entity_name if one.entity_name else ''}: {one.problem}"
        for one in readings
        if one.problem
    )


def _announced(pull: _Pull) -> Mapping[str, datetime]:
    """What a poll brings although webhooks should have told of it counts as missed (R-81)."""
    if pull.run.trigger != SyncRun.Trigger.POLL:
        return {}
    return inbox.announced_types(pull.connection.pk)


def _complete(readings: Sequence[Reading]) -> list[Complete]:
    """The lists that were read to their end: of single entities, and of all where none is missing,
    which finds items of entities that are gone."""
    complete = []
    for name, kinds in LISTS.items():
        types = [kind.object_type for kind in kinds]
        mine = [one for one in readings if one.list_name == name]
        if mine and all(one.is_complete for one in mine):
            complete.append(Complete(types, None, min(one.began_at for one in mine)))
        else:
            complete += [
                Complete(types, one.entity_id, one.began_at) for one in mine if one.is_complete
            ]
    return complete


def _broke_off(pull: _Pull, error: errors.RampError, *, jitter: float, next_in: timedelta) -> None:
    failure = classify_ramp(error)
    pull.run.problem = failure.title
    pull.run.trace_id = error.trace_id
    pull.lease.pull_failed(
        failure,
        jitter=jitter,
        next_in=next_in,
        readings=pull.readings,
        has_read=pull.run.seen > 0,
    )
    logger.warning(
        "A pull broke off.", extra={"connection": pull.connection.slug, "why": str(error)}
    )


def _done(
    pull: _Pull, ramp: RampClient, *, next_in: timedelta, unless_vanished: bool = False
) -> bool:
    """Plan what comes next. Events are answered once every list was read that was begun before.

    False, and nothing is written, if lists no longer have what they had, and that matters.
    """
    run, readings = pull.run, pull.readings
    lists.count_calls(run, ramp)
    is_all_read = all(one.is_complete or one.problem for one in readings)
    began_at = min((one.began_at for one in readings), default=run.started_at)
    began_earlier = {one.list_name for one in readings if one.began_at < run.started_at}
    return pull.lease.pull_done(
        next_in=next_in,
        readings=readings,
        # They may have missed what rang since. So that a list without end is not all that Ramp is
        # asked for, it is read anew only after as long as it took.
        again=sorted(began_earlier) if is_all_read and _rang_since(pull, began_at) else (),
        again_in=run.started_at - began_at,
        ending=Ending(
            run,
            complete=_complete(readings) if unless_vanished else (),
            answers_until=began_at if is_all_read else None,
        ),
    )


def _rang_since(pull: _Pull, began_at: datetime) -> bool:
    return began_at < pull.run.started_at and inbox.has_unhandled(
        pull.connection.pk, since=began_at
    )
