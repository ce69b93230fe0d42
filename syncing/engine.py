"""Post what is due of one connection: claim, translate, send, write what came of it.

    lock due items -> make documents -> commit the intent -> [ERP] -> commit the results

Nothing is locked and no transaction is open during the call. A worker that dies at any point leaves
rows that `syncing.recovery` can finish.
"""

import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction

from connections.erp.errors import Code, ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import Capabilities, Document, Idempotency, Posted, State
from connections.mappings import MappingSet, MissingMapping
from connections.models import Connection
from rampbridge.lib.backoff import full_jitter
from syncing import claims, schedule
from syncing.cannot_post import CannotPost
from syncing.claims import CHUNK, LEASE_SECONDS, Claimed, Refused
from syncing.classifier import (
    ErrorCategory,
    SyncFailure,
    attempts_spent,
    classify,
    is_unknown_outcome,
    text_for_customer,
    unexpected,
)
from syncing.posting import document_for
from syncing.references import speakable
from syncing.states import ItemState

logger = logging.getLogger(__name__)

RETRY_BUDGET = 8
"""Posts of one content that may end in a transient refusal of this very item (R-74)."""
RECHECK_SECONDS = 30
"""How often to look whether a shared cause, such as a closed period, is gone."""
LONGEST_CALL_SECONDS = 36
"""Connect plus total time-out of the slowest adapter; no call starts later than that before the
lease ends (reliability rule 4)."""


@dataclass(slots=True)
class Results:
    """What came of one chunk."""

    posted: list[tuple[int, Posted]] = field(default_factory=list)
    refused: list[tuple[Claimed, SyncFailure]] = field(default_factory=list)
    uncertain: list[tuple[int, str]] = field(default_factory=list)
    mismatched: list[tuple[int, str]] = field(default_factory=list)
    unsent: list[int] = field(default_factory=list)

    def book(self, item: Claimed, answer: Posted) -> None:
        """Take an answer in; one that the ERP has accepted but not booked yet stays uncertain."""
        if answer.state is State.PENDING:
            self.uncertain.append((item.id, "The ERP has accepted it and not booked it yet."))
        else:
            self.posted.append((item.id, answer))


@dataclass(frozen=True, slots=True)
class Worker:
    """One connection in a worker's hands: whom to ask, and how to speak of it."""

    connection: Connection
    erp: ErpAdapter
    mappings: MappingSet
    now: datetime
    jitter: Callable[[], float]

    @property
    def capabilities(self) -> Capabilities:
        return self.erp.capabilities()


def post_due_items(worker: Worker, *, limit: int = CHUNK) -> int:
    """Post one chunk of what is due. Returns how many items it took up; 0 means nothing is due.

    Items that make no document are put aside with the reason before anything is sent.
    """
    token = uuid.uuid4()
    with transaction.atomic():
        claimed = claims.lock_ready(worker.connection.pk, _chunk_size(worker, limit))
        documents, unfit = _translate(worker, claimed)
        if unfit:
            claims.record_refused(None, [_refused(worker, *one) for one in unfit])
        if documents:
            claims.begin_posting(
                token,
                [(item.id, document) for item, document in documents],
                worker.capabilities.settle,
            )
    if documents:
        deadline = time.monotonic() + LEASE_SECONDS - LONGEST_CALL_SECONDS
        write_results(worker, token, send(worker, documents, deadline=deadline))
    return len(claimed)


def send(
    worker: Worker, documents: Sequence[tuple[Claimed, Document]], *, deadline: float
) -> Results:
    """Ask the ERP to book the documents; the intent is committed. Never raises for an ERP's answer."""
    if time.monotonic() > deadline:
        return Results(unsent=[item.id for item, _ in documents])
    answers: Sequence[Posted | ErpError]
    try:
        answers = worker.erp.post_many([document for _, document in documents])
    except ErpError as error:  # the call as a whole failed, so each of them did
        answers = [error] * len(documents)
    results = Results()
    for (item, _), answer in zip(documents, answers, strict=True):
        if isinstance(answer, Posted):
            results.book(item, answer)
        elif answer.code is Code.REF_REUSED:
            results.mismatched.append((item.id, answer.title))
        elif is_unknown_outcome(answer):
            results.uncertain.append((item.id, str(answer)))
        else:
            failure = classify(answer, erp_name=worker.connection.erp_name)
            results.refused.append((item, failure))
    return results


def write_results(worker: Worker, token: uuid.UUID, results: Results) -> None:
    """Commit what came of a chunk. Rows that are no longer ours are left alone."""
    if results.posted:
        claims.record_posted(token, results.posted)
        schedule.erp_answered(worker.connection)
    if results.uncertain:
        settle = worker.capabilities.settle
        claims.record_uncertain(token, results.uncertain, settle, recheck_seconds=settle)
    if results.mismatched:
        claims.record_held(token, ItemState.MISMATCH, results.mismatched)
    if results.unsent:
        claims.give_back(token, results.unsent)
    if results.refused:
        _write_refusals(worker, token, results.refused)


def _write_refusals(
    worker: Worker, token: uuid.UUID, refusals: Sequence[tuple[Claimed, SyncFailure]]
) -> None:
    stops = [one for one in refusals if one[1].stops_connection]
    transient = [one for one in refusals if _is_retry(one)]
    final = [one for one in refusals if one not in stops and one not in transient]
    if final:
        claims.record_refused(token, [_refused(worker, *one) for one in final])
    if transient:
        claims.record_retry(token, [_retry(worker, *one) for one in transient], counts=True)
    if stops:
        failure = stops[0][1]
        resume = schedule.erp_stopped(worker.connection, failure, jitter=worker.jitter())
        waiting = [Refused(item.id, why, "", resume) for item, why in stops]
        claims.record_retry(token, waiting, counts=False)


def contact() -> str:
    """Where customers turn to, as the texts in Ramp name it."""
    return str(settings.SUPPORT_CONTACT)


def _is_retry(refusal: tuple[Claimed, SyncFailure]) -> bool:
    item, failure = refusal
    return (
        failure.category is ErrorCategory.TRANSIENT
        and not failure.stops_connection
        and item.attempts + 1 < RETRY_BUDGET
    )


def _retry(worker: Worker, item: Claimed, failure: SyncFailure) -> Refused:
    wait = full_jitter(
        item.attempts + 1,
        base=timedelta(seconds=4),
        ceiling=timedelta(minutes=30),
        minimum=timedelta(seconds=failure.retry_after or 1),
        jitter=worker.jitter(),
    )
    return Refused(item.id, failure, "", wait.total_seconds())


def _refused(worker: Worker, item: Claimed, failure: SyncFailure) -> Refused:
    if failure.category is ErrorCategory.TRANSIENT:
        failure = attempts_spent(failure, item.attempts + 1)
    text = text_for_customer(failure, reference=speakable(item.id), contact=contact())
    return Refused(item.id, failure, text, RECHECK_SECONDS if failure.blocked_by else None)


def _translate(
    worker: Worker, claimed: Sequence[Claimed]
) -> tuple[list[tuple[Claimed, Document]], list[tuple[Claimed, SyncFailure]]]:
    documents, unfit = [], []
    for item in claimed:
        outcome = make_document(worker, item)
        if isinstance(outcome, Document):
            documents.append((item, outcome))
        else:
            unfit.append((item, outcome))
    return documents, unfit


def make_document(worker: Worker, item: Claimed) -> Document | SyncFailure:
    """The document an item makes with today's mappings, or the judgement why it makes none."""
    try:
        return document_for(
            item.object_type,
            item.body,
            mappings=worker.mappings,
            tenant=str(worker.connection.ramp_business_id),
        )
    except (CannotPost, MissingMapping) as error:
        return classify(error, erp_name=worker.connection.erp_name)
    except Exception as error:
        logger.exception("An item could not be turned into a document.", extra={"item": item.id})
        return unexpected(error)


def _chunk_size(worker: Worker, limit: int) -> int:
    """One at a time where a lost answer would need a person (class N), and to probe a sick ERP."""
    if worker.capabilities.idempotency is Idempotency.NONE or schedule.is_probing(
        worker.connection
    ):
        return 1
    return limit
