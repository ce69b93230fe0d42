"""An ERP in this process whose line to us loses things: the adapter of all simulated customers.

It holds INV2 (never two documents under one reference), INV4 (they balance) and INV8 (no customer's
documents in another's books) at each entry, and that nothing pays a bill that is not there yet.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.adapters.in_memory_books import Books, Entry, demo_books
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import (
    DocKind,
    Document,
    Evidence,
    Idempotency,
    Master,
    MasterKind,
    Page,
    Posted,
    Ref,
)
from connections.erp.refusals import refusal
from tests.simulation.ledgers import KIND as KIND
from tests.simulation.ledgers import LONGEST_LATE, SETTLE_SECONDS, SUPPLIERS, TIME_LIMIT
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.processes import Killed, me
from tests.simulation.seeded.scheduler import Scheduler

WRITE_FAULTS = (
    "erp_lost_before",
    "erp_lost_after",
    "erp_lands_late",
    "erp_429",
    "erp_500",
    "erp_504",
    "erp_slow",
)
FAULTS = (*WRITE_FAULTS, "erp_lookup_lost")
PAGE_SIZE = 5
"""Records of a list that come at once."""
_LISTS_SUFFER = 0.15
"""So many times as often as posts: one page that is lost is the end of a whole reading."""


@dataclass
class Line:
    """What lies between us and all ERPs of a run."""

    scheduler: Scheduler
    book: Book
    trouble: float = 0.0
    """The share of calls that something happens to."""

    on_booked: Callable[[str, Ref], None] = lambda *_: None
    """Told the customer's slug and the reference of each document that is booked."""

    def drawn(self, kinds: Sequence[str], *, times: float = 1.0) -> str:
        """What happens to a call, so many times as often as to others; empty: nothing."""
        if self.scheduler.dice.random() >= self.trouble * times:
            return ""
        kind = self.scheduler.dice.choice(kinds)
        self.book.faults[kind] += 1
        return kind


class SimulatedErp(InMemoryErp):
    """One company's ERP; all processes share it, as all speak to the same one."""

    def __init__(self, line: Line, slug: str, tenant: str, idempotency: Idempotency) -> None:
        super().__init__(_CheckedBooks.open(line.book, tenant), idempotency=idempotency)
        self._line = line
        self._slug = slug
        self._capabilities = replace(
            self._capabilities,
            settle=SETTLE_SECONDS,
            batch=line.scheduler.dice.choice((1, 3)),
            concurrency=1,
            attachments=False,
        )

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        self._check_customer()
        scheduler, line = self._line.scheduler, self._line
        line.book.calls["erp_post"] += 1
        scheduler.pause("during_erp_post")
        fault = line.drawn(WRITE_FAULTS)
        began = scheduler.clock.seconds
        longest = 20.0 if fault == "erp_slow" else 0.5
        try:
            scheduler.wait(scheduler.dice.uniform(0.01, longest))
        except Killed:
            if scheduler.dice.random() < 0.5:  # it is on its way already
                later = scheduler.clock.seconds + scheduler.dice.uniform(0, LONGEST_LATE)
                scheduler.at(later, lambda: self._enter(docs))
            raise
        if fault == "erp_lost_before":
            self._time_out(began)
        if fault == "erp_lands_late":
            late = began + TIME_LIMIT + scheduler.dice.uniform(0, LONGEST_LATE)
            scheduler.at(late, lambda: self._enter(docs))
            self._time_out(began)
        if fault == "erp_429":
            raise _trouble(Code.RATE_LIMITED, Outcome.NOT_POSTED, "429")
        if fault == "erp_500":
            self._enter(docs[: scheduler.dice.randint(0, len(docs))])
            raise _trouble(Code.ERP_UNAVAILABLE, Outcome.UNKNOWN, "500")
        answers = self._enter(docs)
        if fault == "erp_lost_after":
            self._time_out(began)
        scheduler.pause("erp_sent")
        scheduler.wait(scheduler.dice.uniform(0.01, longest))
        if fault == "erp_504":
            raise _trouble(Code.ERP_UNAVAILABLE, Outcome.UNKNOWN, "504")
        return answers

    def post(self, doc: Document) -> Posted:
        (answer,) = self.post_many([doc])
        if isinstance(answer, ErpError):
            raise answer
        return answer

    def find(self, ref: Ref) -> Posted | None:
        self._check_customer()
        scheduler = self._line.scheduler
        self._line.book.calls["erp_find"] += 1
        scheduler.wait(scheduler.dice.uniform(0.01, 0.5))
        if self._line.drawn(("erp_lookup_lost",)):
            raise _trouble(Code.TIMEOUT, Outcome.UNKNOWN, "no answer")
        return super().find(ref)

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        """In pages of a few. A list may break off, and changes go on while it is read."""
        self._check_customer()
        for page in super().changes(kind, cursor):
            parts = [page.items[at : at + PAGE_SIZE] for at in range(0, len(page.items), PAGE_SIZE)]
            for number, items in enumerate(parts or [()], start=1):
                self._line.scheduler.wait(self._line.scheduler.dice.uniform(0.01, 0.5))
                if self._line.drawn(("erp_list_lost",), times=_LISTS_SUFFER):
                    raise _trouble(Code.TIMEOUT, Outcome.UNKNOWN, "no answer")
                yield replace(page, items=items, complete=number >= len(parts))

    def attach(self, ref: Ref, file: Evidence) -> str:
        self._check_customer()
        return super().attach(ref, file)

    def _enter(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        for doc in docs:
            self._line.on_booked(self._slug, doc.ref)
            self._check_bills(doc)
        return super().post_many(docs)

    def _check_bills(self, doc: Document) -> None:
        """Whether what is paid is there. These books would refuse it, but not all books do."""
        booked = {entry.doc.ref for entry in self.books.entries}
        for line in doc.lines if doc.kind is DocKind.BILL_PAYMENT else ():
            if line.applies_to not in booked and not line.applies_to_id:
                self._line.book.breaks("rule 10", f"{doc.ref.full} is paid before it is booked")

    def _time_out(self, began: float) -> NoReturn:
        scheduler = self._line.scheduler
        scheduler.wait(max(0.0, began + TIME_LIMIT - scheduler.clock.seconds))
        raise _trouble(Code.TIMEOUT, Outcome.UNKNOWN, "no answer")

    def _check_customer(self) -> None:
        process = me()
        if process is not None and process.customer != self._slug:
            whose = f"{process.customer or 'nobody'}'s work reached the ERP of {self._slug}"
            self._line.book.breaks("INV8", whose)


class _CheckedBooks(Books):
    """Books that tell of what should never be entered."""

    @classmethod
    def open(cls, book: Book, tenant: str) -> "_CheckedBooks":
        plain = demo_books()
        books = cls(masters=plain.masters, control_accounts=plain.control_accounts)
        for name in SUPPLIERS:
            books.put(Master(MasterKind.VENDOR, name, name))
        books.findings, books.tenant = book, tenant
        return books

    findings: Book
    tenant: str

    def _enter(self, doc: Document, reverses: str = "") -> Entry:
        known = {(one.doc.ref.ramp_id, one.doc.ref.kind) for one in self.entries}
        if (doc.ref.ramp_id, doc.ref.kind) in known and not reverses:
            self.findings.breaks("INV2", f"{doc.ref.full} is booked twice")
        if doc.ref.tenant.partition("~")[0] != self.tenant:
            self.findings.breaks("INV8", f"{doc.ref.full} is booked for {self.tenant}")
        if doc.kind is DocKind.JOURNAL and doc.total != 0:
            self.findings.breaks("INV4", f"{doc.ref.full} is unbalanced by {doc.total}")
        return super()._enter(doc, reverses)


def _trouble(code: Code, outcome: Outcome, said: str) -> ErpError:
    return refusal(code, erp="the ledger", outcome=outcome, erp_message=said)
