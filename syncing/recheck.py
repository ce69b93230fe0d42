"""Free items whose cause is gone: a period reopened, an account active again, a mapping made.

Items that share a cause are freed by one look at one of them.
"""

from connections.erp.errors import ErpError
from connections.erp.records import Document
from syncing import releases
from syncing.classifier import SyncFailure, classify
from syncing.dispatch import Worker
from syncing.engine import RECHECK_SECONDS
from syncing.planning import step_of
from syncing.releases import Blocked


def release_unblocked(worker: Worker) -> int:
    """Look at one item of each cause that is due, and queue all items of a cause that is gone.

    Returns how many items were queued.
    """
    released = 0
    for sample in releases.blocked_samples(worker.connection.pk):
        if _is_still_blocked(worker, sample):
            releases.recheck_later(worker.connection.pk, sample.cause, RECHECK_SECONDS)
            continue
        released += releases.release(
            worker.connection.pk, cause=sample.cause, why="What blocked it is gone."
        )
    return released


def _is_still_blocked(worker: Worker, sample: Blocked) -> bool:
    outcome = step_of(worker, sample.item)
    if isinstance(outcome, SyncFailure):
        return outcome.blocked_by == sample.cause
    if not isinstance(outcome, Document):
        return False  # it waits for something else now
    try:
        problems = worker.erp.check(outcome)
    except ErpError:
        return True  # the ERP cannot say now; look again later
    codes = {classify(one, erp_name=worker.connection.erp_name).code for one in problems}
    # The kind of trouble is enough: a check may name the record to blame otherwise than a post.
    return sample.cause.partition(":")[0] in codes
