"""What customers have bought, of every type that Ramp can sync, and the calls that it must cost."""

import random
from dataclasses import dataclass, fields
from math import ceil

from bench.virtual_service import VENDOR
from connections.ramp_simulator.handles import BusinessHandle

ACCOUNT = "6300"
PAGE, REPORT = 100, 5000


@dataclass(frozen=True, slots=True)
class Spend:
    """So many objects of each type, all ready to sync."""

    transaction: int = 0
    reimbursement: int = 0
    bill: int = 0
    """Every other one is paid already, which makes a second report."""
    transfer: int = 0
    cashback: int = 0
    vendor_credit: int = 0

    @property
    def objects(self) -> int:
        return sum(self._counts)

    @property
    def paid_bills(self) -> int:
        return self.bill // 2

    @property
    def fewest_calls(self) -> int:
        """To read every list once and to report each type.

        A list call per 100 objects, and one even if there are none, for only asking tells; a
        second list of reimbursements, for Ramp lists their directions apart; a report per 5,000,
        of bills and of their payments each. Of vendor credits Ramp keeps no sync state.
        """
        *reported, silent = self._counts
        pages = sum(max(1, ceil(count / PAGE)) for count in (*reported, silent)) + 1
        return pages + sum(ceil(count / REPORT) for count in (*reported, self.paid_bills))

    @property
    def _counts(self) -> list[int]:
        """By list, in the order of the fields."""
        return [int(getattr(self, one.name)) for one in fields(self)]


def mixed(count: int, dice: random.Random) -> Spend:
    """So many objects as a customer has them: most are card transactions."""
    weights = {"reimbursement": 0.12, "bill": 0.05, "transfer": 0.01, "cashback": 0.01}
    others = {
        name: round(count * share * dice.uniform(0.5, 1.5)) for name, share in weights.items()
    }
    notes = min(count - sum(others.values()), dice.randint(0, 2))
    return Spend(transaction=count - sum(others.values()) - notes, vendor_credit=notes, **others)


def spend(business: BusinessHandle, what: Spend) -> None:
    """People spend it, and code it, and nobody has a receipt."""
    for _ in range(what.transaction):
        business.create_transaction(minor=1840, account_code=ACCOUNT, has_receipt=False, ready=True)
    for _ in range(what.reimbursement):
        business.create_reimbursement(
            minor=9000, account_code=ACCOUNT, has_receipt=False, ready=True
        )
    for number in range(what.bill):
        bill = business.create_bill(minor=18_000, vendor=VENDOR, account_code=ACCOUNT)
        if number % 2:
            business.pay_bill(bill.id)
    for _ in range(what.transfer):
        business.create_transfer()
    for _ in range(what.cashback):
        business.create_cashback()
    for _ in range(what.vendor_credit):
        business.create_vendor_credit(vendor=VENDOR, account_code=ACCOUNT)
