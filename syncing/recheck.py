"""Free items whose cause is gone: a period reopened, an account active again, a mapping made.

Items that share a cause are freed by one look at one of them.
"""

import time

from connections.erp.errors import ErpError
from connections.erp.records import Document
from syncing import releases
from syncing.classifier import SyncFailure, classify
from syncing.dispatch import Worker
from syncing.engine import RECHECK_SECONDS
from syncing.planning import step_of
from syncing.releases import Blocked

TURN_SECONDS = 5.0
"""No look begins later: what is still due comes first at the next ring."""


def release_unblocked(worker: Worker) -> int:
    """Look at one item of each cause that is due, and queue all items of a cause that is gone.

    A turn ends after some seconds, or when the ERP says what stops all of them. Returns how many
    items were queued.
    """
    connection_id, until, released = worker.connection.pk, time.monotonic() + TURN_SECONDS, 0
    for sample in releases.blocked_samples(connection_id):
        try:
            is_blocked, is_over = _is_still_blocked(worker, sample), False
        except ErpError as error:  # it cannot say now; look again later
            failure = classify(error, erp_name=worker.connection.erp_name)
            is_blocked, is_over = True, failure.stops_connection
        if is_blocked:
            releases.recheck_later(connection_id, sample.cause, RECHECK_SECONDS)
        else:
            why = "What blocked it is gone."
            released += releases.release(connection_id, cause=sample.cause, why=why)
        if is_over or time.monotonic() > until:
            break
    return released


def _is_still_blocked(worker: Worker, sample: Blocked) -> bool:
    """
    :raises ErpError: if it cannot be asked now
    """
    outcome = step_of(worker, sample.item)
    if isinstance(outcome, SyncFailure):
        return outcome.blocked_by == sample.cause
    if not isinstance(outcome, Document):
        return False  # it waits for something else now
    problems = worker.erp.check(outcome)
    codes = {classify(one, erp_name=worker.connection.erp_name).code for one in problems}
    # The kind of trouble is enough: a check may name the record to blame otherwise than a post.
    return sample.cause.partition(":")[0] in codes
