"""What a business has spent, as Ramp lists it: one method per list, one per object."""

from collections.abc import Iterator, Mapping
from typing import TypeVar, Unpack
from uuid import UUID

from connections.ramp.api import PAGE_SIZE, Api, segment
from connections.ramp.bodies import (
    BillFilters,
    CashbackFilters,
    ReimbursementFilters,
    StatementFilters,
    TransactionFilters,
    TransferFilters,
    VendorCreditFilters,
)
from connections.ramp.pages import Page, TransactionPage
from connections.ramp.schemas import Schema, Transaction
from connections.ramp.spend import (
    Bill,
    Card,
    Cashback,
    Receipt,
    Reimbursement,
    Statement,
    Transfer,
    VendorCredit,
)

Spend = TypeVar("Spend", bound=Schema)


class Lists:
    """Lists come page by page, each asked for when it is wanted; `start` goes on after a page
    that was read before. What is named `..._body` is one object as it came, for storing.

    Ramp ignores filters it does not know and then sends everything: look again at what came.
    """

    _api: Api

    def transactions(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[TransactionFilters],
    ) -> Iterator[TransactionPage]:
        for page in self._pages("transactions", Transaction, filters, start, page_size):
            yield TransactionPage(page.raw, page.items, page.malformed, page.next_cursor)

    def transaction(self, transaction_id: UUID) -> Transaction:
        return Transaction.parse(self.transaction_body(transaction_id))

    def transaction_body(self, transaction_id: UUID) -> bytes:
        return self._body("transactions", transaction_id)

    def reimbursements(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[ReimbursementFilters],
    ) -> Iterator[Page[Reimbursement]]:
        """One direction at a time: unless told, Ramp hides what employees pay back."""
        return self._pages("reimbursements", Reimbursement, filters, start, page_size)

    def reimbursement_body(self, reimbursement_id: UUID) -> bytes:
        return self._body("reimbursements", reimbursement_id)

    def bills(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[BillFilters],
    ) -> Iterator[Page[Bill]]:
        return self._pages("bills", Bill, filters, start, page_size)

    def bill_body(self, bill_id: UUID) -> bytes:
        """Only this answer carries the payment's `trace_id`."""
        return self._body("bills", bill_id)

    def transfers(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[TransferFilters],
    ) -> Iterator[Page[Transfer]]:
        return self._pages("transfers", Transfer, filters, start, page_size)

    def transfer_body(self, transfer_id: UUID) -> bytes:
        return self._body("transfers", transfer_id)

    def cashbacks(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[CashbackFilters],
    ) -> Iterator[Page[Cashback]]:
        return self._pages("cashbacks", Cashback, filters, start, page_size)

    def cashback_body(self, cashback_id: UUID) -> bytes:
        return self._body("cashbacks", cashback_id)

    def vendor_credits(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[VendorCreditFilters],
    ) -> Iterator[Page[VendorCredit]]:
        """Used-up credits are left out unless `include_fully_used` asks for them."""
        return self._pages("vendors/credits", VendorCredit, filters, start, page_size)

    def vendor_credit_body(self, vendor_credit_id: UUID) -> bytes:
        return self._body("vendors/credits", vendor_credit_id)

    def statements(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[StatementFilters],
    ) -> Iterator[Page[Statement]]:
        return self._pages("statements", Statement, filters, start, page_size)

    def statement_body(self, statement_id: UUID) -> bytes:
        return self._body("statements", statement_id)

    def cards(
        self, *, start: str | None = None, page_size: int = PAGE_SIZE
    ) -> Iterator[Page[Card]]:
        """Every card the business ever had."""
        return self._pages("cards", Card, {}, start, page_size)

    def receipt(self, receipt_id: UUID) -> Receipt:
        """A receipt's picture is behind `receipt_url`, for an hour from now."""
        return Receipt.parse(self._body("receipts", receipt_id))

    def _pages(
        self,
        path: str,
        model: type[Spend],
        filters: Mapping[str, object],
        start: str | None,
        page_size: int,
    ) -> Iterator[Page[Spend]]:
        pages = self._api.pages(path, model, filters, start=start, page_size=page_size)
        return (page for page, _ in pages)

    def _body(self, path: str, object_id: UUID) -> bytes:
        return self._api.call("GET", f"{path}/{segment(object_id)}").body
