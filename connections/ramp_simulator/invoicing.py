"""Bills that look like a business's own: how they arrive, are approved, corrected and paid."""

import random
from dataclasses import replace
from datetime import datetime, timedelta

from connections.ramp_simulator import bill_acts, bill_payments, suppliers, vendor_credits
from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.bill_payments import Order
from connections.ramp_simulator.bill_records import Bill, Payee
from connections.ramp_simulator.codings import book_of
from connections.ramp_simulator.invoices import Goods, Invoice
from connections.ramp_simulator.records import Entity
from connections.ramp_simulator.scenario_data import (
    DEPARTMENT_NAMES,
    OFFICE,
    PROFESSIONAL,
    SOFTWARE,
    Plan,
)
from connections.ramp_simulator.suppliers import Supplier
from connections.ramp_simulator.vendor_credits import CreditNote
from connections.ramp_simulator.world import World

DEPARTMENT = "Department"
_METHODS = ("ACH", "ACH", "ACH", "CHECK", "DOMESTIC_WIRE", "PAID_MANUALLY")
_PAID_SHARE, _NO_DEPARTMENT, _NO_TAX = 0.5, 0.15, 0.25
_CREDITS_IN = "USD"


class Bookkeeper:
    """Whoever looks after the bills of one business."""

    def __init__(self, world: World, plan: Plan, dice: random.Random) -> None:
        self._world = world
        self._plan = plan
        self._dice = dice
        self._suppliers = suppliers.of(plan.key)

    def arrive(self, at: datetime) -> Bill:
        """An ordinary bill, approved."""
        [supplier] = self._dice.choices(
            self._suppliers, [supplier.weight for supplier in self._suppliers]
        )
        return self._enter(supplier, self._invoice(supplier, at))

    def settle(self, at: datetime) -> None:
        """One open bill is paid, if there is one; a cheque on its way is cashed first."""
        bills = [bill for bill in self._world.bills.of(self._plan.key) if _is_open(bill)]
        bills.sort(key=lambda bill: (bill.payment_id is None, bill.seq))
        if bills:
            self._pay(bills[0], at)

    def live(self, moments: list[datetime], now: datetime) -> None:
        """Ordinary bills at these moments, and every special one once."""
        for at in moments:
            bill = self.arrive(at)
            if self._dice.random() < _PAID_SHARE:
                self._pay(bill, min(now, at + timedelta(days=self._dice.randint(1, 20))))
        self._live_specials(now - timedelta(days=12), now - timedelta(days=2))

    def _live_specials(self, at: datetime, later: datetime) -> None:
        cloud, paper, rent, seats, _, *_ = self._suppliers
        self._pay_together(cloud, at, later)
        check = self._enter(paper, self._invoice(paper, at))
        bill_payments.start(self._world, [check], Order(method="CHECK", at=later))
        by_card = self._enter(seats, self._invoice(seats, at))
        bill_payments.pay(self._world, [by_card], Order(method="ONE_TIME_CARD", at=later))
        for month in (at - timedelta(days=14), at):
            self._enter(rent, self._invoice(rent, month))
        self._from_abroad(at, later)
        self._split(paper, at)
        self._enter(seats, replace(self._invoice(seats, at), account_code=None))
        self._enter(cloud, replace(self._invoice(cloud, at), is_sync_enabled=False))
        self._enter(paper, self._invoice(paper, later), is_approved=False)
        duplicate = self._enter(cloud, self._invoice(cloud, at))
        bill_acts.archive(self._world, duplicate)
        if self._plan.currency == _CREDITS_IN:
            self._grant_credits(paper, at)

    def _pay_together(self, supplier: Supplier, at: datetime, later: datetime) -> None:
        """One payment for two bills."""
        bills = [self._enter(supplier, self._invoice(supplier, at)) for _ in range(2)]
        bill_payments.pay(self._world, bills, Order(at=later))

    def _from_abroad(self, at: datetime, later: datetime) -> None:
        supplier, currency, rate = suppliers.abroad(self._plan.currency)
        minor = round(self._dice.uniform(supplier.lowest, supplier.highest) * factor(currency))
        invoice = replace(
            self._invoice(supplier, at), minor=minor, currency=currency, fx_rate=str(rate)
        )
        bill = self._enter(supplier, invoice)
        bill_payments.pay(self._world, [bill], Order(method="INTERNATIONAL", at=later))

    def _split(self, supplier: Supplier, at: datetime) -> None:
        """Two accounts, and goods by the piece."""
        invoice = self._invoice(supplier, at)
        part, piece = invoice.minor // 3, max(1, invoice.minor // 40)
        goods = [Goods(quantity=6, unit_minor=piece, account_code=OFFICE, memo="Shelves")]
        lines = [(part, SOFTWARE), (invoice.minor - part - 6 * piece, PROFESSIONAL)]
        self._enter(supplier, replace(invoice, lines=lines, goods=goods))

    def _grant_credits(self, supplier: Supplier, at: datetime) -> None:
        """One is set off against a bill in part, one nobody has used."""
        bill = self._enter(supplier, self._invoice(supplier, at))
        payee, entity = self._payee(supplier), self._entity()
        for number in (1, 2):
            note = CreditNote(
                minor=bill.minor // 5,
                account_code=supplier.account_code,
                accounting_date=at.date(),
                reference_number=f"CR-{bill.seq}-{number}",
            )
            credit = vendor_credits.grant(self._world, entity, payee, note)
            if number == 1:
                vendor_credits.apply(self._world, credit, bill, credit.minor // 2)

    def _invoice(self, supplier: Supplier, at: datetime) -> Invoice:
        dollars = self._dice.uniform(supplier.lowest, supplier.highest)
        department = self._dice.choice(sorted(DEPARTMENT_NAMES))
        has_department = self._dice.random() >= _NO_DEPARTMENT
        number = self._dice.randint(10_000, 99_999)
        account = sum(supplier.name.encode()) * 1000 + len(self._plan.name)
        return Invoice(
            minor=round(dollars * self._plan.price_level * factor(self._plan.currency)),
            currency=self._plan.currency,
            account_code=supplier.account_code,
            options={DEPARTMENT: department} if has_department else {},
            invoice_number=f"A-{account}" if supplier.has_account else f"INV-{number}",
            memo=supplier.memo,
            created_at=at,
            issued_at=at - timedelta(days=1),
        )

    def _enter(self, supplier: Supplier, invoice: Invoice, *, is_approved: bool = True) -> Bill:
        invoice.tax_code = self._tax_code()
        bill = bill_acts.enter(self._world, self._entity(), self._payee(supplier), invoice)
        if is_approved:
            bill_acts.approve(self._world, bill)
        return bill

    def _tax_code(self) -> str | None:
        """People code taxes as soon as their ERP has brought some, on most bills."""
        codes = book_of(self._world, self._plan.key).active_tax_codes
        if not codes or self._dice.random() < _NO_TAX:
            return None
        return self._dice.choice(codes).external_id

    def _pay(self, bill: Bill, at: datetime) -> None:
        order = Order(method=self._dice.choice(_METHODS), at=at)
        bill_payments.pay(self._world, [bill], order)

    def _payee(self, supplier: Supplier) -> Payee:
        for payee in self._world.payees.of(self._plan.key):
            if payee.name == supplier.name:
                return payee
        return bill_acts.add_payee(
            self._world, self._plan.key, supplier.name, linked_to=supplier.name
        )

    def _entity(self) -> Entity:
        return next(iter(self._world.entities.of(self._plan.key)))


def _is_open(bill: Bill) -> bool:
    is_approved = bill.approval_status == "APPROVED"
    return bill.status == "OPEN" and bill.archived_at is None and is_approved
