"""Calls until the rest of a large report is through, if some of its rows are bad and Ramp's refusal
names nobody.

Ramp takes a report whole or not at all, so whoever is good waits until whoever is bad is found.
The value is the calls over what halving takes, 28 for one bad row in 5,000 and 200 for ten; the
larger of the two.
"""

from collections.abc import Mapping
from unittest.mock import patch

from bench import spend
from bench.figures import Measured
from bench.spend import Spend
from bench.virtual_service import VirtualService, virtual_service
from connections.models import Connection
from syncing import tasks
from syncing.models import SyncItem

STAGE = virtual_service
OBJECTS = 5000
MOST_CALLS: Mapping[int, int] = {1: 28, 10: 200}
"""By the number of bad rows."""


def measure(
    service: VirtualService, objects: int = OBJECTS, most: Mapping[int, int] = MOST_CALLS
) -> Measured:
    service.ramp.fault("not_ready_without_ids", times=None)
    calls = {bad: _calls(service, objects, bad) for bad in most}
    return Measured(
        max(calls[bad] / most[bad] for bad in most),
        {"objects": objects, "calls": {str(bad): count for bad, count in calls.items()}},
    )


def _calls(service: VirtualService, objects: int, bad: int) -> int:
    connection = service.connect(f"customer-{bad}-bad")
    Connection.objects.filter(pk=connection.pk).update(ack_batch_size=objects)
    business = service.business(connection.slug)
    spend.spend(business, Spend(transaction=objects))
    _post_all(service, connection)
    for row in service.dice.sample(business.transactions("SYNC_READY"), bad):
        business.take_back(row.id)
    service.forget_calls()
    service.drain()
    items = SyncItem.objects.filter(connection=connection)
    assert items.filter(state="ACKED").count() == objects - bad, "the others are through"
    assert items.filter(state="MISMATCH").count() == bad, "the bad ones wait for a person"
    return sum(service.calls.values())


def _post_all(service: VirtualService, connection: Connection) -> None:
    """Into the ERP, and nothing to Ramp yet: time stands still, so that nothing waits too long."""
    service.fetch([connection])
    with patch("syncing.tasks.ring"), patch("syncing.tasks.answer_here"):
        while not _is_posted(connection):
            tasks.poll_connection(connection_id=str(connection.pk))
            tasks.work_connection(connection_id=str(connection.pk))


def _is_posted(connection: Connection) -> bool:
    items = SyncItem.objects.filter(connection=connection)
    return items.exists() and not items.exclude(state="POSTED").exists()
