"""One face for every adapter under test: the same documents, and the same troubles on order."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Protocol

import httpx

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.adapters.tryton.adapter import TrytonErp
from connections.erp.adapters.tryton.models import MODELS
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.port import ErpAdapter
from connections.erp.records import (
    DocKind,
    Document,
    Idempotency,
    Line,
    Master,
    MasterKind,
    Ref,
    State,
    Vendor,
)
from tests.plugins.tryton import TrytonServer

_names = itertools.count(1)


class Side(Protocol):
    """An adapter, and what a person at the ERP can do."""

    today: date
    payable: str
    """The code of the control account for vendors."""
    bank: str
    heading: str
    """The code of an account that takes no postings."""

    @property
    def adapter(self) -> ErpAdapter: ...

    def account(self, code: str) -> str: ...

    def lose_next_answer(self) -> None: ...

    def lose_next_request(self) -> None: ...

    def lose_next_attach_answer(self) -> None: ...

    def files(self, ref: Ref) -> list[tuple[str, bytes]]:
        """Name and content of what is attached to a document."""
        ...

    def close_month(self, day: date) -> None: ...

    def open_month(self, day: date) -> None: ...

    def set_account_active(self, code: str, *, active: bool) -> None: ...

    def set_vendor_active(self, vendor: str, *, active: bool) -> None: ...

    def count(self, ref: Ref) -> int:
        """How many documents the ledger holds under a reference."""
        ...

    def ledger_sum(self) -> Decimal: ...

    def close(self) -> None: ...


class LedgerSide:
    """The ERP in memory."""

    payable = "2100"
    bank = "1000"
    heading = "6000"

    def __init__(self, idempotency: Idempotency) -> None:
        self.adapter = InMemoryErp(idempotency=idempotency)
        self.today = datetime.now(UTC).date()

    def account(self, code: str) -> str:
        return code

    def lose_next_answer(self) -> None:
        self.adapter.faults.lose_answers = 1

    def lose_next_request(self) -> None:
        self.adapter.faults.lose_requests = 1

    def lose_next_attach_answer(self) -> None:
        self.adapter.faults.lose_attach_answers = 1

    def files(self, ref: Ref) -> list[tuple[str, bytes]]:
        return [(file.name, file.content) for file in self.adapter.books.files(ref)]

    def close_month(self, day: date) -> None:
        self.adapter.books.closed_months.add((day.year, day.month))

    def open_month(self, day: date) -> None:
        self.adapter.books.closed_months.remove((day.year, day.month))

    def set_account_active(self, code: str, *, active: bool) -> None:
        books = self.adapter.books
        change = books.activate if active else books.deactivate
        change(MasterKind.ACCOUNT, code)

    def set_vendor_active(self, vendor: str, *, active: bool) -> None:
        books = self.adapter.books
        change = books.activate if active else books.deactivate
        change(MasterKind.VENDOR, vendor)

    def count(self, ref: Ref) -> int:
        return len(self.adapter.books.under(ref))

    def ledger_sum(self) -> Decimal:
        return sum(
            (self.adapter.books.balance(key[1]) for key in self.adapter.books.masters), Decimal(0)
        )

    def close(self) -> None:
        """Nothing is open."""


def tax_called(erp: ErpAdapter, name: str) -> Master:
    """One of the ERP's taxes."""
    pages = erp.changes(MasterKind.TAX_CODE, None)
    (tax,) = [tax for page in pages for tax in page.items if tax.name == name]
    return tax


WRITES = (b".bridge_", b".post", b"pay.execute", b"ir.attachment.create")


class LosingTransport(httpx.HTTPTransport):
    """Loses answers after the server has done its work, or requests before they leave."""

    def __init__(self) -> None:
        super().__init__()
        self.lose_answers = 0
        self.lose_requests = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        writes = any(name in request.content for name in WRITES)
        if writes and self.lose_requests:
            self.lose_requests -= 1
            raise httpx.ReadTimeout("lost on its way there", request=request)
        response = super().handle_request(request)
        if writes and self.lose_answers:
            self.lose_answers -= 1
            response.read()
            raise httpx.ReadTimeout("lost on its way back", request=request)
        return response


class TrytonSide:
    """A real Tryton."""

    payable = "2.1.1"
    bank = "1010"
    heading = "1.0.0"

    def __init__(self, server: TrytonServer, company: str, *, use_bridge: bool = True) -> None:
        self.server = server
        self.transport = LosingTransport()
        self._clients = [
            httpx.Client(base_url=server.url, timeout=TIMEOUT, transport=self.transport),
            httpx.Client(base_url=server.url, timeout=TIMEOUT),
        ]
        self.adapter = TrytonErp(
            Account(**server.settings(company)), self._clients[0], use_bridge=use_bridge
        )
        self.admin = TrytonRpc(Account(**server.admin_settings(company)), self._clients[1])
        self.today = datetime.now(UTC).date()
        self._accounts = {
            row["code"]: row["id"]
            for row in self.admin.read(
                "account.account", [], ["code"], context={"active_test": False}
            )
        }

    def account(self, code: str) -> str:
        return str(self._accounts[code])

    def lose_next_answer(self) -> None:
        self.transport.lose_answers = 1

    def lose_next_request(self) -> None:
        self.transport.lose_requests = 1

    def lose_next_attach_answer(self) -> None:
        self.lose_next_answer()

    def files(self, ref: Ref) -> list[tuple[str, bytes]]:
        found = self.adapter.find(ref)
        assert found is not None
        resource = ["resource", "=", f"{MODELS[ref.kind]},{found.erp_id}"]
        rows = self.admin.read("ir.attachment", [resource], ["name", "data"])
        return [(row["name"], row["data"]) for row in rows]

    def close_month(self, day: date) -> None:
        self.admin.call("model.account.period.close", [self._period(day)])

    def open_month(self, day: date) -> None:
        period = self._period(day)
        self.admin.call("model.account.period.reopen", [period])
        closed = [["period", "=", period], ["state", "=", "closed"]]
        journals = [row["id"] for row in self.admin.read("account.journal.period", closed, [])]
        if journals:  # without our add-on they stay closed
            self.admin.call("model.account.journal.period.reopen", journals)

    def set_account_active(self, code: str, *, active: bool) -> None:
        self.admin.call(
            "model.account.account.write", [self._accounts[code]], {"closed": not active}
        )

    def set_vendor_active(self, vendor: str, *, active: bool) -> None:
        self.admin.call("model.party.party.write", [int(vendor)], {"active": active})

    def count(self, ref: Ref) -> int:
        entries = self.adapter.ledger_entries(ref.full)
        posted = [entry for entry in entries if entry.state != State.DRAFT]
        return sum(entry.ref == ref.full for entry in posted)

    def ledger_sum(self) -> Decimal:
        posted = [["move.state", "=", "posted"]]
        lines = self.admin.read("account.move.line", posted, ["debit", "credit"])
        return sum((line["debit"] - line["credit"] for line in lines), Decimal(0))

    def close(self) -> None:
        for client in self._clients:
            client.close()

    def _period(self, day: date) -> int:
        rows = self.admin.read(
            "account.period", [["start_date", "<=", day], ["end_date", ">=", day]], []
        )
        period: int = rows[0]["id"]
        return period


class Papers:
    """Documents for one side, each under a reference of its own."""

    def __init__(self, side: Side) -> None:
        self._side = side

    def ref(self, kind: DocKind) -> Ref:
        return Ref("contract", kind, f"{next(_names)}")

    def vendor(self) -> str:
        """The id of a vendor that nobody else uses."""
        name = f"Vendor {next(_names)}"
        return self._side.adapter.upsert_vendor(Vendor(ref=name.replace(" ", "-"), name=name)).id

    def journal(
        self, amount: str = "12.34", *, account: str = "6100", credit: str = "", **changes: Any
    ) -> Document:
        lines = (
            Line(self._side.account(account), Decimal(amount), memo="Lunch\nwith a client"),
            Line(self._side.account("2150"), -Decimal(credit or amount), memo="Card 1234"),
        )
        return self._document(DocKind.JOURNAL, lines, {"memo": "Card spend", **changes})

    def bill(
        self, amount: str = "110.00", *, vendor: str = "", number: str = "", **changes: Any
    ) -> Document:
        lines = (Line(self._side.account("6200"), Decimal(amount), memo="Hosting"),)
        return self._document(
            DocKind.BILL,
            lines,
            {
                "party": vendor or self.vendor(),
                "number": number or f"INV-{next(_names)}",
                **changes,
            },
        )

    def credit(self, amount: str = "10.00", **changes: Any) -> Document:
        lines = (Line(self._side.account("6200"), Decimal(amount), memo="Refund"),)
        return self._document(
            DocKind.VENDOR_CREDIT,
            lines,
            {"party": self.vendor(), "number": f"CR-{next(_names)}", **changes},
        )

    def payment(self, bill: Document, amount: str, **changes: Any) -> Document:
        lines = (Line("", Decimal(amount), applies_to=bill.ref),)
        if isinstance(self._side, LedgerSide):
            lines = (Line(self._side.account("2100"), Decimal(amount), applies_to=bill.ref),)
        return self._document(
            DocKind.BILL_PAYMENT,
            lines,
            {
                "party": bill.party,
                "bank_account": self._side.account(self._side.bank),
                **changes,
            },
        )

    def _document(
        self, kind: DocKind, lines: tuple[Line, ...], changes: dict[str, Any]
    ) -> Document:
        values = {
            "ref": self.ref(kind),
            "kind": kind,
            "posting_date": self._side.today,
            "currency": "USD",
            "lines": lines,
            **changes,
        }
        return Document(**values)
