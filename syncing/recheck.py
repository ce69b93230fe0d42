"""Free items whose cause is gone: a period reopened, an account active again, a mapping made.

Items that share a cause are freed by one look at one of them (reliability, state FAILED).
"""

from connections.erp.errors import ErpError
from connections.erp.records import Document
from syncing import claims
from syncing.classifier import classify
from syncing.engine import RECHECK_SECONDS, Worker, make_document


def release_unblocked(worker: Worker) -> int:
    """Look at one item of each cause that is due, and queue all items of a cause that is gone.

    Returns how many items were queued.
    """
    released = 0
    for item in claims.blocked_samples(worker.connection.pk):
        if _is_still_blocked(worker, item):
            claims.recheck_later(worker.connection.pk, item.cause, RECHECK_SECONDS)
            continue
        released += claims.release(
            worker.connection.pk, cause=item.cause, why="What blocked it is gone."
        )
    return released


def _is_still_blocked(worker: Worker, sample: claims.Blocked) -> bool:
    outcome = make_document(worker, sample.item)
    if not isinstance(outcome, Document):
        return outcome.blocked_by == sample.cause
    try:
        problems = worker.erp.check(outcome)
    except ErpError:
        return True  # the ERP cannot say now; look again later
    causes = {classify(one, erp_name=worker.connection.erp_name).blocked_by for one in problems}
    return sample.cause in causes
