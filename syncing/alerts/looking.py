"""One turn of whoever looks for alerts: measure, tell, and say to the outside that we look."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, close_old_connections

from syncing.alerts import heartbeat, sending
from syncing.alerts.watching import Round, watch

EVERY_SECONDS = 60.0
SEND_EVERY_SECONDS = 5.0

logger = logging.getLogger(__name__)


def look(*, now: datetime) -> Round | None:
    """Take a round, and send what there is to be sent. None if somebody else has just looked."""
    done = watch(now=now)
    sending.send_due(now=now)
    if done is not None:
        heartbeat.beat()
    return done


def keep_looking(clock: Callable[[], datetime], stop: threading.Event) -> None:
    """Look once a minute and send in between, until told to stop.

    This process needs the database and nothing else: it is there to notice when the broker or every
    worker is gone. What fails here is logged and tried again, for nobody looks after it.
    """
    looked_at = float("-inf")
    while True:
        try:
            if time.monotonic() - looked_at >= EVERY_SECONDS:
                looked_at = time.monotonic()
                look(now=clock())
            else:
                sending.send_due(now=clock())
        except DatabaseError:
            logger.exception("Nobody looked for alerts: the database does not answer.")
        close_old_connections()
        if stop.wait(SEND_EVERY_SECONDS):
            return
