"""Finish what a dead worker or a lost answer left in POSTING (reliability rule 3).

By the time rows come here, a request sent for them can no longer be under way: the lease and the
ERP's settle time are over.

    class K  the ERP enforces our reference: send the same document again
    class L  we can only look it up: found means booked, absent means send again
    class N  neither: a person decides (REVIEW)
"""

import logging
import time
import uuid

from connections.erp.errors import Code, ErpError
from connections.erp.records import Document, Idempotency, State
from syncing import claims
from syncing.claims import LEASE_SECONDS, POISON_AFTER, Claimed, Refused
from syncing.classifier import poisonous, text_for_customer
from syncing.engine import LONGEST_CALL_SECONDS, Results, Worker, contact, send, write_results
from syncing.references import speakable
from syncing.states import ItemState

logger = logging.getLogger(__name__)

Held = list[tuple[Claimed, Document]]


def recover_lost_items(worker: Worker) -> int:
    """Settle one chunk of documents whose outcome nobody wrote down. Returns how many it took up."""
    token = uuid.uuid4()
    lost = claims.take_over_lost(worker.connection.pk, token, worker.capabilities.settle)
    documents = [(item, Document.from_json(item.document or {})) for item in lost]
    if not documents:
        return 0
    logger.info(
        "Recovering items whose outcome is unknown.",
        extra={"connection": str(worker.connection.pk), "items": len(documents)},
    )
    deadline = time.monotonic() + LEASE_SECONDS - LONGEST_CALL_SECONDS
    if worker.capabilities.idempotency is Idempotency.NONE:
        _park(token, documents)
        return len(documents)
    if worker.capabilities.idempotency is Idempotency.LOOKUP or _is_poison(documents):
        documents = _look_up(worker, token, documents)
    documents = _without_poison(token, documents)
    if documents:
        write_results(worker, token, send(worker, documents, deadline=deadline))
    return len(lost)


def _park(token: uuid.UUID, documents: Held) -> None:
    why = "The answer was lost, and this ERP can neither enforce nor find our reference."
    claims.record_held(token, ItemState.REVIEW, [(item.id, why) for item, _ in documents])


def _look_up(worker: Worker, token: uuid.UUID, documents: Held) -> Held:
    """Adopt what the ERP holds already; return what it certainly does not hold."""
    results = Results()
    absent: Held = []
    for item, document in documents:
        try:
            found = worker.erp.find(document.ref)
        except ErpError as error:
            doubled = error.code is Code.REF_REUSED
            (results.mismatched if doubled else results.uncertain).append((item.id, error.title))
            continue
        if found is None or found.state is State.DRAFT:
            absent.append((item, document))  # a draft is finished by posting it again
        else:
            results.book(item, found)
    write_results(worker, token, results)
    return absent


def _is_poison(documents: Held) -> bool:
    return any(item.claims >= POISON_AFTER for item, _ in documents)


def _without_poison(token: uuid.UUID, documents: Held) -> Held:
    """Put aside what killed a worker each time it was sent (fault X21)."""
    poison = [item for item, _ in documents if item.claims >= POISON_AFTER]
    if poison:
        claims.record_refused(token, [_given_up(item) for item in poison])
    return [one for one in documents if one[0] not in poison]


def _given_up(item: Claimed) -> Refused:
    failure = poisonous(item.claims)
    text = text_for_customer(failure, reference=speakable(item.id), contact=contact())
    return Refused(item.id, failure, text)
