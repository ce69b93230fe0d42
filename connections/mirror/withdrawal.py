"""Take back what was uploaded to a connection that never became active."""

from typing import Any

from django.db import transaction

from connections.mirror import batches, ramp_side
from connections.mirror.diff import ACCOUNT, FIELD, VENDOR, Action
from connections.mirror.every_kind import EVERY_KIND
from connections.mirror.kinds import Mirrored
from connections.mirror.sending import MaySend
from connections.models import Connection, MirrorRun
from connections.ramp.errors import NotFound
from connections.ramp.inactive import InactiveChart
from rampbridge.lib import failpoints

KINDS = (VENDOR, FIELD, ACCOUNT)
"""Options go with their field, for nobody can choose them without it. Taxes stay: what is deleted
of them Ramp never brings back (contract 4)."""
_AT_ONCE = 500


def outstanding(connection: Connection) -> int:
    """Records that are still offered there."""
    return sum(_offered(EVERY_KIND[kind], connection).count() for kind in KINDS)


def withdraw_all(
    connection: Connection, chart: InactiveChart, *, run: MirrorRun | None, may_send: MaySend
) -> int:
    """Delete everything of ours on an inactive connection, one call each. Deletes are soft.

    Whoever is killed goes on where it was: what is deleted is not deleted again.

    :param may_send: called before each call; what it raises ends the work
    :returns: how many records are gone
    :raises RampError: if Ramp refuses, or is silent
    """
    return sum(
        _withdraw(EVERY_KIND[kind], connection, chart, run=run, may_send=may_send) for kind in KINDS
    )


def _withdraw(
    kind: Mirrored,
    connection: Connection,
    chart: InactiveChart,
    *,
    run: MirrorRun | None,
    may_send: MaySend,
) -> int:
    gone = 0
    while rows := list(_offered(kind, connection).order_by("pk")[:_AT_ONCE]):
        may_send()
        batch = batches.begin(connection, kind, Action.DEACTIVATE, rows, run=run)
        for row in rows:
            may_send()
            failpoints.hit("before_upload")
            try:
                kind.delete(chart, row)
            except NotFound:
                ramp_side.lose(kind, [row.pk])
            else:
                failpoints.hit("after_upload")
                with transaction.atomic():
                    ramp_side.confirm(kind, [(row.pk, {"ramp_is_active": False})])
                    batches.progress(batch, taken=1)
            batches.called(batch, trace_id=chart.last_trace_id)
            gone += 1
        batches.end(batch)
    return gone


def _offered(kind: Mirrored, connection: Connection) -> Any:
    return kind.model.objects.filter(
        connection=connection, ramp_id__isnull=False, ramp_is_active=True
    )
