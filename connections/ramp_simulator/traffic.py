"""Money that keeps flowing: what all the businesses' people do while the simulator is served."""

import random
import threading
from collections.abc import Callable

from connections.ramp_simulator import claims, people, seats
from connections.ramp_simulator.card_routine import CardRoutine
from connections.ramp_simulator.claiming import Claimant
from connections.ramp_simulator.invoicing import Bookkeeper
from connections.ramp_simulator.meddling import meddle
from connections.ramp_simulator.people import Edit, Merchant, Purchase
from connections.ramp_simulator.records import ConnectionType, SyncStatus, Transaction
from connections.ramp_simulator.scenario_data import EQUIPMENT, OFFICE, PLANS, Plan
from connections.ramp_simulator.shopping import Shopper
from connections.ramp_simulator.world import World

_REFUND, _TAKE_BACK, _EDIT, _FIX = 0.04, 0.004, 0.03, 0.006
_LONGEST_SLEEP = 1.0


class _Town:
    """All that goes on in one business."""

    def __init__(self, world: World, plan: Plan, dice: random.Random) -> None:
        self.key = plan.key
        self.shopper = Shopper(plan, dice)
        self.claimant = Claimant(plan, dice, self.shopper)
        self.card = CardRoutine(world, plan, dice)
        self.books = Bookkeeper(world, plan, dice)


class Traffic:
    """One `step` is mostly one purchase marked ready, and now and then something else besides."""

    def __init__(self, world: World, *, seed: int) -> None:
        self._world = world
        # Not the scenario's dice again, nor those of the run before a restart.
        self._dice = random.Random(f"traffic:{seed}:{world.ids.used}")
        present = {business.key for business in world.businesses.all()}
        plans = [plan for plan in PLANS if plan.key in present]
        self._towns = [_Town(world, plan, self._dice) for plan in plans]
        self._sizes = {plan.key: plan.ready for plan in plans}
        # How often of a hundred times.
        acts: tuple[tuple[float, Callable[[_Town], object]], ...] = (
            (83, self._buy),
            (8, self._claim),
            (3, lambda town: town.books.arrive(self._world.clock())),
            (1, lambda town: town.books.settle(self._world.clock())),
            (3, lambda town: town.card.bank()),
            (1.5, lambda town: town.card.reward()),
            (0.5, lambda town: town.card.close()),
        )
        self._acts = [act for _, act in acts]
        self._act_weights = [weight for weight, _ in acts]

    def step(self) -> None:
        [town] = self._dice.choices(self._towns, [self._size(town) for town in self._towns])
        [act] = self._dice.choices(self._acts, self._act_weights)
        business = town.key
        with self._world.change():
            act(town)
            meddle(self._world, business)
            if self._dice.random() < _EDIT:
                self._edit_a_memo(business)
            if self._dice.random() < _TAKE_BACK:
                self._take_one_back(business)
            if self._dice.random() < _FIX:
                self._fix_what_failed(business)

    def _size(self, town: _Town) -> int:
        """Where Ramp itself runs the connection all is still: nobody drains what keeps flowing."""
        seat = seats.active(self._world, town.key)
        is_direct = seat is not None and seat.connection_type is ConnectionType.DIRECT
        return 0 if is_direct else self._sizes[town.key]

    def _buy(self, town: _Town) -> None:
        now = self._world.clock()
        bought = town.shopper.purchase(now)
        if self._dice.random() < _REFUND:
            bought = self._refund_of_an_earlier_one(town.key) or bought
        row = people.spend(self._world, town.key, bought)
        people.mark_ready(self._world, row)

    def _claim(self, town: _Town) -> None:
        claim = town.claimant.claim(self._world.clock())
        row = claims.file_claim(self._world, town.key, claim)
        people.mark_ready(self._world, row)

    def _refund_of_an_earlier_one(self, business: str) -> Purchase | None:
        row = self._pick(business, SyncStatus.SYNCED)
        if row is None or row.minor <= 0 or row.original_minor is not None:
            return None
        return Purchase(
            minor=-row.minor,
            merchant=Merchant(
                name=row.merchant_name,
                category_code=row.merchant_category_code,
                category_id=row.sk_category_id,
                category_name=row.sk_category_name,
                city=row.city,
                country=row.country,
            ),
            lines=[(-line.minor, line.account_code) for line in row.lines],
            options=row.options,
            memo="Refund",
            at=self._world.clock(),
            entity_id=row.entity_id,
            person_id=row.person_id,
            original_transaction_id=row.id,
            has_receipt=False,
        )

    def _edit_a_memo(self, business: str) -> None:
        if row := self._pick(business, SyncStatus.NOT_SYNC_READY):
            people.edit(self._world, row, Edit(memo=f"{row.merchant_name}, see receipt"))

    def _take_one_back(self, business: str) -> None:
        row = self._pick(business, SyncStatus.SYNC_READY)
        if row and _is_for_its_buyer(row):
            people.take_back(self._world, row)

    def _fix_what_failed(self, business: str) -> None:
        """Someone reads an export error, codes the purchase and marks it ready again."""
        rows = self._world.transactions.in_status(business, SyncStatus.SYNC_READY).values()
        failed = [row for row in rows if row.export_error and _is_for_its_buyer(row)]
        if not failed:
            return
        row = self._dice.choice(failed)
        people.take_back(self._world, row)
        people.edit(self._world, row, Edit(account_code=OFFICE))
        people.mark_ready(self._world, row)

    def _pick(self, business: str, status: SyncStatus) -> Transaction | None:
        rows = self._world.transactions.in_status(business, status)
        return self._dice.choice(list(rows.values())) if rows else None


def _is_for_its_buyer(row: Transaction) -> bool:
    """Whether people mend it themselves; an account that the ERP lacks is their accountant's."""
    return all(line.account_code != EQUIPMENT for line in row.lines)


class TrafficThread(threading.Thread):
    """Steps at an even rate, which may be changed while it runs."""

    def __init__(self, traffic: Traffic, *, per_minute: float) -> None:
        super().__init__(name="ramp-simulator-traffic", daemon=True)
        self._traffic = traffic
        self._per_minute = per_minute
        self._is_stopped = threading.Event()

    def set_rate(self, per_minute: float) -> None:
        self._per_minute = per_minute

    def run(self) -> None:
        """Counts what is owed in small sleeps, so that a new rate holds at once."""
        owed = 0.0
        while not self._is_stopped.is_set():
            pause = min(_LONGEST_SLEEP, 60 / self._per_minute) if self._per_minute else 1.0
            self._is_stopped.wait(pause)
            owed += self._per_minute * pause / 60
            while owed >= 1 and not self._is_stopped.is_set():
                self._traffic.step()
                owed -= 1

    def stop(self) -> None:
        self._is_stopped.set()
