"""A small ERP in memory: it refuses what a real one refuses. For tests and simulation.

Everything here is guarded by one lock per set of books, so that several threads may share them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal

from connections.erp.errors import Code, ErpError
from connections.erp.records import (
    DocKind,
    Document,
    Evidence,
    Line,
    Master,
    MasterKind,
    Ref,
    State,
)
from connections.erp.refusals import refusal, spoken

ERP = "the ledger"

DECIMALS: Mapping[str, int] = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3}

DEMO_ACCOUNTS = (
    ("1000", "Bank", "ASSET"),
    ("1010", "Checking account", "ASSET"),
    ("2100", "Accounts payable", "LIABILITY"),
    ("2150", "Ramp card clearing", "LIABILITY"),
    ("2160", "Reimbursements to employees", "LIABILITY"),
    ("4900", "Ramp cashback", "REVENUE"),
    ("6100", "Travel", "EXPENSE"),
    ("6200", "Software", "EXPENSE"),
    ("6300", "Meals", "EXPENSE"),
    ("6400", "Office supplies", "EXPENSE"),
    ("6500", "Advertising", "EXPENSE"),
    ("6600", "Professional fees", "EXPENSE"),
    ("6999", "Old projects", "EXPENSE"),
)
DEMO_DEPARTMENTS = (("ENG", "Engineering"), ("SAL", "Sales"), ("OPS", "Operations"))


@dataclass(frozen=True, slots=True)
class Entry:
    """One booked document."""

    id: str
    number: str
    doc: Document
    state: State = State.POSTED
    reverses: str = ""


@dataclass
class Books:
    """One company's chart, periods and documents."""

    unique_refs: bool = True
    """Whether a second document under a known reference is refused by the books themselves."""
    masters: dict[tuple[MasterKind, str], Master] = field(default_factory=dict)
    control_accounts: set[str] = field(default_factory=set)
    """Accounts that take no line without a vendor."""
    closed_until: date | None = None
    """Closed up to and including this day."""
    closed_months: set[tuple[int, int]] = field(default_factory=set)
    lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    def __post_init__(self) -> None:
        self._entries: list[Entry] = []
        self._versions: dict[tuple[MasterKind, str], int] = {}
        self._version = 0
        self._files: dict[tuple[Ref, str], Evidence] = {}
        for master in list(self.masters.values()):
            self.put(master)

    # -- reference data

    def put(self, master: Master) -> Master:
        """Add or change a record of the reference data."""
        with self.lock:
            self._version += 1
            self.masters[master.kind, master.id] = master
            self._versions[master.kind, master.id] = self._version
        return master

    def deactivate(self, kind: MasterKind, record_id: str) -> None:
        self.put(replace(self.masters[kind, record_id], active=False))

    def activate(self, kind: MasterKind, record_id: str) -> None:
        self.put(replace(self.masters[kind, record_id], active=True))

    def remove(self, kind: MasterKind, record_id: str) -> None:
        """Delete a record: only whole lists show that it is gone."""
        with self.lock:
            self._version += 1
            del self.masters[kind, record_id]
            del self._versions[kind, record_id]

    def merge(self, vendor: str, into: str) -> None:
        """Have one vendor take another's place, as ERPs do it: the other is inactive then."""
        old = self.masters[MasterKind.VENDOR, vendor]
        extra = {**old.extra, "merged_into": into}
        self.put(replace(old, active=False, extra=extra))

    def changed_since(self, kind: MasterKind, version: int) -> tuple[list[Master], int]:
        """Records of one kind that changed after a version, and the version now."""
        with self.lock:
            changed = [
                master
                for (this_kind, record_id), master in self.masters.items()
                if this_kind == kind and self._versions[this_kind, record_id] > version
            ]
            return changed, self._version

    # -- documents

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All documents, drafts too, in the order they came."""
        with self.lock:
            return tuple(self._entries)

    def under(self, ref: Ref) -> list[Entry]:
        """All documents that carry a reference: several if the books allow it and it happened."""
        return [entry for entry in self.entries if entry.doc.ref == ref and not entry.reverses]

    def balance(self, account: str) -> Decimal:
        """Debits minus credits of an account's journal lines."""
        return sum(
            (
                line.amount
                for entry in self.entries
                for line in entry.doc.lines
                if entry.doc.kind == DocKind.JOURNAL and line.account == account
            ),
            Decimal(0),
        )

    def tax_report(self, rate: str) -> tuple[Decimal, Decimal]:
        """Base and tax of one rate, of all journal entries."""
        lines = [line for entry in self.entries for line in entry.doc.lines]
        base = sum((line.amount for line in lines if rate in line.base_of), Decimal(0))
        return base, sum((line.amount for line in lines if line.tax_of == rate), Decimal(0))

    def book(self, doc: Document) -> Entry:
        """Enter a document.

        :raises ErpError: if the books refuse it; nothing is entered then
        """
        with self.lock:
            for problem in self.problems(doc):
                raise problem
            if self.unique_refs and self.under(doc.ref):
                raise refusal(Code.REF_REUSED, erp=ERP, what=f": {doc.ref.full}")
            return self._enter(doc)

    def attach(self, ref: Ref, file: Evidence) -> str:
        """Keep a file with a document; one of the same source is there already."""
        with self.lock:
            self._files.setdefault((ref, file.source), file)
            return f"F{list(self._files).index((ref, file.source)) + 1}"

    def files(self, ref: Ref) -> list[Evidence]:
        """The files of a document, in the order they came."""
        with self.lock:
            return [file for (of, _), file in self._files.items() if of == ref]

    def reverse(self, entry: Entry, on: date, reason: str) -> Entry:
        """Book the opposite of a document; a second time gives the first reversal."""
        with self.lock:
            for other in self._entries:
                if other.reverses == entry.id:
                    return other
            if not self.is_open(on):
                raise refusal(Code.PERIOD_CLOSED, erp=ERP, what=spoken(on))
            opposite = tuple(replace(line, amount=-line.amount) for line in entry.doc.lines)
            reversal = self._enter(
                replace(entry.doc, lines=opposite, posting_date=on, memo=reason), reverses=entry.id
            )
            self._entries[self._entries.index(entry)] = replace(entry, state=State.VOID)
            return reversal

    def is_open(self, day: date) -> bool:
        if (day.year, day.month) in self.closed_months:
            return False
        return self.closed_until is None or day > self.closed_until

    def problems(self, doc: Document) -> Iterator[ErpError]:
        """Everything the books hold against a document, most telling first."""
        if not doc.lines:
            yield refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=": it has no lines")
        if not self.is_open(doc.posting_date):
            yield refusal(Code.PERIOD_CLOSED, erp=ERP, what=spoken(doc.posting_date))
        for account in (doc.bank_account, doc.payables_account):
            if account:
                yield from self._account_problems(account)
        for line in doc.lines:
            yield from self._line_problems(line, doc)
        if doc.kind == DocKind.JOURNAL and doc.total != 0:
            yield refusal(Code.UNBALANCED, erp=ERP, what=f" by {doc.total}")
        if doc.kind != DocKind.JOURNAL:
            yield from self._vendor_problems(doc.party)
        if doc.kind == DocKind.BILL and doc.number and self._number_taken(doc):
            yield refusal(Code.DUPLICATE_NUMBER, erp=ERP, what=f"number {doc.number}")
        if doc.kind == DocKind.BILL_PAYMENT:
            yield from self._payment_problems(doc)

    def _enter(self, doc: Document, reverses: str = "") -> Entry:
        count = len(self._entries) + 1
        entry = Entry(id=str(count), number=f"DOC-{count:05}", doc=doc, reverses=reverses)
        self._entries.append(entry)
        return entry

    def _line_problems(self, line: Line, doc: Document) -> Iterator[ErpError]:
        if line.account or doc.kind != DocKind.BILL_PAYMENT:  # what is paid stands in the bill
            yield from self._account_problems(line.account)
        if _decimals(line.amount) > DECIMALS.get(doc.currency, 2):
            yield refusal(
                Code.REJECTED_PAYLOAD, erp=ERP, what=f": {line.amount} has too many decimals"
            )
        if line.account in self.control_accounts:
            yield from self._vendor_problems(line.party or doc.party)
        for value_id in line.dimensions.values():
            yield from self._dimension_problems(value_id)
        for tax_id in line.taxes:
            yield from self._tax_problems(tax_id)

    def _account_problems(self, account_id: str) -> Iterator[ErpError]:
        account = self.masters.get((MasterKind.ACCOUNT, account_id))
        if account is None:
            yield refusal(
                Code.REJECTED_PAYLOAD, erp=ERP, what=f": there is no account {account_id}"
            )
        elif not (account.active and account.postable):
            yield refusal(
                Code.ACCOUNT_INACTIVE,
                erp=ERP,
                what=f"Account {account.code} {account.name}",
                subject=(MasterKind.ACCOUNT, account.id),
            )

    def _dimension_problems(self, value_id: str) -> Iterator[ErpError]:
        value = self.masters.get((MasterKind.DIMENSION_VALUE, value_id))
        if value is None or not value.active:
            yield refusal(
                Code.DIMENSION_INACTIVE,
                erp=ERP,
                what=value.name if value else "",
                subject=(MasterKind.DIMENSION_VALUE, value_id),
            )

    def _tax_problems(self, tax_id: str) -> Iterator[ErpError]:
        tax = self.masters.get((MasterKind.TAX_CODE, tax_id))
        if tax is None or not tax.active:
            yield refusal(
                Code.TAX_CODE_INVALID,
                erp=ERP,
                what=tax.name if tax else "",
                subject=(MasterKind.TAX_CODE, tax_id),
            )

    def _vendor_problems(self, party: str) -> Iterator[ErpError]:
        vendor = self.masters.get((MasterKind.VENDOR, party))
        if vendor is None:
            yield refusal(Code.VENDOR_MISSING, erp=ERP)
        elif not vendor.active:
            yield refusal(
                Code.VENDOR_INACTIVE,
                erp=ERP,
                what=vendor.name,
                subject=(MasterKind.VENDOR, vendor.id),
            )

    def _number_taken(self, doc: Document) -> bool:
        return any(
            entry.doc.kind == DocKind.BILL
            and (entry.doc.party, entry.doc.number) == (doc.party, doc.number)
            and entry.doc.ref != doc.ref
            for entry in self._entries
        )

    def _payment_problems(self, doc: Document) -> Iterator[ErpError]:
        for line in doc.lines:
            bill = self._bill(line, doc.party)
            if bill is None:
                yield refusal(Code.BILL_NOT_POSTED, erp=ERP)
            elif self._paid(bill, but=doc.ref) + line.amount > bill.doc.gross:
                yield refusal(Code.OVERPAYMENT, erp=ERP, what=f"bill {bill.number}")

    def _bill(self, line: Line, party: str) -> Entry | None:
        by_id = None
        for entry in self._entries:
            if entry.doc.ref == line.applies_to:
                return entry
            is_bill_of_party = entry.doc.kind == DocKind.BILL and entry.doc.party == party
            if entry.id == line.applies_to_id and is_bill_of_party:
                by_id = entry
        return by_id

    def _paid(self, bill: Entry, but: Ref) -> Decimal:
        return sum(
            (
                line.amount
                for entry in self._entries
                for line in entry.doc.lines
                if entry.doc.kind == DocKind.BILL_PAYMENT
                and entry.doc.ref != but
                and self._bill(line, entry.doc.party) == bill
            ),
            Decimal(0),
        )


def _decimals(amount: Decimal) -> int:
    exponent = amount.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def demo_books(*, unique_refs: bool = True) -> Books:
    """Books with the accounts and departments that every demo company has. Ids are codes."""
    books = Books(unique_refs=unique_refs, control_accounts={"2100"})
    for code, name, classification in DEMO_ACCOUNTS:
        books.put(Master(MasterKind.ACCOUNT, code, name, code=code, classification=classification))
    books.put(Master(MasterKind.ACCOUNT, "6000", "Expenses", code="6000", postable=False))
    books.put(Master(MasterKind.ENTITY, "1", "Ledger", currency="USD"))
    books.put(Master(MasterKind.DIMENSION, "department", "Department"))
    for code, name in DEMO_DEPARTMENTS:
        books.put(Master(MasterKind.DIMENSION_VALUE, code, name, code=code, parent="department"))
    return books
