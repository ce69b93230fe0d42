"""Call a month clean: one person if nothing is unsynced, two with a reason if something is."""

import uuid
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.contrib.postgres.functions import TransactionNow as Now
from django.db import IntegrityError, transaction
from django.db.models import Sum

from connections import audit
from connections.models import Connection
from syncing.close_rules import month_after
from syncing.closing.snapshots import take_of_period
from syncing.models import PeriodChange, PeriodStamp
from syncing.models.closing import CloseSnapshot
from syncing.queries.close_months import unsynced_in

_State = PeriodStamp.State
BESIDE = "Somebody else was about to say so at the same moment. Look at the page again."


class NotStamped(Exception):
    """The month cannot be called clean, or not so. The message is fit to show."""


def stamp(
    *,
    connection: Connection,
    period: date,
    entity_id: uuid.UUID | None,
    reason: str = "",
    actor: str,
    now: datetime,
) -> PeriodStamp:
    """Call a month clean, of one entity or of all. With something unsynced it becomes a wish that
    waits for a second person. An earlier word that no longer holds makes room.

    :raises NotStamped: if the month has not ended where the customer is, something is unsynced and
        no reason is given, or it is called clean already
    """
    if now.astimezone(ZoneInfo(connection.time_zone)).date() < month_after(period):
        raise NotStamped(f"{period:%B %Y} has not ended yet at {connection.name}.")
    reason = " ".join(reason.split())[:300]
    try:
        with transaction.atomic():
            _make_room(connection, period, entity_id, actor)
            snapshot = take_of_period(
                connection=connection,
                period=period,
                entity_id=entity_id,
                actor=actor,
                audited=False,
            )
            unsynced = unsynced_in(snapshot)
            if unsynced and not reason:
                raise NotStamped(
                    f"{unsynced:,} item{'s' * (unsynced != 1)} of {period:%B %Y}"
                    f" {'are' if unsynced != 1 else 'is'} unsynced. Mend that first; or give a"
                    " reason, and a second person must agree."
                )
            return _write(connection, period, snapshot, unsynced, reason)
    except IntegrityError:
        raise NotStamped(BESIDE) from None


def decide(*, stamp: PeriodStamp, agrees: bool, because: str, actor: str) -> PeriodStamp:
    """The second person's word over a month in which something is unsynced.

    :raises NotStamped: if it is decided already, the same person asks and agrees, or the month has
        changed since it was asked for
    """
    with transaction.atomic():
        stamp = PeriodStamp.objects.select_for_update().get(pk=stamp.pk)
        if stamp.state != _State.ASKED:
            raise NotStamped("Somebody has decided this already.")
        if agrees and stamp.asked_by == actor:
            raise NotStamped("You have asked for it, so somebody else must agree.")
        if agrees and changes_of(stamp) != stamp.changes:
            raise NotStamped(
                "Something has changed in this month since it was asked for. Refuse it and look at"
                " the month again."
            )
        stamp.state = _State.STANDING if agrees else _State.REFUSED
        stamp.decided_by, stamp.decided_at = actor, Now()
        stamp.decided_because = " ".join(because.split())[:300]
        stamp.save()
        word = "Agreed that" if agrees else "Did not agree that"
        _record(stamp, actor, "close.stamp.decide", f"{word} {_what(stamp)} is clean.")
    return stamp


def withdraw(*, stamp: PeriodStamp, because: str, actor: str) -> None:
    """Take back that a month is clean, or the wish for it.

    :raises NotStamped: if it does not stand any more
    """
    with transaction.atomic():
        stamp = PeriodStamp.objects.select_for_update().get(pk=stamp.pk)
        if stamp.state not in (_State.ASKED, _State.STANDING):
            raise NotStamped("It does not stand any more.")
        _withdraw(stamp, because, actor)


def changes_of(stamp: PeriodStamp) -> int:
    """How often the month that a stamp is about has changed by now."""
    found = PeriodChange.objects.filter(connection=stamp.connection_id, period=stamp.period)
    if stamp.entity_ramp_id:
        found = found.filter(entity_ramp_id=stamp.entity_ramp_id)
    return int(found.aggregate(n=Sum("changes"))["n"] or 0)


def _make_room(
    connection: Connection, period: date, entity_id: uuid.UUID | None, actor: str
) -> None:
    """Nothing may stand for the same month, unless it no longer holds."""
    standing = (
        PeriodStamp.objects.select_for_update()
        .filter(
            connection=connection,
            period=period,
            entity_ramp_id=entity_id,
            state__in=[_State.ASKED, _State.STANDING],
        )
        .first()
    )
    if standing is None:
        return
    if changes_of(standing) == standing.changes:
        if standing.state == _State.ASKED:
            raise NotStamped("This waits for a second person already.")
        raise NotStamped(f"{standing.asked_by} has called it clean already, and it still is.")
    _withdraw(standing, "Something had changed; it was looked at again.", actor)


def _withdraw(stamp: PeriodStamp, because: str, actor: str) -> None:
    stamp.state = _State.WITHDRAWN
    stamp.withdrawn_by, stamp.withdrawn_at = actor, Now()
    stamp.withdrawn_because = " ".join(because.split())[:300]
    stamp.save()
    _record(stamp, actor, "close.stamp.withdraw", f"Took back that {_what(stamp)} is clean.")


def _write(
    connection: Connection, period: date, snapshot: CloseSnapshot, unsynced: int, reason: str
) -> PeriodStamp:
    made = PeriodStamp.objects.create(
        connection=connection,
        entity_ramp_id=snapshot.entity_ramp_id,
        period=period,
        snapshot=snapshot,
        state=_State.ASKED if unsynced else _State.STANDING,
        changes=snapshot.changes,
        open_items=unsynced,
        reason=reason,
        asked_by=snapshot.taken_by,
        asked_at=snapshot.taken_at,
    )
    if unsynced:
        words = f"Asked that {_what(made)} is called clean with {unsynced:,} unsynced."
    else:
        words = f"Called {_what(made)} clean."
    _record(made, made.asked_by, "close.stamp", words)
    return made


def _what(stamp: PeriodStamp) -> str:
    return f"{stamp.period:%B %Y}{' of one entity' if stamp.entity_ramp_id else ''}"


def _record(stamp: PeriodStamp, actor: str, act: str, text: str) -> None:
    audit.record(
        actor,
        act,
        text,
        connection_id=stamp.connection_id,
        subject="snapshot",
        subject_id=stamp.snapshot.name,
        data={
            "period": f"{stamp.period:%Y-%m}",
            "entity": str(stamp.entity_ramp_id or ""),
            "unsynced": stamp.open_items,
            "reason": stamp.reason,
            "because": stamp.withdrawn_because or stamp.decided_because,
        },
    )
