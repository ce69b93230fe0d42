"""The people of a run's customers: they spend, and do what is in the way."""

import random
from collections.abc import Callable, Sequence

from connections.erp.records import DocKind, Ref
from connections.ramp_simulator.bill_records import Bill
from connections.ramp_simulator.people import NotPossible
from tests.simulation.ledgers import INACTIVE_ACCOUNT, SUPPLIERS
from tests.simulation.seeded import button
from tests.simulation.seeded.button import Button
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.shape import BILL, Shape

_CHANGES = ("export", "take_back", "change")
_BILL_CHANGES = ("export_bill", "archive_bill", "change_bill")
_EXPENSES = ("6100", "6200", "6300", "6400")


class People:
    """What they do is drawn by dice."""

    def __init__(
        self,
        companies: Sequence[Company],
        shape: Shape,
        dice: random.Random,
        book: Book,
        *,
        later: Callable[[Callable[[], Company]], None],
        button: Button | None = None,
    ) -> None:
        """:param later: has something done at a time before all is well"""
        self._button = button
        self.is_calm = False
        """They have done the last they do."""
        self._companies = companies
        self._later = later
        self._shape = shape
        self._dice = dice
        self._acts = book.acts

    def act(self) -> Company:
        """Something new for a ledger. Now and then somebody also does what is in the way."""
        company = self._dice.choice(self._companies)
        self._make(company)
        if self._button and self._dice.random() < self._shape.presses:
            self._press(self._button, company)
        if self._dice.random() < self._shape.mischief:
            self._meddle(self._dice.choice(self._companies))
        return company

    def _make(self, company: Company) -> None:
        business, amount = company.business, self._dice.randint(1, self._shape.largest)
        kind = self._dice.choice(self._shape.types)
        self._acts[kind] += 1
        match kind:
            case "transfer":
                business.create_transfer(minor=amount)
            case "cashback":
                business.create_cashback(minor=amount)
            case "reimbursement":
                business.create_reimbursement(minor=amount, account_code="6100", ready=True)
            case "bill":
                self._get_bill(company, amount)
            case _:
                odd = self._dice.random()
                business.create_transaction(
                    minor=-amount if odd > 0.95 else amount,
                    account_code=INACTIVE_ACCOUNT if odd < 0.05 else self._dice.choice(_EXPENSES),
                    memo="x",
                    ready=True,
                )

    def spend_in_calm(self) -> None:
        """When all is well: spend a little more, and press the sync button at once."""
        assert self._button is not None
        self.is_calm = True
        for company in self._companies:
            bought = [
                company.business.create_transaction(
                    minor=self._dice.randint(1, 999),
                    account_code=self._dice.choice(_EXPENSES),
                    memo="x",
                    ready=True,
                )
                for _ in range(self._dice.randint(1, 2))
            ]
            self._button.press(company, "transaction", in_calm=[one.id for one in bought])

    def _press(self, its: Button, company: Company) -> None:
        types = [one for one in self._shape.types if one in button.TYPES]
        if types:
            its.press(company, self._dice.choice(types))

    def _get_bill(self, company: Company, amount: int) -> None:
        """It is paid at once, later, or never that we hear of."""
        # An account number that suppliers print on each invoice (gotcha 10).
        number = "AC-77" if self._dice.random() < 0.3 else None
        bill = company.business.create_bill(
            minor=amount,
            vendor=self._dice.choice(SUPPLIERS),
            account_code=self._dice.choice(_EXPENSES),
            invoice_number=number,
        )
        when = self._dice.random()
        if when < 0.3:
            self._pay(company, bill)
        elif when < 0.8:
            self._later(lambda: self._pay(company, bill))

    def _pay(self, company: Company, bill: Bill) -> Company:
        """From the bank, or by card, which is a transaction as well."""
        by_card = "transaction" in self._shape.types and self._dice.random() < 0.4
        if bill.payment_id or bill.archived_at:
            return company
        company.business.pay_bill(bill.id, method="ONE_TIME_CARD" if by_card else "ACH")
        self._acts["pay_by_card" if by_card else "pay_from_bank"] += 1
        return company

    def hear_of(self, slug: str, ref: Ref) -> None:
        """It is being booked and not yet reported: the worst moment to change one's mind."""
        if not self.is_calm and self._dice.random() < self._shape.mischief / 2:
            (company,) = (one for one in self._companies if one.slug == slug)
            if ref.kind is DocKind.BILL:
                self._pay(company, company.business.bill(ref.ramp_id))
            elif any(one.id == ref.ramp_id for one in company.business.transactions("SYNC_READY")):
                self._change(company, ref.ramp_id, self._dice.choice(_CHANGES))

    def _meddle(self, company: Company) -> None:
        bills = company.business.bills(sync_ready=True) if BILL in self._shape.types else ()
        if bills and self._dice.random() < 0.5:
            self._change_bill(company, self._dice.choice(bills), self._dice.choice(_BILL_CHANGES))
            return
        ready = company.business.transactions("SYNC_READY")
        act = self._dice.choice(("expire", "forget", *_CHANGES))
        if act == "expire":
            company.business.expire_tokens()
        elif act == "forget":
            company.business.forget_keys()
        elif ready:
            self._change(company, self._dice.choice(ready).id, act)
            return
        self._acts[act] += 1

    def _change(self, company: Company, ramp_id: str, act: str) -> None:
        business = company.business
        try:
            match act:
                case "export":
                    business.press_export(ramp_id)
                case "take_back":
                    business.take_back(ramp_id)
                case _:
                    row = business.transaction(ramp_id)
                    business.edit(ramp_id, memo=f"{row.memo}!", minor=row.minor + 1)
        except NotPossible:
            return
        self._acts[act] += 1

    def _change_bill(self, company: Company, bill: Bill, act: str) -> None:
        business = company.business
        try:
            match act:
                case "export_bill":
                    business.export_bill(bill.id)
                case "archive_bill":
                    business.archive_bill(bill.id)
                case _:
                    business.edit_bill(bill.id, memo="x!", minor=bill.minor + 1)
        except NotPossible:
            return
        self._acts[act] += 1
