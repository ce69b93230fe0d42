"""Claims that look like those of a business's own people, from the dice of the scenario."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.claims import Claim
from connections.ramp_simulator.money_records import Direction
from connections.ramp_simulator.scenario_data import MEALS, OFFICE, TRAVEL, Plan, Shop
from connections.ramp_simulator.shopping import PER_DOLLAR, Shopper

# What people pay out of their own pocket is small, and never software or an advertisement.
_DEAREST = 1500
_ON_THE_ROAD = {
    "USD": ("Taxi Frankfurt", "EUR", "Airport to the fair"),
    "EUR": ("Addison Lee", "GBP", "Taxi, London"),
    "GBP": ("NS Reizigers", "EUR", "Train to the supplier, Utrecht"),
    "JPY": ("Seattle Yellow Cab", "USD", "シアトル出張"),
}
_DOLLARS_PER_MILE = 0.7
_DOLLARS_PER_DAY = 68


class Claimant:
    """Everybody in one business who pays something first and asks for it later."""

    def __init__(self, plan: Plan, dice: random.Random, shopper: Shopper) -> None:
        self._plan = plan
        self._dice = dice
        self._shopper = shopper
        self._shops = [shop for shop in plan.shops if _is_for_people(shop)]

    def claim(self, at: datetime) -> Claim:
        """Mostly something bought; now and then a split, a drive, a trip, or money back."""
        makers = (
            (70, self.bought),
            (8, self.split),
            (7, self.foreign),
            (6, self.drive),
            (4, self.day_away),
            (5, self.payback),
        )
        [make] = self._dice.choices([make for _, make in makers], [weight for weight, _ in makers])
        return make(at)

    def specials(self) -> tuple[Callable[[datetime], Claim], ...]:
        """Every kind there is, once each."""
        return (
            self.bought,
            self.split,
            self.foreign,
            self.drive,
            self.day_away,
            self.payback,
            self.given_back,
            self.uncoded,
        )

    def bought(self, at: datetime) -> Claim:
        bought = self._shopper.at_one_of(self._shops, at)
        return Claim(
            minor=bought.minor,
            merchant=bought.merchant.name,
            account_code=bought.account_code,
            options=bought.options,
            memo=bought.memo,
            at=at,
            has_receipt=bought.has_receipt,
        )

    def uncoded(self, at: datetime) -> Claim:
        return replace(self.bought(at), account_code=None)

    def given_back(self, at: datetime) -> Claim:
        """A ticket was refunded to whoever had claimed it."""
        claim = self.bought(at)
        return replace(claim, minor=-claim.minor, memo="Refunded ticket", has_receipt=False)

    def split(self, at: datetime) -> Claim:
        claim = self.bought(at)
        meals = claim.minor * self._dice.randint(20, 45) // 100
        return replace(claim, lines=[(claim.minor - meals, TRAVEL), (meals, MEALS)])

    def foreign(self, at: datetime) -> Claim:
        merchant, currency, memo = _ON_THE_ROAD[self._plan.currency]
        dollars = self._dice.uniform(18, 140)
        claim = self._plain(at, dollars, merchant, memo)
        original = round(dollars * PER_DOLLAR[currency] * factor(currency)), currency
        return replace(claim, original=original)

    def drive(self, at: datetime) -> Claim:
        miles = self._dice.randint(12, 240)
        claim = self._plain(at, miles * _DOLLARS_PER_MILE, "Mileage", f"{miles} miles")
        return replace(claim, kind="MILEAGE", distance=float(miles), has_receipt=False)

    def day_away(self, at: datetime) -> Claim:
        days = self._dice.randint(1, 4)
        claim = self._plain(at, days * _DOLLARS_PER_DAY, "Per diem", f"{days} days away")
        return replace(claim, kind="PER_DIEM", has_receipt=False)

    def payback(self, at: datetime) -> Claim:
        """Something private went over the card, and is paid back to the business."""
        claim = self._plain(at, self._dice.uniform(6, 120), "Amazon", "Private, by mistake")
        return replace(
            claim,
            account_code=OFFICE,
            direction=Direction.USER_TO_BUSINESS,
            kind="PAYBACK_FULL",
            has_receipt=False,
        )

    def _plain(self, at: datetime, dollars: float, merchant: str, memo: str) -> Claim:
        return Claim(
            minor=round(dollars * self._plan.price_level * factor(self._plan.currency)),
            merchant=merchant,
            account_code=TRAVEL,
            memo=memo,
            at=at,
        )


def _is_for_people(shop: Shop) -> bool:
    is_everyday = shop.account_code in {TRAVEL, MEALS, OFFICE}
    return is_everyday and shop.highest <= _DEAREST and shop.foreign is None
