"""Bring Ramp's chart to what the ERP has, by the least that makes it so (R-16)."""

from collections.abc import Collection

from django.db.models.functions import Now

from connections.mirror import batches, decisions, lookup, refusals, verification
from connections.mirror.batches import Sent
from connections.mirror.diff import KINDS, ORDER
from connections.mirror.every_kind import EVERY_KIND
from connections.mirror.sending import MaySend, Sender
from connections.models import Connection, Mirror, MirrorRun
from connections.ramp.chart import Chart


def upload(
    connection: Connection,
    ramp: Chart,
    *,
    run: MirrorRun | None,
    kinds: Collection[str] = KINDS,
    may_send: MaySend = lambda: None,
    in_doubt: MaySend = lambda: None,
) -> Sent:
    """Send Ramp what differs from the ERP's side in our rows; unchanged data makes no call at all.

    Every record Ramp takes is kept at once, so a run that breaks off anywhere is gone on with and
    not repeated. A record that Ramp refuses says why on its row and holds up no other.

    :param ramp: the active connection's chart, or that of one that is still inactive
    :param kinds: those to be sent; of others nothing is sent
    :param may_send: called before each call that changes something, and before what Ramp shows is
        taken for ours; what it raises ends the run
    :param in_doubt: called once per batch that Ramp refuses without naming a record, and before
        records are taken as lost; raises if that is not the records' fault
    :raises RampError: if Ramp is silent, or refuses for another reason than a record's own
    """
    mirror, _ = Mirror.objects.get_or_create(connection=connection)
    if batches.under_way(connection):
        may_send()
        lookup.settle(connection, ramp, keep=may_send)
    if _is_strange(mirror):
        verification.read_back(connection, ramp, keep=may_send, is_ours=in_doubt)
    decisions.tidy(connection)
    sender = Sender(connection, ramp, run, may_send, in_doubt)
    for kind, action in ORDER:
        if kind in kinds:
            sender.send(EVERY_KIND[kind], action)
    decisions.tidy(connection)
    refusals.forget_what_is_over(connection)
    _is_done(mirror)
    return sender.sent


def _is_strange(mirror: Mirror) -> bool:
    """Nobody knows what this connection has in Ramp: its lists are read once."""
    never = mirror.last_verified_at is None and mirror.last_push_at is None
    return never and not mirror.ramp_is_empty


def _is_done(mirror: Mirror) -> None:
    Mirror.objects.filter(pk=mirror.pk).update(ramp_is_empty=False, last_push_at=Now())
