"""Purchases that look like a business's own, from dice that always fall the same for one seed."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.people import Purchase
from connections.ramp_simulator.scenario_data import (
    DEPARTMENT_NAMES,
    MEALS,
    OFFICE,
    OLD_PROJECTS,
    SOFTWARE,
    TRAVEL,
    Plan,
    Shop,
)

DEPARTMENT = "Department"
PER_DOLLAR = {"EUR": 0.92, "GBP": 0.79, "AUD": 1.52, "USD": 1.0, "JPY": 150.0}
_SPLIT, _UNCODED, _OLD_PROJECT, _NO_DEPARTMENT = 0.06, 0.012, 0.006, 0.1
_NO_MEMO, _NO_RECEIPT = 0.15, 0.12


class Shopper:
    """Everybody in one business who has a card."""

    def __init__(self, plan: Plan, dice: random.Random) -> None:
        self.plan = plan
        self._dice = dice
        self._weights = [shop.weight for shop in plan.shops]

    def purchase(self, at: datetime) -> Purchase:
        """Anything this business buys, now and then split, uncoded or wrongly coded."""
        shop = self._dice.choices(self.plan.shops, self._weights)[0]
        bought = self._from(shop, at)
        dice = self._dice.random()
        if dice < _SPLIT:
            return self._split(bought)
        if dice < _SPLIT + _UNCODED:
            return replace(bought, account_code=None, memo=None)
        if dice < _SPLIT + _UNCODED + _OLD_PROJECT:
            return replace(bought, account_code=OLD_PROJECTS)
        return bought

    def plain(self, at: datetime) -> Purchase:
        return self._from(self._local_shop(), at)

    def split(self, at: datetime) -> Purchase:
        return self._split(self.plain(at))

    def uncoded(self, at: datetime) -> Purchase:
        return replace(self.plain(at), account_code=None)

    def old_project(self, at: datetime) -> Purchase:
        return replace(self.plain(at), account_code=OLD_PROJECTS)

    def foreign(self, at: datetime) -> Purchase:
        shops = [shop for shop in self.plan.shops if shop.foreign]
        return self._from(self._dice.choice(shops), at)

    def at_one_of(self, shops: Sequence[Shop], at: datetime) -> Purchase:
        return self._from(self._dice.choice(shops), at)

    def refund(self, bought: Purchase, at: datetime, original_id: str | None) -> Purchase:
        """All of an earlier purchase comes back."""
        original = bought.original and (-bought.original[0], bought.original[1])
        return replace(
            bought,
            minor=-bought.minor,
            lines=[(-minor, code) for minor, code in bought.lines],
            original=original,
            memo="Refund",
            at=at,
            accounting_date=None,
            original_transaction_id=original_id,
            has_receipt=False,
        )

    def _from(self, shop: Shop, at: datetime) -> Purchase:
        dice = self._dice
        dollars = dice.uniform(shop.lowest, shop.highest)
        department = dice.choice(sorted(DEPARTMENT_NAMES))
        return Purchase(
            minor=self._minor(dollars),
            merchant=shop.merchant,
            account_code=shop.account_code,
            options={} if dice.random() < _NO_DEPARTMENT else {DEPARTMENT: department},
            memo=None if dice.random() < _NO_MEMO else dice.choice(shop.memos),
            at=at,
            original=self._abroad(dollars, shop.foreign) if shop.foreign else None,
            has_receipt=dice.random() >= _NO_RECEIPT,
        )

    def _split(self, bought: Purchase) -> Purchase:
        """The same purchase on two or three lines with different accounts."""
        codes = self._dice.sample((TRAVEL, SOFTWARE, MEALS, OFFICE), self._dice.choice((2, 2, 3)))
        rest, lines = bought.minor, []
        for code in codes[1:]:
            share = rest * self._dice.randint(20, 60) // 100
            lines.append((share, code))
            rest -= share
        return replace(bought, lines=[(rest, codes[0]), *lines], original=None)

    def _local_shop(self) -> Shop:
        shops = [shop for shop in self.plan.shops if not shop.foreign]
        return self._dice.choice(shops)

    def _minor(self, dollars: float) -> int:
        return round(dollars * self.plan.price_level * factor(self.plan.currency))

    def _abroad(self, dollars: float, currency: str) -> tuple[int, str]:
        return round(dollars * PER_DOLLAR[currency] * factor(currency)), currency
