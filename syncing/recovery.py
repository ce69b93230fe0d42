"""Finish what a dead worker or a lost answer left in POSTING (rule 3).

By the time rows come here, a request sent for them can no longer be under way: the lease and the
ERP's settle time are over.

    class K  the ERP enforces our reference: send the same document again
    class L  we can only look it up: found means booked, absent means send again
    class N  neither: a person decides (REVIEW)

An ERP that repeats its answers for a while only (REPLAY_KEY) may have forgotten by now: class L.
"""

import logging
import time
import uuid
from collections.abc import Sequence

from connections.erp.errors import Code, ErpError
from connections.erp.records import DocKind, Document, Idempotency, Posted, State
from rampbridge.lib import failpoints, measures
from syncing import claims, results, silent_hosts, stopping
from syncing.claims import CHUNK, POISON_AFTER, Claimed
from syncing.classifier import ErrorCategory, SyncFailure, classify, poisonous, without_answer
from syncing.dispatch import Held, Outcomes, Worker, send
from syncing.engine import BILL_NOT_POSTED, RETRY_BUDGET, for_people, latest_start, write_outcomes
from syncing.results import Looked, Uncertain
from syncing.states import ItemState

logger = logging.getLogger(__name__)

ABSENT_AGAIN_SECONDS = 30
"""Between the two looks that must both find nothing before a document is sent again, where an
ERP's search may lag behind its ledger (fault X19)."""


def recover_lost_items(worker: Worker, *, limit: int = CHUNK) -> int:
    """Settle one chunk of documents whose outcome nobody wrote down. Returns how many it took.

    :param limit: of documents; one where nobody knows whether the ERP answers
    """
    capabilities = worker.capabilities
    token, deadline = uuid.uuid4(), latest_start()
    lost = claims.take_over_lost(worker.connection.pk, token, capabilities.settle, limit)
    if not lost:
        return 0
    failpoints.hit("after_takeover_commit")
    measures.RECOVERIES.add("posting", times=len(lost))
    logger.info(
        "Recovering items whose outcome is unknown.",
        extra={"connection": str(worker.connection.pk), "items": len(lost)},
    )
    documents = [(item, Document.from_json(item.document or {})) for item in lost]
    match capabilities.idempotency:
        case Idempotency.NONE:
            _park(token, documents)
            _settled(worker, "parked", len(documents))
        case Idempotency.UNIQUE_KEY:
            _send_again(worker, token, documents, deadline)
        case Idempotency.LOOKUP | Idempotency.REPLAY_KEY:
            _look_up_and_send(worker, token, documents, deadline)
    return len(lost)


def _park(token: uuid.UUID, documents: Sequence[Held]) -> None:
    why = "The answer was lost, and this ERP can neither enforce nor find our reference."
    results.record_held(token, ItemState.REVIEW, [(item.id, why) for item, _ in documents])


def _send_again(
    worker: Worker, token: uuid.UUID, documents: Sequence[Held], deadline: float
) -> None:
    """Class K. What has tried too often is looked up first, to be given up if absent; and what is
    refused for want of its bill, for that may have been cancelled since the payment was booked.
    """
    spent = [held for held in documents if _is_given_up(held[0]) is not None]
    if spent:
        _look_up_and_send(worker, token, spent, deadline)
    again = [held for held in documents if held not in spent]
    if again:
        results.record_looks([Looked(item.id, _RESENT_BY_KEY) for item, _ in again])
        outcomes = send(worker, again, deadline=deadline)
        billless = {item.id for item, why in outcomes.refused if why.code == BILL_NOT_POSTED}
        outcomes.refused = [one for one in outcomes.refused if one[0].id not in billless]
        write_outcomes(worker, token, _still_in_doubt(outcomes))
        if unpaid := [held for held in again if held[0].id in billless]:
            _look_up_and_send(worker, token, unpaid, deadline)


def _still_in_doubt(outcomes: Outcomes) -> Outcomes:
    """What was not asked, or only "not now", says nothing of the request before."""
    said = "It could not be sent again yet."
    outcomes.uncertain += [Uncertain(item_id, said) for item_id in outcomes.unsent]
    outcomes.unsent = []
    definite = []
    for item, failure in outcomes.refused:
        if failure.category is ErrorCategory.TRANSIENT or failure.stops_connection:
            outcomes.uncertain.append(Uncertain(item.id, failure.title))
        else:
            definite.append((item, failure))
    outcomes.refused = definite
    return outcomes


def _look_up_and_send(
    worker: Worker, token: uuid.UUID, documents: Sequence[Held], deadline: float
) -> None:
    """Class L: adopt what the ERP holds, give up what tried too often, send the rest again."""
    absent = _absent_for_sure(worker, token, _look_up(worker, token, documents, deadline))
    given_up = [
        (item.id, failure) for item, _ in absent if (failure := _is_given_up(item)) is not None
    ]
    if given_up:
        results.record_refused(token, for_people(given_up))
    again = [held for held in absent if _is_given_up(held[0]) is None]
    if again:
        results.record_looks([Looked(item.id, _RESENT) for item, _ in again])
        write_outcomes(worker, token, send(worker, again, deadline=deadline))


def _absent_for_sure(worker: Worker, token: uuid.UUID, absent: Sequence[Held]) -> list[Held]:
    """What was not found twice. The rest is looked up once more, where the search may lag."""
    settle = worker.capabilities.settle
    sure = [held for held in absent if held[0].was_absent or not settle]
    once = [item for item, _ in absent if settle and not item.was_absent]
    if once:
        said = "The ERP does not have it. It is looked up once more before it is sent again."
        lost = [Uncertain(item.id, said, absent=True) for item in once]
        wait = min(ABSENT_AGAIN_SECONDS, settle)
        results.record_uncertain(token, lost, 0, recheck_seconds=wait)
    return sure


def _look_up(
    worker: Worker, token: uuid.UUID, documents: Sequence[Held], deadline: float
) -> list[Held]:
    """Adopt what the ERP holds already; return what it certainly does not hold."""
    outcomes = Outcomes()
    absent: list[Held] = []
    looked: list[Looked] = []
    for item, document in documents:
        if outcomes.stopped_by or time.monotonic() > deadline or stopping.is_asked():
            outcomes.uncertain.append(Uncertain(item.id, "It could not be looked up yet."))
            continue
        began = time.monotonic()
        try:
            found = worker.erp.find(document.ref)
        except ErpError as error:
            if error.code is Code.REF_REUSED:
                outcomes.mismatched.append((item.id, error.title))
            else:
                failure = classify(error, erp_name=worker.connection.erp_name)
                outcomes.doubt(item, str(error), failure if failure.stops_connection else None)
            continue
        took = round(1000 * (time.monotonic() - began))
        looked.append(Looked(item.id, _what_was_found(found), ref=document.ref.full, took=took))
        if found is None or found.state is State.DRAFT:
            absent.append((item, document))  # a draft is finished by posting it again
        elif found.state is not State.VOID and found.kind not in (None, document.kind):
            outcomes.mismatched.append((item.id, _is_another(found, document)))
        else:
            outcomes.book(item, found)
    if looked:
        results.record_looks(looked)
        if worker.is_trying and outcomes.stopped_by is None:
            silent_hosts.answered(worker.connection.pk)  # it found something or nothing: it speaks
    write_outcomes(worker, token, outcomes)
    _settled(worker, "found", len(outcomes.posted))
    _settled(worker, "absent", len(absent))
    return absent


def _settled(worker: Worker, resolution: str, items: int) -> None:
    if items:
        measures.UNKNOWN_OUTCOMES.add(worker.connection.erp_kind, resolution, times=items)


_RESENT = "It is certainly not in the ERP, so the same document is sent again."
_RESENT_BY_KEY = "The same document is sent again under the same key: the ERP refuses a second one."


def _what_was_found(found: Posted | None) -> str:
    if found is None:
        return "Searched the ERP by our reference: nothing carries it."
    name = found.number or found.erp_id
    if found.state is State.DRAFT:
        return f"Searched the ERP by our reference: {name} carries it, and is a draft."
    return f"Searched the ERP by our reference: {name} carries it."


def _is_another(found: Posted, document: Document) -> str:
    """A failover may have forgotten what was posted, and Ramp said since that it pays a bill."""
    name = found.number or found.erp_id
    return (
        f"{name} carries its reference and is {_KIND_WORDS[found.kind or document.kind]}, where"
        f" {_KIND_WORDS[document.kind]} was to be posted."
    )


_KIND_WORDS = {
    DocKind.JOURNAL: "a journal entry",
    DocKind.BILL: "a bill",
    DocKind.BILL_PAYMENT: "a payment of a bill",
    DocKind.VENDOR_CREDIT: "a vendor credit",
}


def _is_given_up(item: Claimed) -> SyncFailure | None:
    """The judgement on what killed a worker each time (fault X21), or was never answered."""
    if item.claims >= POISON_AFTER:
        return poisonous(item.claims)
    if item.attempts > RETRY_BUDGET:
        return without_answer(item.attempts - 1)
    return None
