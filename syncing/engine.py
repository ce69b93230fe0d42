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
from datetime import timedelta
from functools import cached_property
from itertools import islice

from django.conf import settings
from django.db import transaction

from connections.erp.errors import Code, ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import Capabilities, Document, Idempotency, Posted, State
from connections.mappings import MappingSet, MissingMapping
from connections.models import Connection
from rampbridge.lib import failpoints
from rampbridge.lib.backoff import full_jitter
from syncing import circuit, claims, results, suspect
from syncing.cannot_post import CannotPost
from syncing.claims import CHUNK, LEASE_SECONDS, Claimed
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
from syncing.results import Refused, Uncertain
from syncing.states import ItemState

logger = logging.getLogger(__name__)

RETRY_BUDGET = 8
"""Posts of one content that may end in a transient refusal of this very item (R-74)."""
RECHECK_SECONDS = 30
"""How often to look whether a shared cause, such as a closed period, is gone."""
LONGEST_CALL_SECONDS = 56
"""Connect plus total time-out of the slowest adapter; no call starts later than that before the
lease ends (rule 4)."""
SOONEST_RECOVERY_SECONDS = 4
"""Between two looks at an item whose outcome is unknown, where the ERP needs no time to settle."""

Held = tuple[Claimed, Document]


@dataclass(slots=True)
class Outcomes:
    """What came of one chunk."""

    posted: list[tuple[int, Posted]] = field(default_factory=list)
    refused: list[tuple[Claimed, SyncFailure]] = field(default_factory=list)
    uncertain: list[Uncertain] = field(default_factory=list)
    mismatched: list[tuple[int, str]] = field(default_factory=list)
    unsent: list[int] = field(default_factory=list)
    stopped_by: SyncFailure | None = None
    """Why no other document would fare better now."""

    def book(self, item: Claimed, answer: Posted) -> None:
        """Take in what the ERP holds."""
        match answer.state:
            case State.PENDING:  # booked later, or not at all
                said = "The ERP has accepted it and not booked it yet."
                self.uncertain.append(Uncertain(item.id, said))
            case State.VOID:
                said = f"It was posted as {answer.number or answer.erp_id} and voided in the ERP."
                self.mismatched.append((item.id, said))
            case _:
                self.posted.append((item.id, answer))

    def doubt(self, item: Claimed, said: str, failure: SyncFailure | None) -> None:
        """Take in that nobody knows; `failure` is what stops the connection, if anything does."""
        self.uncertain.append(Uncertain(item.id, said, counts=failure is None))
        self.stopped_by = self.stopped_by or failure

    def refuse(self, item: Claimed, failure: SyncFailure) -> None:
        """Take in that the ERP definitely did not book it."""
        self.refused.append((item, failure))
        if failure.stops_connection:
            self.stopped_by = failure


@dataclass(frozen=True)
class Worker:
    """One connection in a worker's hands: whom to ask, and how to speak of it."""

    connection: Connection
    erp: ErpAdapter
    mappings: MappingSet
    jitter: Callable[[], float]

    @cached_property
    def capabilities(self) -> Capabilities:
        """What the ERP can do, asked once.

        :raises ErpError: if it had to be asked and does not answer; see `can_work`
        """
        return self.erp.capabilities()


def can_work(worker: Worker) -> bool:
    """Whether the ERP tells what it can do. If not, the circuit opens: nothing else would work."""
    try:
        _ = worker.capabilities
    except ErpError as error:
        failure = classify(error, erp_name=worker.connection.erp_name)
        circuit.erp_stopped(worker.connection, failure, jitter=worker.jitter())
        return False
    return True


def chunk_size(worker: Worker, *, is_probing: bool = False) -> int:
    """One at a time where a lost answer would need a person (class N), and to probe a sick ERP."""
    alone = worker.capabilities.idempotency is Idempotency.NONE
    return 1 if alone or is_probing else CHUNK


def post_due_items(worker: Worker, *, limit: int | None = None) -> int:
    """Post one chunk of what is due. Returns how many items it took up; 0 means nothing is due.

    :param limit: the most to take up; `chunk_size` if not given

    Items that make no document are put aside with the reason before anything is sent.
    """
    settle = worker.capabilities.settle  # may ask the ERP, so not while rows are locked
    token, deadline = uuid.uuid4(), latest_start()
    with transaction.atomic():
        claimed = claims.lock_ready(worker.connection.pk, limit or chunk_size(worker))
        documents, unfit = _translate(worker, claimed)
        if unfit:
            results.record_refused(None, [_refused(*one) for one in unfit])
        if documents:
            intents = [(item.id, document) for item, document in documents]
            claims.begin_posting(token, intents, settle)
            failpoints.hit("before_claim_commit")
    if documents:
        failpoints.hit("after_claim_commit")
        certain = [one for one in documents if not one[0].doubtful]
        outcomes = send(worker, certain, deadline=deadline)
        outcomes.uncertain += [
            Uncertain(item.id, suspect.WHY) for item, _ in documents if item.doubtful
        ]
        write_outcomes(worker, token, outcomes)
    return len(claimed)


def latest_start() -> float:
    """Until when, by the monotonic clock, a call may start under a lease that begins now."""
    return time.monotonic() + LEASE_SECONDS - LONGEST_CALL_SECONDS


def send(worker: Worker, documents: Sequence[Held], *, deadline: float) -> Outcomes:
    """Ask the ERP to book the documents; the intent is committed. Never raises over its answers.

    It goes in batches of the size the ERP takes well. None starts after the deadline, or once the
    ERP has said what stops all of them.
    """
    outcomes = Outcomes()
    left = iter(documents)
    while batch := list(islice(left, max(1, worker.capabilities.batch))):
        if outcomes.stopped_by or time.monotonic() > deadline:
            outcomes.unsent += [item.id for item, _ in batch]
        else:
            _send_batch(worker, batch, outcomes)
    return outcomes


def _send_batch(worker: Worker, batch: Sequence[Held], outcomes: Outcomes) -> None:
    answers: Sequence[Posted | ErpError]
    failpoints.hit("before_erp_post")
    try:
        answers = worker.erp.post_many([document for _, document in batch])
    except ErpError as error:  # the call as a whole failed, so each of them did
        answers = [error] * len(batch)
    failpoints.hit("after_erp_post")
    for (item, document), answer in zip(batch, answers, strict=True):
        if isinstance(answer, Posted):
            outcomes.book(item, answer)
        elif answer.code is Code.REF_REUSED:
            outcomes.mismatched.append((item.id, answer.title))
        else:
            failure = _judged(worker, answer, document)
            if is_unknown_outcome(answer):
                outcomes.doubt(item, str(answer), failure if failure.stops_connection else None)
            else:
                outcomes.refuse(item, failure)


def _judged(worker: Worker, error: ErpError, document: Document) -> SyncFailure:
    return classify(error, erp_name=worker.connection.erp_name, posting_date=document.posting_date)


def write_outcomes(worker: Worker, token: uuid.UUID, outcomes: Outcomes) -> None:
    """Commit what came of a chunk. Rows that are no longer ours are left alone."""
    if outcomes.posted:
        with transaction.atomic():
            results.record_posted(token, outcomes.posted)
            failpoints.hit("before_posted_commit")
        failpoints.hit("after_posted_commit")
    resume = _stop(worker, outcomes)
    if outcomes.uncertain:
        settle = worker.capabilities.settle
        recheck = max(settle, SOONEST_RECOVERY_SECONDS)
        results.record_uncertain(token, outcomes.uncertain, settle, recheck_seconds=recheck)
    if outcomes.mismatched:
        results.record_held(token, ItemState.MISMATCH, outcomes.mismatched)
    if outcomes.unsent:
        results.give_back(token, outcomes.unsent)
    if outcomes.refused:
        _write_refusals(worker, token, outcomes.refused, resume)


def _stop(worker: Worker, outcomes: Outcomes) -> float:
    """Open the circuit if the ERP as a whole is the trouble. Returns the seconds to wait."""
    failure = outcomes.stopped_by
    refuses = any(why.stops_connection for _, why in outcomes.refused)
    if failure is None or (outcomes.posted and not refuses):
        return 0.0  # it books; a lost answer among many says nothing of the others
    return circuit.erp_stopped(worker.connection, failure, jitter=worker.jitter())


def _write_refusals(
    worker: Worker,
    token: uuid.UUID,
    refusals: Sequence[tuple[Claimed, SyncFailure]],
    resume: float,
) -> None:
    final, retried, waiting = [], [], []
    for item, failure in refusals:
        if failure.stops_connection:
            waiting.append(Refused(item.id, failure, "", resume))
        elif _may_retry(item, failure):
            retried.append(_retry(worker, item, failure))
        else:
            final.append(_refused(item, failure))
    if final:
        results.record_refused(token, final)
    if retried:
        results.record_retry(token, retried, counts=True)
    if waiting:
        results.record_retry(token, waiting, counts=False)


def contact() -> str:
    """Where customers turn to, as the texts in Ramp name it."""
    return str(settings.SUPPORT_CONTACT)


def _may_retry(item: Claimed, failure: SyncFailure) -> bool:
    return failure.category is ErrorCategory.TRANSIENT and item.attempts < RETRY_BUDGET


def _retry(worker: Worker, item: Claimed, failure: SyncFailure) -> Refused:
    wait = full_jitter(
        item.attempts,
        base=timedelta(seconds=4),
        ceiling=timedelta(minutes=30),
        minimum=timedelta(seconds=failure.retry_after or 1),
        jitter=worker.jitter(),
    )
    return Refused(item.id, failure, "", wait.total_seconds())


def _refused(item: Claimed, failure: SyncFailure) -> Refused:
    if failure.category is ErrorCategory.TRANSIENT:
        failure = attempts_spent(failure, item.attempts)
    return for_person(item.id, failure, recheck=bool(failure.blocked_by))


def for_person(item_id: int, failure: SyncFailure, *, recheck: bool = False) -> Refused:
    """A refusal with the words that the customer reads in Ramp."""
    text = text_for_customer(failure, reference=speakable(item_id), contact=contact())
    return Refused(item_id, failure, text, RECHECK_SECONDS if recheck else None)


def _translate(
    worker: Worker, claimed: Sequence[Claimed]
) -> tuple[list[Held], list[tuple[Claimed, SyncFailure]]]:
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
