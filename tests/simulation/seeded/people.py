"""The people of a run's customers: they spend, and do what is in the way."""

import random
from collections.abc import Sequence

from connections.ramp_simulator.people import NotPossible
from tests.simulation.ledgers import INACTIVE_ACCOUNT
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.shape import Shape

_CHANGES = ("export", "take_back", "change")
_EXPENSES = ("6100", "6200", "6300", "6400")


class People:
    """What they do is drawn by dice."""

    def __init__(
        self, companies: Sequence[Company], shape: Shape, dice: random.Random, book: Book
    ) -> None:
        self._companies = companies
        self._shape = shape
        self._dice = dice
        self._acts = book.acts

    def act(self) -> Company:
        """Something new for a ledger. Now and then somebody also does what is in the way."""
        company = self._dice.choice(self._companies)
        self._make(company)
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
            case _:
                odd = self._dice.random()
                business.create_transaction(
                    minor=-amount if odd > 0.95 else amount,
                    account_code=INACTIVE_ACCOUNT if odd < 0.05 else self._dice.choice(_EXPENSES),
                    memo="x",
                    ready=True,
                )

    def hear_of(self, slug: str, ramp_id: str) -> None:
        """It is being booked and not yet reported: the worst moment to change one's mind."""
        if self._dice.random() < self._shape.mischief / 2:
            (company,) = (one for one in self._companies if one.slug == slug)
            if any(one.id == ramp_id for one in company.business.transactions("SYNC_READY")):
                self._change(company, ramp_id, self._dice.choice(_CHANGES))

    def _meddle(self, company: Company) -> None:
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
