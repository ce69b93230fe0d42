"""What rampbridge needs of any ERP, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from connections.erp.errors import ErpError
from connections.erp.records import (
    Capabilities,
    Document,
    Evidence,
    Master,
    MasterKind,
    Page,
    Posted,
    Ref,
    Vendor,
)


@dataclass(frozen=True, slots=True)
class Health:
    """How a connection to an ERP is, as far as one cheap call can tell."""

    ok: bool
    company: str
    version: str = ""
    closed_until: date | None = None
    """The books are closed up to and including this day, where the ERP tells."""
    expires_at: datetime | None = None
    """When the credentials end, where the ERP tells."""
    problem: ErpError | None = None


class ErpAdapter(Protocol):
    """One customer's ERP. Every method raises `ErpError` and nothing else.

    None retries on its own beyond one renewal of an expired session. Threads may share an adapter.
    """

    def capabilities(self) -> Capabilities:
        """What this ERP can do; may ask the ERP once."""
        ...

    def health(self) -> Health:
        """Whether we can work, as a value: a refusal comes back in `Health.problem`."""
        ...

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        """List reference data, inactive records too: all (`cursor=None`) or what changed since.

        A delta may repeat records: cursors overlap by a minute, for transactions commit late. Kinds
        outside of `Capabilities.delta` come whole whatever the cursor.
        """
        ...

    def upsert_vendor(self, vendor: Vendor) -> Master:
        """Find the vendor by its reference or create it; twice gives one."""
        ...

    def check(self, doc: Document) -> Sequence[ErpError]:
        """What the ERP would refuse, as far as reading can tell. Empty means go ahead."""
        ...

    def post(self, doc: Document) -> Posted:
        """Book the document, or finish or return what the ERP already holds under its reference.

        As safe to repeat as `Capabilities.idempotency` says.
        """
        ...

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        """Book several: one answer for each, in order. A bad one does not stop its neighbours."""
        ...

    def find(self, ref: Ref) -> Posted | None:
        """What the ERP holds under our reference, drafts and pending ones too.

        :raises ErpError: REF_REUSED with both ids, if it holds two
        """
        ...

    def void(self, ref: Ref, on: date, reason: str) -> Posted:
        """Take the document back by a reversal dated `on`; twice gives one reversal."""
        ...

    def attach(self, ref: Ref, file: Evidence) -> str:
        """Attach a file to the document that carries `ref`. Returns the attachment's id.

        Idempotent by `file.source`, also for two calls at once where the ERP enforces a key;
        elsewhere a lost answer must have settled before the next try. Changes nothing of the
        document. Only where `Capabilities.attachments`.

        :raises ErpError: REJECTED_PAYLOAD, if nothing carries the reference
        """
        ...
