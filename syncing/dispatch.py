"""Send a chunk of documents to an ERP, as many calls at a time as it bears.

Only the caller's thread decides and remembers. The threads it starts do nothing but wait for the
ERP: they touch neither rows nor what is known of the chunk.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice

from connections.erp.errors import Code, ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import Capabilities, Document, Posted, State
from connections.mappings import MappingSet
from connections.models import Connection
from rampbridge.lib import failpoints
from syncing import stopping
from syncing.claims import Claimed
from syncing.classifier import SyncFailure, classify, is_unknown_outcome, reference_altered
from syncing.pace import Pace
from syncing.results import Uncertain

Held = tuple[Claimed, Document]
Batch = Sequence[Held]
Answers = Sequence[Posted | ErpError]
Call = tuple[Answers, int]
"""What a call brought, and the milliseconds it took."""

ASKS_FOR_LESS = frozenset({Code.RATE_LIMITED, Code.CONFLICT})
"""What an ERP says when too much reaches it at a time."""


@dataclass(frozen=True)
class Worker:
    """One connection in a worker's hands: whom to ask, and how to speak of it."""

    connection: Connection
    erp: ErpAdapter
    mappings: MappingSet
    jitter: Callable[[], float]
    pace: Pace = field(default_factory=Pace)
    is_trying: bool = False
    """The ERP's server has been silent: whether it answers now, others wait to hear (fault S8)."""

    _known: list[Capabilities] = field(default_factory=list, compare=False, repr=False)

    @property
    def capabilities(self) -> Capabilities:
        """What the ERP can do, asked once.

        :raises ErpError: if it had to be asked and does not answer; see `engine.can_work`
        """
        # No cached_property: in Python 3.11 its lock is one for all instances, so a single ERP that
        # hangs would stop every customer whose worker is a thread of this process (fault S8).
        if not self._known:
            self._known.append(self.erp.capabilities())
        return self._known[0]

    @property
    def calls(self) -> int:
        """Calls that may be under way at a time."""
        return self.pace.calls(self.capabilities.concurrency)


@dataclass(slots=True)
class Outcomes:
    """What came of one chunk."""

    posted: list[tuple[int, Posted]] = field(default_factory=list)
    refused: list[tuple[Claimed, SyncFailure]] = field(default_factory=list)
    uncertain: list[Uncertain] = field(default_factory=list)
    mismatched: list[tuple[int, str]] = field(default_factory=list)
    unsent: list[int] = field(default_factory=list)
    took: dict[int, int] = field(default_factory=dict)
    """Milliseconds of the call that told of an item; documents of one call share them."""
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


def send(worker: Worker, documents: Sequence[Held], *, deadline: float) -> Outcomes:
    """Ask the ERP to book the documents; the intent is committed. Never raises over its answers.

    It goes in batches of the size the ERP takes well. None starts after the deadline, once the ERP
    has said what stops all of them, or when this process is to end.
    """
    outcomes = Outcomes()
    size = max(1, worker.capabilities.batch)
    left = deque(documents[start : start + size] for start in range(0, len(documents), size))

    def may_go_on() -> bool:
        late = time.monotonic() > deadline
        return bool(left) and not (outcomes.stopped_by or late or stopping.is_asked())

    def batches() -> Iterator[Batch]:
        while may_go_on():
            yield left.popleft()

    crowded = False
    for batch, (answers, took) in _answers(worker, batches(), several=len(left) > 1):
        outcomes.took.update(dict.fromkeys((item.id for item, _ in batch), took))
        _take_in(worker, batch, answers, outcomes)
        crowded = crowded or any(_asks_for_less(answer) for answer in answers)
    outcomes.unsent += [item.id for batch in left for item, _ in batch]
    adapt = worker.pace.crowded if crowded else worker.pace.clean
    if outcomes.posted or crowded:  # silence says nothing of what it bears
        adapt(worker.capabilities.concurrency)
    return outcomes


def _answers(
    worker: Worker, batches: Iterator[Batch], *, several: bool
) -> Iterator[tuple[Batch, Call]]:
    """What the ERP answers each batch, as the answers come. A batch is drawn as its call starts."""
    at_a_time = worker.calls
    if at_a_time == 1 or not several:
        for batch in batches:
            yield batch, _call(worker.erp, batch)
        return
    under_way: dict[Future[Call], Batch] = {}
    with ThreadPoolExecutor(at_a_time, thread_name_prefix="erp") as threads:
        while True:
            for batch in islice(batches, at_a_time - len(under_way)):
                under_way[threads.submit(_call, worker.erp, batch)] = batch
            if not under_way:
                return
            done, _ = wait(under_way, return_when=FIRST_COMPLETED)
            for call in done:
                yield under_way.pop(call), call.result()


def _call(erp: ErpAdapter, batch: Batch) -> Call:
    failpoints.hit("before_erp_post")
    began = time.monotonic()
    try:
        answers: Answers = erp.post_many([document for _, document in batch])
    except ErpError as error:  # the call as a whole failed, so each of them did
        answers = [error] * len(batch)
    took = round(1000 * (time.monotonic() - began))
    failpoints.hit("after_erp_post")
    return answers, took


def _take_in(worker: Worker, batch: Batch, answers: Answers, outcomes: Outcomes) -> None:
    for (item, document), answer in zip(batch, answers, strict=True):
        if isinstance(answer, Posted):
            _take_in_posted(worker, item, document, answer, outcomes)
        elif answer.code is Code.REF_REUSED:
            outcomes.mismatched.append((item.id, answer.title))
        else:
            failure = _judged(worker, answer, document)
            if is_unknown_outcome(answer):
                outcomes.doubt(item, str(answer), failure if failure.stops_connection else None)
            else:
                outcomes.refuse(item, failure)


def _take_in_posted(
    worker: Worker, item: Claimed, document: Document, answer: Posted, outcomes: Outcomes
) -> None:
    if answer.ref == document.ref:
        outcomes.book(item, answer)
        return
    # Whoever looks for our reference will not find it: stop before there are more (fault X18).
    failure = reference_altered(worker.connection.erp_name, document.ref.full, answer.ref.full)
    outcomes.mismatched.append((item.id, f"{failure.title} It is {answer.number} there."))
    outcomes.stopped_by = failure


def _judged(worker: Worker, error: ErpError, document: Document) -> SyncFailure:
    return classify(
        error,
        erp_name=worker.connection.erp_name,
        posting_date=document.posting_date,
        kind=document.kind,
    )


def _asks_for_less(answer: Posted | ErpError) -> bool:
    return isinstance(answer, ErpError) and answer.code in ASKS_FOR_LESS
