"""A business as tests hold it: bills, their vendors and payments, vendor credits, receipts."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from connections.ramp_simulator import bill_acts, bill_payments, receipts, vendor_credits
from connections.ramp_simulator.amounts import minor_units
from connections.ramp_simulator.bill_acts import BillEdit
from connections.ramp_simulator.bill_json import payment_of
from connections.ramp_simulator.bill_payments import Order
from connections.ramp_simulator.bill_records import (
    Bill,
    BillPayment,
    Payee,
    Receipt,
    VendorCredit,
)
from connections.ramp_simulator.bill_states import is_ready
from connections.ramp_simulator.invoices import Invoice
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Business, Entity
from connections.ramp_simulator.vendor_credits import CreditNote
from connections.ramp_simulator.world import World

Amount = Decimal | float | str | None
DEPARTMENT = "Department"


class BillHandle:
    """The part of `BusinessHandle` that is about bills, vendor credits and receipts.

    Every `amount` is in major units of the document's currency; `minor` may be given in its place.
    """

    _world: World
    record: Business
    key: str

    def create_vendor(
        self,
        name: str,
        *,
        linked_to: str | None = None,
        has_remote_id: bool = True,
        is_active: bool = True,
        email: str | None = None,
    ) -> Payee:
        """A vendor to pay. `linked_to` is an accounting vendor, by the ERP's id or by its name;
        None leaves it without one. `has_remote_id` False: bills carry its code and name only.
        """
        with self._world.change():
            payee = bill_acts.add_payee(
                self._world, self.key, name, linked_to=linked_to, has_remote_id=has_remote_id
            )
            payee.is_active, payee.email = is_active, email
            return self._world.payees.put(payee)

    def create_bill(
        self,
        amount: Amount = None,
        *,
        minor: int | None = None,
        vendor: Payee | str = "Uline",
        department: str | None = None,
        entity_id: str | None = None,
        approved: bool = True,
        **details: Any,
    ) -> Bill:
        """An invoice is entered, and approved. `details` are those of `invoices.Invoice`.

        A `vendor` that is new by its name is made, linked to the accounting vendor of that name.
        """
        entity = self._entity(entity_id)
        currency = details.setdefault("currency", entity.currency)
        if department:
            details["options"] = dict(details.get("options", {})) | {DEPARTMENT: department}
        total = _minor(amount, minor, currency, "180.00")
        with self._world.change():
            invoice = Invoice(minor=total, **details)
            bill = bill_acts.enter(self._world, entity, self._payee(vendor), invoice)
            if approved:
                bill_acts.approve(self._world, bill)
            return bill

    def approve_bill(self, bill_id: str) -> None:
        with self._world.change():
            bill_acts.approve(self._world, self.bill(bill_id))

    def reject_bill(self, bill_id: str) -> None:
        with self._world.change():
            bill_acts.reject(self._world, self.bill(bill_id))

    def edit_bill(self, bill_id: str, **changes: Any) -> None:
        """Change what `bill_acts.BillEdit` has, until there is a payment."""
        with self._world.change():
            bill_acts.edit(self._world, self.bill(bill_id), BillEdit(**changes))

    def archive_bill(self, bill_id: str) -> None:
        with self._world.change():
            bill_acts.archive(self._world, self.bill(bill_id))

    def export_bill(self, bill_id: str) -> None:
        """Someone presses Export: whatever is ready of it becomes synced."""
        with self._world.change():
            bill_acts.press_export(self._world, self.bill(bill_id))

    def pay_bill(
        self,
        bill_id: str,
        *,
        method: str = "ACH",
        together_with: Sequence[str] = (),
        amount: Amount = None,
        minor: int | None = None,
        at: datetime | None = None,
        trace_id: str | None = None,
        transaction_ids: Sequence[str] = (),
        is_card_ready: bool = True,
    ) -> BillPayment:
        """Pay it and others in one payment, or let a payment arrive that has set out.

        `amount` is what the payment says, in the payer's money; without it, the total of the
        bills less their vendor credits. By card the money also comes as a transaction: those of
        `transaction_ids`, else a new one, which `is_card_ready` for the ERP.
        """
        with self._world.change():
            bills = [self.bill(given) for given in (bill_id, *together_with)]
            currency = self._entity(bills[0].entity_id).currency
            order = Order(
                method=method,
                at=at,
                minor=minor if amount is None else minor_units(amount, currency),
                trace_id=trace_id,
                transaction_ids=transaction_ids,
                is_card_ready=is_card_ready,
            )
            return bill_payments.pay(self._world, bills, order)

    def start_check(
        self,
        bill_id: str,
        *,
        together_with: Sequence[str] = (),
        trace_id: str | None = None,
        at: datetime | None = None,
    ) -> BillPayment:
        """A cheque is in the mail: PAYMENT_PROCESSING, still OPEN, until `pay_bill` cashes it."""
        with self._world.change():
            bills = [self.bill(given) for given in (bill_id, *together_with)]
            order = Order(method="CHECK", at=at, trace_id=trace_id)
            return bill_payments.start(self._world, bills, order)

    def create_vendor_credit(
        self,
        amount: Amount = None,
        *,
        minor: int | None = None,
        vendor: Payee | str = "Uline",
        department: str | None = None,
        entity_id: str | None = None,
        **details: Any,
    ) -> VendorCredit:
        """A vendor grants something. `details` are those of `vendor_credits.CreditNote`."""
        entity = self._entity(entity_id)
        if department:
            details["options"] = dict(details.get("options", {})) | {DEPARTMENT: department}
        total = _minor(amount, minor, entity.currency, "25.00")
        with self._world.change():
            note = CreditNote(minor=total, **details)
            return vendor_credits.grant(self._world, entity, self._payee(vendor), note)

    def apply_vendor_credit(
        self, credit_id: str, bill_id: str, amount: Amount = None, *, minor: int | None = None
    ) -> int:
        """Set it off against a bill, or all of it that fits; the minor units it took."""
        with self._world.change():
            credit, bill = self.vendor_credit(credit_id), self.bill(bill_id)
            part = minor if amount is None else minor_units(amount, credit.currency)
            return vendor_credits.apply(self._world, credit, bill, part)

    def add_receipt(self, transaction_id: str) -> Receipt:
        """A receipt turns up, at any time."""
        with self._world.change():
            row = self._world.transactions.get(transaction_id, self.key)
            if row is None:
                raise NotPossible(f"{self.record.name} has no transaction {transaction_id}.")
            return receipts.add_late(self._world, row)

    def bill(self, bill_id: str) -> Bill:
        """:raises NotPossible: if this business has no such bill"""
        bill = self._world.bills.get(bill_id, self.key)
        if bill is None:
            raise NotPossible(f"{self.record.name} has no bill {bill_id}.")
        return bill

    def bills(self, *, sync_ready: bool | None = None) -> list[Bill]:
        """All, archived ones too; or those that the filter `sync_ready` would find."""
        with self._world.lock:
            rows = list(self._world.bills.of(self.key))
            if sync_ready is None:
                return rows
            return [row for row in rows if is_ready(self._world, row) == sync_ready]

    def bill_payment(self, bill_id: str) -> BillPayment | None:
        return payment_of(self._world, self.bill(bill_id))

    def vendors(self) -> list[Payee]:
        """Those that bills come from, not the accounting vendors."""
        with self._world.lock:
            return list(self._world.payees.of(self.key))

    def vendor_credit(self, credit_id: str) -> VendorCredit:
        """:raises NotPossible: if this business has no such vendor credit"""
        row = self._world.vendor_credits.get(credit_id, self.key)
        if row is None:
            raise NotPossible(f"{self.record.name} has no vendor credit {credit_id}.")
        return row

    def vendor_credits(self) -> list[VendorCredit]:
        """All, those that are used up too."""
        with self._world.lock:
            return list(self._world.vendor_credits.of(self.key))

    def _payee(self, vendor: Payee | str) -> Payee:
        if isinstance(vendor, Payee):
            return vendor
        for payee in self._world.payees.of(self.key):
            if vendor in {payee.name, payee.id}:
                return payee
        return bill_acts.add_payee(self._world, self.key, vendor, linked_to=vendor)

    def _entity(self, entity_id: str | None) -> Entity:
        for entity in self._world.entities.of(self.key):
            if entity.id == entity_id or (entity_id is None and entity.is_primary):
                return entity
        raise NotPossible(f"{self.record.name} has no entity {entity_id}.")


def _minor(amount: Amount, minor: int | None, currency: str, usual: str) -> int:
    if minor is not None:
        return minor
    return minor_units(usual if amount is None else amount, currency)
