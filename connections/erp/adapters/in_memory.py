"""The adapter `ledger`: an ERP in memory, with faults on order, for tests and simulation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Self

from connections.erp.adapters.in_memory_books import ERP, Books, Entry, demo_books
from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.ledger_audit import LedgerEntry
from connections.erp.port import Health
from connections.erp.records import (
    Capabilities,
    DocKind,
    Document,
    Evidence,
    Idempotency,
    Master,
    MasterKind,
    Page,
    Posted,
    Ref,
    State,
    Vendor,
)
from connections.erp.refusals import refusal
from connections.erp.rights import Rights
from connections.erp.search import MOST_FOUND, FoundDocument, Likeness

PAGE_SIZE = 100
LARGEST_FILE = 20 * 1024 * 1024
WHAT_POSTING_TAKES = ("post journal entries", "enter bills", "pay bills", "create vendors")


@dataclass
class Faults:
    """What is to go wrong. Counters run down by one per document."""

    refuse_with: ErpError | None = None
    """Every write, batch and look-up is refused with this, until it is set to None."""
    refuse: dict[str, ErpError] = field(default_factory=dict)
    """Refusals for single documents, by Ramp id, and for single files, by source."""
    lose_answers: int = 0
    """The next documents are booked, but their answer is lost."""
    lose_requests: int = 0
    """The next documents never reach the ERP; the caller sees the same as for a lost answer."""
    land_late: int = 0
    """The next documents look lost and are booked when `InMemoryErp.land` is called."""
    lose_attach_answers: int = 0
    """The next files are attached, but the answer is lost."""
    break_off_after: int | None = None
    """Lists of reference data break off after so many pages."""
    may_not: set[str] = field(default_factory=set)
    """Rights that the login lacks, of `WHAT_POSTING_TAKES`."""
    login_of: str = ""
    """The person whose login it is."""


class InMemoryErp:
    """An `ErpAdapter` over `Books`; attributes and methods beyond the port are for tests."""

    def __init__(
        self,
        books: Books | None = None,
        *,
        idempotency: Idempotency = Idempotency.UNIQUE_KEY,
        settle: float = 0,
        replay_window: float = 60,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        unique = idempotency == Idempotency.UNIQUE_KEY
        self.books = books if books is not None else demo_books(unique_refs=unique)
        self.books.unique_refs = unique
        self.faults = Faults()
        self.calls: list[str] = []
        """Names of the port methods called, in order."""
        self._capabilities = Capabilities(
            documents=frozenset(DocKind),
            idempotency=idempotency,
            replay_window=replay_window if idempotency == Idempotency.REPLAY_KEY else 0,
            settle=settle,
            delta=frozenset(MasterKind),
            batch=25,
            concurrency=4,
            ref_limit=200,
            shows_closed_until=True,
            attachments=True,
            largest_attachment=LARGEST_FILE,
        )
        self.periods: list[date] = []
        """First days, if it has periods."""
        self._monotonic = monotonic
        self._answers: dict[str, tuple[float, Posted]] = {}
        self._late: list[Document] = []

    # -- the port

    def capabilities(self) -> Capabilities:
        return self._capabilities

    def health(self) -> Health:
        return Health(
            ok=self.faults.refuse_with is None,
            company="Ledger",
            closed_until=self.books.closed_until,
            problem=self.faults.refuse_with,
        )

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        self._begin("changes")
        items, version = self.books.changed_since(kind, int(cursor or 0))
        for number, start in enumerate(range(0, max(len(items), 1), PAGE_SIZE)):
            if number == self.faults.break_off_after:
                raise refusal(Code.ERP_UNAVAILABLE, erp=ERP)
            yield Page(
                items=items[start : start + PAGE_SIZE],
                cursor=str(version),
                complete=start + PAGE_SIZE >= len(items),
                snapshot=cursor is None,
            )

    def upsert_vendor(self, vendor: Vendor) -> Master:
        self._begin("upsert_vendor")
        with self.books.lock:
            for master in self.books.masters.values():
                if master.kind == MasterKind.VENDOR and master.extra.get("ref") == vendor.ref:
                    return master
            return self.books.put(
                Master(
                    MasterKind.VENDOR,
                    f"V{len(self.books.masters) + 1}",
                    vendor.name,
                    currency=vendor.currency,
                    extra={"ref": vendor.ref},
                )
            )

    def check(self, doc: Document) -> Sequence[ErpError]:
        self._begin("check")
        return list(self.books.problems(doc))

    def post(self, doc: Document) -> Posted:
        self._begin("post")
        return self._post(doc)

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        self._begin("post_many")
        answers: list[Posted | ErpError] = []
        for doc in docs:
            try:
                answers.append(self._post(doc))
            except ErpError as error:
                answers.append(error)
        return answers

    def find(self, ref: Ref) -> Posted | None:
        self._begin("find")
        if self._capabilities.idempotency == Idempotency.NONE:
            raise refusal(
                Code.REJECTED_PAYLOAD, erp=ERP, what=": it cannot be searched by reference"
            )
        found = self.books.under(ref)
        if len(found) > 1:
            ids = " and ".join(entry.id for entry in found)
            raise refusal(Code.REF_REUSED, erp=ERP, what=f": documents {ids}")
        return _posted(found[0], fresh=False) if found else None

    def void(self, ref: Ref, on: date, reason: str) -> Posted:
        self._begin("void")
        found = self.books.under(ref)
        if not found:
            raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=f": no document carries {ref.full}")
        self.books.reverse(found[0], on, reason)
        return _posted(self.books.under(ref)[0], fresh=False)

    def attach(self, ref: Ref, file: Evidence) -> str:
        self._begin("attach")
        with self.books.lock:
            if not self.books.under(ref):
                raise refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=f": nothing carries {ref.full}")
            if file.source in self.faults.refuse:
                raise self.faults.refuse[file.source]
            attached = self.books.attach(ref, file)
            if self.faults.lose_attach_answers:
                self.faults.lose_attach_answers -= 1
                raise _lost()
            return attached

    # -- beyond the port

    def ledger_entries(
        self,
        prefix: str,  # noqa: ARG002  all is ours
        *,
        since: datetime | None = None,  # noqa: ARG002  the books keep no time of entry
    ) -> Sequence[LedgerEntry]:
        """See `connections.erp.ledger_audit.AuditableErp`."""
        self._begin("ledger_entries")
        return [_ledger_entry(entry) for entry in self.books.entries]

    def entries_under(self, refs: Collection[str]) -> Sequence[LedgerEntry]:
        """See `connections.erp.ledger_audit.AuditableErp`."""
        self._begin("entries_under")
        wanted = set(refs)
        found = [_ledger_entry(entry) for entry in self.books.entries]
        return [entry for entry in found if entry.ref in wanted or entry.reverses in wanted]

    def documents_numbered(self, kind: DocKind, number: str) -> Sequence[FoundDocument]:
        """See `connections.erp.search.SearchableErp`."""
        self._begin("documents_numbered")
        return [
            one
            for one in self._documents(kind)
            if number in (one.number, one.erp_id, one.supplier_number) and number
        ][:MOST_FOUND]

    def documents_like(self, likeness: Likeness) -> Sequence[FoundDocument]:
        """See `connections.erp.search.SearchableErp`."""
        self._begin("documents_like")
        return [one for one in self._documents(likeness.kind) if _is_like(one, likeness)][
            :MOST_FOUND
        ]

    def rights(self) -> Rights:
        """See `connections.erp.rights.TellsRights`."""
        self._begin("rights")
        may = {what: what not in self.faults.may_not for what in WHAT_POSTING_TAKES}
        return Rights(login="rampbridge", may=may, person=self.faults.login_of)

    def period_starts(self) -> Sequence[date]:
        """See `connections.erp.periods.TellsPeriods`."""
        self._begin("period_starts")
        return self.periods

    def _documents(self, kind: DocKind) -> list[FoundDocument]:
        """The newest first, as a person looks."""
        vendors = {key: one.name for (of, key), one in self.books.masters.items() if of == "vendor"}
        entries = [one for one in self.books.entries if one.doc.kind == kind and not one.reverses]
        return [_found(one, vendors) for one in reversed(entries)]

    # -- faults

    def land(self) -> None:
        """Let the requests arrive that `Faults.land_late` held back."""
        late, self._late = self._late, []
        for doc in late:
            self._book(doc)

    def _begin(self, call: str) -> None:
        self.calls.append(call)
        if self.faults.refuse_with is not None:
            raise self.faults.refuse_with

    def _post(self, doc: Document) -> Posted:
        with self.books.lock:
            if doc.ref.ramp_id in self.faults.refuse:
                raise self.faults.refuse[doc.ref.ramp_id]
            if self.faults.lose_requests:
                self.faults.lose_requests -= 1
                raise _lost()
            if self.faults.land_late:
                self.faults.land_late -= 1
                self._late.append(doc)
                raise _lost()
            posted = self._book(doc)
            if self.faults.lose_answers:
                self.faults.lose_answers -= 1
                raise _lost()
            return posted

    def _book(self, doc: Document) -> Posted:
        with self.books.lock:
            match self._capabilities.idempotency:
                case Idempotency.UNIQUE_KEY:
                    known = self._already_booked(doc)
                case Idempotency.REPLAY_KEY:
                    known = self._remembered(doc)
                case Idempotency.LOOKUP | Idempotency.NONE:
                    known = None
            if known is not None:
                return known
            posted = _posted(self.books.book(doc))
            self._answers[doc.ref.full] = (self._monotonic(), posted)
            return posted

    def _already_booked(self, doc: Document) -> Posted | None:
        for entry in self.books.under(doc.ref):
            if entry.doc.fingerprint != doc.fingerprint:
                raise refusal(Code.REF_REUSED, erp=ERP, what=f": document {entry.number}")
            return _posted(entry, fresh=False)
        return None

    def _remembered(self, doc: Document) -> Posted | None:
        answered_at, posted = self._answers.get(doc.ref.full, (0.0, None))
        age = self._monotonic() - answered_at
        return posted if age <= self._capabilities.replay_window else None

    # -- instances by name

    @classmethod
    def named(cls, settings: Mapping[str, str]) -> Self:
        """The instance called `settings["name"]`, made on first use; every thread gets the same."""
        with _named_lock:
            name = settings["name"]
            if name not in _named:
                idempotency = Idempotency(settings.get("idempotency", Idempotency.UNIQUE_KEY))
                _named[name] = cls(
                    idempotency=idempotency, settle=float(settings.get("settle", "0"))
                )
            erp = _named[name]
            assert isinstance(erp, cls)
            return erp


_named: dict[str, InMemoryErp] = {}
_named_lock = threading.Lock()


def forget_named() -> None:
    """Drop all instances that `InMemoryErp.named` has made: tests start clean."""
    with _named_lock:
        _named.clear()


def _lost() -> ErpError:
    return refusal(Code.TIMEOUT, erp=ERP, outcome=Outcome.UNKNOWN)


def _posted(entry: Entry, *, fresh: bool = True) -> Posted:
    doc = entry.doc
    debits = sum((line.amount for line in doc.lines if line.amount > 0), Decimal(0))
    return Posted(
        ref=doc.ref,
        erp_id=entry.id,
        number=entry.number if entry.state != State.DRAFT else "",
        state=entry.state,
        fresh=fresh,
        total=debits if doc.kind == DocKind.JOURNAL else doc.gross,
        kind=doc.kind,
    )


def _is_like(one: FoundDocument, likeness: Likeness) -> bool:
    if likeness.party_id and one.party_id != likeness.party_id:
        return False
    if likeness.supplier_number and one.supplier_number == likeness.supplier_number:
        return True
    assert one.posting_date is not None  # the books enter nothing without a day
    is_near = abs(one.posting_date - likeness.around) <= likeness.within
    return is_near and (one.total, one.currency) == (likeness.amount, likeness.currency)


def _found(entry: Entry, vendors: Mapping[str, str]) -> FoundDocument:
    doc = entry.doc
    debits = sum((line.amount for line in doc.lines if line.amount > 0), Decimal(0))
    return FoundDocument(
        kind=doc.kind,
        erp_id=entry.id,
        number=entry.number if entry.state != State.DRAFT else "",
        posting_date=doc.posting_date,
        total=debits if doc.kind == DocKind.JOURNAL else doc.gross,
        currency=doc.currency,
        state=entry.state,
        party=vendors.get(doc.party, ""),
        party_id=doc.party,
        supplier_number=doc.number,
        ref=doc.ref.full if doc.ref.tenant else "",
        memo=doc.memo,
    )


def _ledger_entry(entry: Entry) -> LedgerEntry:
    """The books add the other side of a bill or a payment themselves; a journal states both."""
    doc = entry.doc
    debit = sum((line.amount for line in doc.lines if line.amount > 0), Decimal(0))
    credit = -sum((line.amount for line in doc.lines if line.amount < 0), Decimal(0))
    if doc.kind != DocKind.JOURNAL:
        debit = credit = max(debit, credit)
    return LedgerEntry(
        ref="" if entry.reverses else doc.ref.full,
        erp_id=entry.id,
        number=entry.number,
        state=entry.state,
        debit=debit,
        credit=credit,
        total=debit,
        currency=doc.currency,
        amounts=frozenset(abs(line.amount) for line in doc.lines),
        reverses=doc.ref.full if entry.reverses else "",
    )
