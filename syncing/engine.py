"""Post what is due of one connection: claim, translate, send, write what came of it.

    lock due items -> make documents -> commit the intent -> [ERP] -> commit the results

Nothing is locked and no transaction is open during the call. A worker that dies at any point leaves
rows that `syncing.recovery` can finish.
"""

import logging
import math
import time
import uuid
from collections.abc import Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from connections.erp.errors import Code, ErpError
from connections.erp.records import Idempotency
from rampbridge.lib import failpoints
from rampbridge.lib.backoff import full_jitter
from syncing import (
    billing,
    card_bills,
    circuit,
    claims,
    pauses,
    planning,
    results,
    rulings,
    silent_hosts,
    suspect,
)
from syncing.claims import CHUNK, LEASE_SECONDS, Claimed
from syncing.classifier import (
    ErrorCategory,
    SyncFailure,
    attempts_spent,
    classify,
    reference_too_short,
    text_for_customer,
)
from syncing.dispatch import Outcomes, Worker, send
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
SHORTEST_REFERENCE = 16
"""Characters of our reference that an ERP must keep; fewer are no longer unique (fault X18)."""


def can_work(worker: Worker) -> bool:
    """Whether the ERP tells what it can do, and it is enough. If not, the circuit opens.

    Nothing is claimed then: no item would fare better (faults X17, X18).
    """
    try:
        capabilities = worker.capabilities
    except ErpError as error:
        failure = classify(error, erp_name=worker.connection.erp_name)
    else:
        if capabilities.ref_limit >= SHORTEST_REFERENCE:
            return True
        failure = reference_too_short(
            worker.connection.erp_name, capabilities.ref_limit, SHORTEST_REFERENCE
        )
    circuit.erp_stopped(worker.connection, failure, jitter=worker.jitter())
    return False


def chunk_size(worker: Worker, *, is_probing: bool = False, seconds: float | None = None) -> int:
    """How many items to take up together.

    One where a lost answer would need a person (class N), and to probe a sick ERP. Else as many as
    fill whole rounds of calls, and no more than the ERP has lately taken in `seconds`.
    """
    if worker.capabilities.idempotency is Idempotency.NONE or is_probing:
        return 1
    size = CHUNK
    if seconds is not None and worker.pace.per_second is not None:
        size = min(size, max(1, math.ceil(worker.pace.per_second * seconds)))
    one_round = worker.calls * max(1, worker.capabilities.batch)
    return size - size % one_round if one_round < size else size


def post_due_items(
    worker: Worker, *, limit: int | None = None, canary_of: str | None = None
) -> int:
    """Post one chunk of what is due. Returns how many items it took up; 0 means nothing is due.

    :param limit: the most to take up; `chunk_size` if not given
    :param canary_of: a paused type, of which `limit` items are let through

    Items that make no document, or none now, are put aside with the reason before anything is sent.
    """
    settle = worker.capabilities.settle  # may ask the ERP, so not while rows are locked
    token, deadline, began = uuid.uuid4(), latest_start(), time.monotonic()
    with transaction.atomic():
        claimed = claims.lock_ready(
            worker.connection.pk, limit or chunk_size(worker), canary_of=canary_of
        )
        plan = planning.planned(worker, claimed)
        _put_aside(plan)
        documents = plan.documents
        if documents:
            intents = [(item.id, document) for item, document in documents]
            claims.begin_posting(token, intents, settle)
            failpoints.hit("before_claim_commit")
    if plan.confirmed:
        card_bills.find_twice(worker.connection)
    if documents:
        failpoints.hit("after_claim_commit")
        certain = [one for one in documents if not one[0].doubtful]
        asked_for = [one.seconds_left for one in claimed if one.seconds_left is not None]
        deadline = min([deadline, *(began + left for left in asked_for)])
        outcomes = send(worker, certain, deadline=deadline)
        write_outcomes(worker, token, outcomes)
        if doubtful := [Uncertain(item.id, suspect.WHY) for item, _ in documents if item.doubtful]:
            # Whoever claimed them before that was forgotten may still have time to send them.
            wait = LEASE_SECONDS + settle
            results.record_uncertain(token, doubtful, wait, recheck_seconds=wait)
        worker.pace.booked(len(outcomes.posted), time.monotonic() - began)
    return len(claimed)


def post_canary(worker: Worker) -> int:
    """Let one item of a paused type through, if it is time to. Returns how many it took up."""
    paused = pauses.take_canary(worker.connection.pk, fresh_seconds=claims.FRESH_SECONDS)
    return post_due_items(worker, limit=1, canary_of=paused) if paused else 0


def latest_start() -> float:
    """Until when, by the monotonic clock, a call may start under a lease that begins now."""
    return time.monotonic() + LEASE_SECONDS - LONGEST_CALL_SECONDS


def write_outcomes(worker: Worker, token: uuid.UUID, outcomes: Outcomes) -> None:
    """Commit what came of a chunk. Rows that are no longer ours are left alone."""
    has_answered = outcomes.posted or (outcomes.took and outcomes.stopped_by is None)
    if worker.is_trying and has_answered:
        silent_hosts.answered(worker.connection.pk)
    if outcomes.posted:
        with transaction.atomic():
            results.record_posted(token, outcomes.posted, outcomes.took)
            failpoints.hit("before_posted_commit")
        failpoints.hit("after_posted_commit")
    resume = _stop(worker, outcomes)
    if outcomes.uncertain:
        settle = worker.capabilities.settle
        recheck = max(settle, SOONEST_RECOVERY_SECONDS)
        results.record_uncertain(
            token, outcomes.uncertain, settle, recheck_seconds=recheck, took=outcomes.took
        )
    if outcomes.mismatched:
        results.record_held(token, ItemState.MISMATCH, outcomes.mismatched)
    if outcomes.unsent:
        results.give_back(token, outcomes.unsent)
    if outcomes.refused:
        _write_refusals(worker, token, outcomes, resume)


def _stop(worker: Worker, outcomes: Outcomes) -> float:
    """Open the circuit if the ERP as a whole is the trouble. Returns the seconds to wait."""
    failure = outcomes.stopped_by
    refuses = any(why.stops_connection for _, why in outcomes.refused)
    if failure is None or (outcomes.posted and not refuses):
        return 0.0  # it books; a lost answer among many says nothing of the others
    return circuit.erp_stopped(worker.connection, failure, jitter=worker.jitter())


def _write_refusals(worker: Worker, token: uuid.UUID, outcomes: Outcomes, resume: float) -> None:
    final, retried, waiting, early = [], [], [], []
    ruled = rulings.follow([failure for _, failure in outcomes.refused])
    for (item, _), failure in zip(outcomes.refused, ruled, strict=True):
        if failure.stops_connection:
            waiting.append(Refused(item.id, failure, "", resume))
        elif failure.code == BILL_NOT_POSTED:
            early.append((item, failure))
        elif _may_retry(item, failure):
            retried.append(_retry(worker, item, failure))
        else:
            final.append(_given_up(item, failure))
    if early:
        late, lost = _let_wait(worker, token, early)
        retried, final = retried + late, final + lost
    if final:
        results.record_refused(token, for_people(final), outcomes.took)
    if retried:
        results.record_retry(token, retried, counts=True, took=outcomes.took)
    if waiting:
        results.record_retry(token, waiting, counts=False, took=outcomes.took)


BILL_NOT_POSTED = f"erp.{Code.BILL_NOT_POSTED}"


def _let_wait(
    worker: Worker, token: uuid.UUID, early: Sequence[tuple[Claimed, SyncFailure]]
) -> tuple[list[Refused], list[tuple[int, SyncFailure]]]:
    """Let payments wait whose bill the ERP does not have, if it is still to come.

    Returns those to try again, for a bill just posted may be a moment late, and those for a person:
    what another system put there, the ERP does not know.
    """
    waiting, retried, final = [], [], []
    with transaction.atomic():
        claims.lock([item.id for item, _ in early])
        bills = billing.bills_of(worker.connection.pk, [item for item, _ in early])
        for item, failure in early:
            bill = bills.get(item.ramp_id)
            if (wait := billing.awaits(item, bill)) is not None:
                waiting.append((item.id, wait.cause, wait.words))
            elif bill is not None and bill.is_booked and _may_retry(item, failure):
                retried.append(_retry(worker, item, failure))
            else:
                final.append(_given_up(item, failure))
        if waiting:
            results.record_waiting(token, waiting)
    return retried, final


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


def _given_up(item: Claimed, failure: SyncFailure) -> tuple[int, SyncFailure]:
    if failure.category is ErrorCategory.TRANSIENT:
        failure = attempts_spent(failure, item.attempts)
    return item.id, failure


def for_people(
    refusals: Sequence[tuple[int, SyncFailure]], *, recheck: bool = True
) -> list[Refused]:
    """What somebody must act upon, as people have ruled it, in the words that customers read.

    :param recheck: look by ourselves whether a shared cause is gone
    """
    ruled = rulings.follow([failure for _, failure in refusals])
    return [
        for_person(item_id, failure, recheck=recheck and bool(failure.blocked_by))
        for (item_id, _), failure in zip(refusals, ruled, strict=True)
    ]


def for_person(item_id: int, failure: SyncFailure, *, recheck: bool = False) -> Refused:
    """A refusal with the words that the customer reads in Ramp."""
    text = text_for_customer(failure, reference=speakable(item_id), contact=contact())
    return Refused(item_id, failure, text, RECHECK_SECONDS if recheck else None)


def _put_aside(plan: planning.Plan) -> None:
    if plan.unfit:
        results.record_refused(None, for_people([_given_up(*one) for one in plan.unfit]))
    if plan.waiting:
        results.record_waiting(None, plan.waiting)
    if plan.confirmed:
        results.record_confirmed(plan.confirmed)
