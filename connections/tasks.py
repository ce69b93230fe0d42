"""Doorbells for charts, vendors and settings: a task loads, makes one call, and decides nothing.

What is due stands in the rows. `sweep` rings again for it every few seconds, so losing any of these
messages loses no work.
"""

import logging
import uuid
from typing import Any

from celery import Task, shared_task
from django.utils import timezone
from kombu.exceptions import OperationalError

from connections import clients
from connections.mirror import refresh, schedule, troubles
from connections.models import Connection, MirrorRun
from connections.ramp.errors import RampError
from connections.ramp.rate_limit import Lane
from connections.secrets import NoCredential
from connections.vendor_book import linking

RING_EXPIRES = 30
"""Seconds after which a doorbell that nobody heard is worth nothing: the sweep has rung again."""

Doorbell = Task[..., None]

logger = logging.getLogger(__name__)


def ring(doorbell: Doorbell, **about: str) -> None:
    """Ring if the broker takes it. If not, the sweep rings once the broker is back (fault I1)."""
    try:
        doorbell.apply_async(kwargs=about, expires=RING_EXPIRES)
    except OperationalError:
        logger.warning("The broker did not take a doorbell.", extra={"doorbell": doorbell.name})


@shared_task(expires=5)
def sweep(**_: Any) -> None:
    """Ring for every customer whose chart has something due."""
    for connection_id in schedule.due():
        ring(refresh_chart, connection_id=str(connection_id))
    for wishing in linking.connections_due():
        ring(link_vendors, connection_id=str(wishing))


@shared_task
def refresh_chart(*, connection_id: str, **_: Any) -> None:
    """Read, upload and read back what is due of one customer's chart."""
    lease = schedule.take(uuid.UUID(connection_id))
    if lease is None:
        return
    connection = Connection.objects.get(pk=connection_id)
    now = timezone.now()
    trigger = MirrorRun.Trigger.PERSON if lease.asked_by else MirrorRun.Trigger.SCHEDULE
    side = troubles.ERP
    try:
        erp = clients.erp_adapter(connection)
        side = troubles.RAMP
        ramp = clients.ramp_client(connection, lane=Lane.CHART)
    except NoCredential as missing:
        trouble = troubles.without_credentials(str(missing), side)
        refresh.cannot_begin(connection, lease, trouble, now=now, trigger=trigger)
        return
    refresh.refresh(
        connection,
        erp,
        ramp,
        due=lease.due,
        now=now,
        lease=lease,
        actor=lease.asked_by,
        trigger=trigger,
    )


@shared_task
def link_vendors(*, connection_id: str, **_: Any) -> None:
    """Link vendors of Ramp as people wish, those that can be linked by now."""
    connection = Connection.objects.get(pk=connection_id)
    try:
        linking.link_due(connection, clients.ramp_client(connection, lane=Lane.CHART))
    except (NoCredential, RampError) as trouble:
        # What is wished stays wished and stands on the page; the sweep rings again.
        logger.warning("Vendors could not be linked now: %s", trouble)
