"""What an ERP's ledger really holds of ours, against what we believe it holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol, runtime_checkable

from connections.erp.records import State


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One document in an ERP's ledger, as the ERP tells it."""

    ref: str
    """Our full reference; empty for a document that our user made without one."""
    erp_id: str
    number: str
    """The number people use for the document: a bill's own, not that of the move behind it."""
    state: State
    debit: Decimal
    """In the company's currency."""
    credit: Decimal
    total: Decimal | None = None
    """One side of the document in its own currency, where the ERP tells."""
    currency: str = ""
    """Of `total`."""
    amounts: frozenset[Decimal] = frozenset()
    """What its single lines amount to, without signs, in the currency of `total`."""
    reverses: str = ""
    """The reference that this entry takes back."""
    follows: str = ""
    """The reference of the document that the ERP made this entry for by itself, such as the
    currency difference of a payment."""

    def is_over(self, amount: Decimal) -> bool:
        """Whether it is the document of something of that amount, whatever its sign.

        Its lines of one side add up to it; or one line is, where others give back a part: of 80
        spent and 5 returned, the card owes 75.
        """
        total = self.debit if self.total is None else self.total
        return abs(amount) == total or abs(amount) in self.amounts


@runtime_checkable
class AuditableErp(Protocol):
    """An adapter whose ledger can be read back: for verification, beyond the port."""

    def entries_under(self, refs: Collection[str]) -> Sequence[LedgerEntry]:
        """What stands under our full references, and what takes it back. None is left out.

        :raises ErpError: if the ERP cannot be asked; then nothing is known of any of them
        """
        ...

    def ledger_entries(
        self, prefix: str, *, since: datetime | None = None
    ) -> Sequence[LedgerEntry]:
        """Everything whose reference starts with `prefix`, and all else that our user made.

        :param since: only what was entered from then on; an ERP that cannot tell gives more
        :raises ErpError: if the ERP cannot be asked
        """
        ...


@dataclass(frozen=True, slots=True)
class LedgerAudit:
    """Differences between what we believe to be posted and a ledger. All empty is good."""

    missing: Sequence[str]
    """References that the ledger does not hold."""
    doubled: Sequence[str]
    """References that several documents carry."""
    unbalanced: Sequence[str]
    """Ids of documents whose debits and credits differ."""
    unexplained: Sequence[str]
    """Ids of posted documents that we do not know of."""

    @property
    def is_clean(self) -> bool:
        return not (self.missing or self.doubled or self.unbalanced or self.unexplained)


def audit(expected: Collection[str], entries: Sequence[LedgerEntry]) -> LedgerAudit:
    """Compare the full references that must be in the ledger with what it holds."""
    expected = set(expected)
    posted = [entry for entry in entries if entry.state != State.DRAFT]
    counts = Counter(entry.ref for entry in posted if entry.ref)
    return LedgerAudit(
        missing=sorted(expected - counts.keys()),
        doubled=sorted(ref for ref, count in counts.items() if count > 1),
        unbalanced=[entry.erp_id for entry in posted if entry.debit != entry.credit],
        unexplained=[
            entry.erp_id
            for entry in posted
            if entry.ref not in expected and entry.reverses not in expected
        ],
    )
