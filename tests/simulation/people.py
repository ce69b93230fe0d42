"""The people of all companies: they spend, claim, get bills, pay them, and export by hand."""

import random
from collections.abc import Sequence

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.bill_records import CARD_METHODS, Bill
from connections.ramp_simulator.handles import BusinessHandle
from tests.simulation.expected import owed
from tests.simulation.ledgers import INACTIVE_ACCOUNT, SUPPLIERS

_EXPENSES = ("6100", "6200", "6300", "6400")
_WEIGHTS = {
    "transaction": 12,
    "bill": 5,
    "reimbursement": 2,
    "transfer": 2,
    "cashback": 2,
    "vendor_credit": 1,
}
_METHODS = {"ACH": 4, "CHECK": 2, "ONE_TIME_CARD": 3, "CARD": 1}
"""How bills are paid, and how often."""


class People:
    """What they do is drawn by dice; `made` is how many items it must come to."""

    def __init__(self, sim: Simulator, companies: Sequence[str], dice: random.Random) -> None:
        self._sim = sim
        self._companies = companies
        self._dice = dice
        self._unpaid: list[tuple[str, list[str]]] = []
        """By company: ids of bills that are to be paid together."""
        self.made = 0

    def act(self) -> None:
        """Something new for a ledger. Now and then somebody also does what is in the way."""
        if self._dice.random() < 0.3:
            self._anyone().expire_tokens()
        if self._dice.random() < 0.06:
            self._export()
        if self._unpaid and self._dice.random() < 0.25:
            key, bills = self._unpaid.pop(self._dice.randrange(len(self._unpaid)))
            self._pay(self._sim.business(key), bills)
        (kind,) = self._dice.choices(tuple(_WEIGHTS), weights=tuple(_WEIGHTS.values()))
        if kind == "bill":
            self._get_bills(self._anyone())
        else:
            self._make(kind, self._anyone())
            self.made += 1

    def _make(self, kind: str, business: BusinessHandle) -> None:
        amount = self._dice.randint(1, 999_999)
        match kind:
            case "transfer":
                business.create_transfer(minor=amount)
            case "cashback":
                business.create_cashback(minor=amount)
            case "reimbursement":
                business.create_reimbursement(minor=amount, account_code="6100", ready=True)
            case "vendor_credit":
                supplier = self._dice.choice(SUPPLIERS)
                business.create_vendor_credit(minor=amount, account_code="6400", vendor=supplier)
            case _:
                self._spend(business, amount)

    def _spend(self, business: BusinessHandle, amount: int) -> None:
        account: str | None = self._dice.choice(_EXPENSES)
        odd = self._dice.random()
        if odd < 0.02:
            account = INACTIVE_ACCOUNT
        elif odd < 0.03:
            account = None
        sign = -1 if self._dice.random() < 0.05 else 1
        business.create_transaction(
            minor=sign * amount,
            account_code=account,
            merchant=f"Shop {self._dice.randrange(200)}",
            memo="x",
            ready=True,
        )

    def _get_bills(self, business: BusinessHandle) -> None:
        """One bill or several of one supplier, which are paid together: at once, later or never."""
        supplier = self._dice.choice(SUPPLIERS)
        bills = [self._bill(business, supplier) for _ in range(self._dice.choice((1, 1, 2, 3)))]
        if self._dice.random() < 0.2:
            self._set_off(business, bills[0], supplier)
        ids = [bill.id for bill in bills]
        when = self._dice.random()
        if when < 0.5:
            self._pay(business, ids)
        elif when < 0.9:
            self._unpaid.append((business.key, ids))

    def _bill(self, business: BusinessHandle, supplier: str) -> Bill:
        self.made += 1
        # An account number that suppliers print on each invoice (gotcha 10).
        number = "AC-77" if self._dice.random() < 0.2 else None
        return business.create_bill(
            minor=self._dice.randint(1, 999_999),
            vendor=supplier,
            account_code=self._dice.choice(_EXPENSES),
            invoice_number=number,
        )

    def _set_off(self, business: BusinessHandle, bill: Bill, supplier: str) -> None:
        """A vendor credit pays a part of the bill, or now and then all of it."""
        self.made += 1
        minor = self._dice.choice((bill.minor, max(1, bill.minor // 3)))
        credit = business.create_vendor_credit(minor=minor, account_code="6400", vendor=supplier)
        business.apply_vendor_credit(credit.id, bill.id)

    def _pay(self, business: BusinessHandle, bills: Sequence[str]) -> None:
        (method,) = self._dice.choices(tuple(_METHODS), weights=tuple(_METHODS.values()))
        first, *others = bills
        if not any(owed(business.bill(one)) for one in bills):
            method = "VENDOR_CREDIT"
        business.pay_bill(first, together_with=others, method=method)
        self.made += len(bills) + (method in CARD_METHODS)

    def _export(self) -> None:
        business = self._anyone()
        with self._sim.world.lock:  # or a report comes between the look and the press
            if self._dice.random() < 0.2 and (bills := business.bills(sync_ready=True)):
                business.export_bill(self._dice.choice(bills).id)
            elif ready := business.transactions("SYNC_READY"):
                business.press_export(self._dice.choice(ready).id)

    def _anyone(self) -> BusinessHandle:
        return self._sim.business(self._dice.choice(self._companies))
