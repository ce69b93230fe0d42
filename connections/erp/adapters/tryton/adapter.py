"""The adapter `tryton`: Tryton 8.0 over JSON-RPC.

With our add-on in Tryton it is of class K (unique key), without it of class L (look-up). Which one
is found out on first use and again every few minutes.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta

import httpx

from connections.erp.adapters.tryton.attachments import (
    LARGEST_FILE,
    attach_if_absent,
    attach_once,
)
from connections.erp.adapters.tryton.bridge import BridgeBooking
from connections.erp.adapters.tryton.catalogue import Catalogue, Period
from connections.erp.adapters.tryton.checks import explained, problems
from connections.erp.adapters.tryton.ledger import entries_under, ledger_entries
from connections.erp.adapters.tryton.lookup import LookupBooking
from connections.erp.adapters.tryton.models import Records
from connections.erp.adapters.tryton.reference_data import WHOLE, changes
from connections.erp.adapters.tryton.rights import rights
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.adapters.tryton.search import documents_like, documents_numbered
from connections.erp.adapters.tryton.vendors import upsert_vendor
from connections.erp.errors import ErpError
from connections.erp.http import client_for
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
    Vendor,
)
from connections.erp.rights import Rights
from connections.erp.search import FoundDocument, Likeness

DELTA = frozenset(MasterKind) - WHOLE.keys()
WITH_BRIDGE = Capabilities(
    documents=frozenset(DocKind),
    idempotency=Idempotency.UNIQUE_KEY,
    delta=DELTA,
    batch=25,
    concurrency=1,
    ref_limit=200,
    shows_closed_until=True,
    attachments=True,
    largest_attachment=LARGEST_FILE,
)
WITHOUT_BRIDGE = Capabilities(
    documents=frozenset(DocKind),
    idempotency=Idempotency.LOOKUP,
    # We give a request up after 35 s; it may wait 30 s for a connection to the database and commit.
    settle=60,
    delta=DELTA,
    # Several requests for each document: what one call sends must be done before the lease is over.
    batch=5,
    concurrency=1,
    ref_limit=200,
    shows_closed_until=True,
    attachments=True,
    largest_attachment=LARGEST_FILE,
)


class TrytonErp:
    """One company in one Tryton database. Threads share it."""

    def __init__(self, account: Account, http: httpx.Client, *, use_bridge: bool = True) -> None:
        """`use_bridge=False` works as if our add-on were not there."""
        self.rpc = TrytonRpc(account, http)
        self._catalogue = Catalogue(self.rpc, use_bridge=use_bridge)
        self._records = Records(self.rpc, self._catalogue)
        self._bridge = BridgeBooking(self._records)
        self._lookup = LookupBooking(self._records)

    def capabilities(self) -> Capabilities:
        return WITH_BRIDGE if self._has_bridge() else WITHOUT_BRIDGE

    def health(self) -> Health:
        self.rpc.forgive()
        try:
            version = self.rpc.server_version()
            company = self._catalogue.company()
            periods = self._catalogue.periods(fresh=True)
        except ErpError as error:
            return Health(ok=False, company="", problem=error)
        return Health(
            ok=True, company=company.name, version=version, closed_until=_closed_until(periods)
        )

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        return changes(self._records, kind, cursor)

    def upsert_vendor(self, vendor: Vendor) -> Master:
        return upsert_vendor(self._records, vendor)

    def check(self, doc: Document) -> Sequence[ErpError]:
        return list(problems(self._records, doc))

    def post(self, doc: Document) -> Posted:
        (answer,) = self.post_many([doc])
        if isinstance(answer, ErpError):
            raise answer
        return answer

    def post_many(self, docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
        try:
            booking = self._booking()
        except ErpError as error:
            return [error for _ in docs]
        return [
            explained(self._records, doc, answer) if isinstance(answer, ErpError) else answer
            for doc, answer in zip(docs, booking.book(docs), strict=True)
        ]

    def find(self, ref: Ref) -> Posted | None:
        return self._booking().find(ref)

    def void(self, ref: Ref, on: date, reason: str) -> Posted:
        return self._booking().void(ref, on, reason)

    def attach(self, ref: Ref, file: Evidence) -> str:
        if self._has_bridge():
            return attach_once(self._records, ref, file)
        return attach_if_absent(self._records, self._lookup.find(ref), ref, file)

    def ledger_entries(
        self, prefix: str, *, since: datetime | None = None
    ) -> Sequence[LedgerEntry]:
        """See `connections.erp.ledger_audit.AuditableErp`."""
        return ledger_entries(self._records, prefix, since)

    def entries_under(self, refs: Collection[str]) -> Sequence[LedgerEntry]:
        """See `connections.erp.ledger_audit.AuditableErp`."""
        return entries_under(self._records, refs)

    def documents_numbered(self, kind: DocKind, number: str) -> Sequence[FoundDocument]:
        """See `connections.erp.search.SearchableErp`."""
        return documents_numbered(self._records, kind, number)

    def documents_like(self, likeness: Likeness) -> Sequence[FoundDocument]:
        """See `connections.erp.search.SearchableErp`."""
        return documents_like(self._records, likeness)

    def rights(self) -> Rights:
        """See `connections.erp.rights.TellsRights`."""
        return rights(self._records)

    def period_starts(self) -> Sequence[date]:
        """See `connections.erp.periods.TellsPeriods`."""
        return [period.start for period in self._catalogue.periods(fresh=True)]

    def _booking(self) -> BridgeBooking | LookupBooking:
        return self._bridge if self._has_bridge() else self._lookup

    def _has_bridge(self) -> bool:
        return self._catalogue.company().has_bridge


_adapters: dict[tuple[int, Account], tuple[httpx.Client, TrytonErp]] = {}
_adapters_lock = threading.Lock()


def tryton_erp(settings: Mapping[str, str]) -> TrytonErp:
    """The adapter for `url`, `database`, `login` and `password`; one per process, with its session.

    :raises KeyError: if a setting is missing
    """
    account = Account(
        url=settings["url"].rstrip("/"),
        database=settings["database"],
        login=settings["login"],
        password=settings["password"],
    )
    key = (os.getpid(), account)
    client = client_for(account.url, TIMEOUT, adapter="tryton")
    with _adapters_lock:
        known = _adapters.get(key)
        if known is None or known[0] is not client:  # whose client was closed since sends no more
            known = _adapters[key] = client, TrytonErp(account, client)
        return known[1]


def _closed_until(periods: Sequence[Period]) -> date | None:
    first_open = min((period.start for period in periods if period.open), default=None)
    if first_open is not None:
        closed_before = [period for period in periods if period.start < first_open]
        return first_open - timedelta(days=1) if closed_before else None
    return max((period.end for period in periods), default=None)
