"""Named worlds to start from, the same every time for one seed and one moment."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connections.ramp_simulator import people
from connections.ramp_simulator.former_provider import stay_with_another
from connections.ramp_simulator.heritage import bring_along
from connections.ramp_simulator.invoicing import Bookkeeper
from connections.ramp_simulator.oauth import CLIENT_ID_PREFIX, SECRET_PREFIX
from connections.ramp_simulator.other_past import OtherPast
from connections.ramp_simulator.people import Purchase
from connections.ramp_simulator.records import Business, Entity, Person, Transaction
from connections.ramp_simulator.scenario_data import DEPARTMENT_NAMES, MIGRATING, PLANS, Plan
from connections.ramp_simulator.shopping import Shopper
from connections.ramp_simulator.world import World

SCOPES = [
    "accounting:read",
    "accounting:write",
    "bills:read",
    "business:read",
    "cards:read",
    "cashbacks:read",
    "entities:read",
    "receipts:read",
    "reimbursements:read",
    "statements:read",
    "transactions:read",
    "transfers:read",
    "users:read",
    "vendors:read",
    "vendors:write",
]
_SMALL = ("harbor-coffee", "northwind-robotics", "sakura-foods")
_SMALL_READY = 12
_NOT_READY_SHARE = 0.12
_REFUND_SHARE = 0.03
_BILLS_PER_PURCHASE = 0.06


class NoSuchScenario(Exception):
    """The name is none of `NAMES`."""


NAMES = ("empty", "small", "demo")


def play(world: World, name: str, *, seed: int, scale: float) -> None:
    """Fill an empty world.

    `empty` has the seven demo businesses and no spend, `small` three of them with a dozen ready
    transactions each, `demo` all seven with some eight hundred, everything else that Ramp syncs
    besides, and what they bring along from the time before us, and an eighth that is still with
    another provider. `scale` multiplies the numbers, but for what is from before us.

    :raises NoSuchScenario: for any other name
    """
    if name not in NAMES:
        raise NoSuchScenario(f"There is no scenario {name!r}; there are {', '.join(NAMES)}.")
    for plan in PLANS:
        if name == "small" and plan.key not in _SMALL:
            continue
        if plan.key == MIGRATING and name != "demo":
            continue
        _found(world, plan)
        if name != "empty":
            ready = round((_SMALL_READY if name == "small" else plan.ready) * scale)
            past = _Past(world, plan, random.Random(f"{seed}:{plan.key}"))
            past.live(ready)
            if name == "demo":
                past.live_besides(ready, random.Random(f"{seed}:{plan.key}:besides"))
    if name == "demo":
        stay_with_another(world, MIGRATING, random.Random(f"{seed}:{MIGRATING}:provider"))
        for plan in PLANS:
            bring_along(world, plan, random.Random(f"{seed}:{plan.key}:heritage"))


def _found(world: World, plan: Plan) -> None:
    """A business with its entities, its people and their cards."""
    ids, now = world.ids, world.clock()
    founded = now.replace(microsecond=0) - timedelta(days=400)
    world.businesses.put(
        Business(
            id=ids.uuid(),
            seq=ids.rank(),
            business=plan.key,
            key=plan.key,
            name=plan.name,
            currency=plan.currency,
            country=plan.country,
            website=plan.website,
            phone=plan.phone,
            client_id=ids.secret(CLIENT_ID_PREFIX),
            client_secret=ids.secret(SECRET_PREFIX),
            scopes=list(SCOPES),
            created_at=founded,
        )
    )
    entities = [
        world.entities.put(
            Entity(
                id=ids.uuid(),
                seq=ids.rank(),
                business=plan.key,
                name=name,
                currency=plan.currency,
                is_primary=number == 0,
                created_at=founded,
            )
        )
        for number, name in enumerate(plan.entities)
    ]
    departments = {code: ids.uuid() for code in sorted(DEPARTMENT_NAMES)}
    locations = [ids.uuid() for _ in entities]
    for number, (first_name, last_name, department) in enumerate(plan.people):
        place = number % len(entities)
        world.people.put(
            Person(
                id=ids.uuid(),
                seq=ids.rank(),
                business=plan.key,
                first_name=first_name,
                last_name=last_name,
                employee_id=f"E{1001 + number}",
                department_id=departments[department],
                department_name=DEPARTMENT_NAMES[department],
                location_id=locations[place],
                location_name=plan.city,
                card_id=ids.uuid(),
                entity_id=entities[place].id,
            )
        )


class _Past:
    """What one business did since the first of last month."""

    def __init__(self, world: World, plan: Plan, dice: random.Random) -> None:
        self._world = world
        self._plan = plan
        self._dice = dice
        self._shopper = Shopper(plan, dice)
        now = world.clock().astimezone(UTC).replace(microsecond=0)
        last_month = now.replace(day=1) - timedelta(days=1)
        self._begin = last_month.replace(day=1, hour=8, minute=0, second=0)
        self._now = now

    def live(self, ready: int) -> None:
        """Every special case once, then ordinary days; `ready` transactions end up ready."""
        shopper = self._shopper
        specials = [make(at) for make, at in zip(self._makers(), self._moments(5), strict=True)]
        bought = specials[0]
        row = self._spend(bought, is_ready=True)
        self._refund(bought, row)
        for special in specials[1:]:
            self._spend(special, is_ready=True)
        for at in self._moments(max(0, ready - len(specials) - 1)):
            if self._dice.random() < _REFUND_SHARE:
                self._refund(bought, row)
                continue
            bought = shopper.purchase(at)
            row = self._spend(bought, is_ready=True)
        for at in self._moments(round(ready * _NOT_READY_SHARE)):
            self._spend(shopper.purchase(at), is_ready=False)
        for state in ("PENDING", "DECLINED"):
            bought = replace(shopper.plain(self._now - timedelta(hours=3)), state=state)
            self._spend(bought, is_ready=False)

    def live_besides(self, ready: int, dice: random.Random) -> None:
        """Everything but purchases; with dice of its own, so that those stay as they are."""
        self._dice = dice
        OtherPast(self._world, self._plan, dice).live(ready, self._begin, self._now, self._moments)
        bills = self._moments(round(ready * _BILLS_PER_PURCHASE))
        Bookkeeper(self._world, self._plan, dice).live(bills, self._now)

    def _makers(self) -> tuple[Callable[[datetime], Purchase], ...]:
        shopper = self._shopper
        return (
            shopper.plain,
            shopper.split,
            shopper.foreign,
            shopper.uncoded,
            shopper.old_project,
        )

    def _refund(self, bought: Purchase, row: Transaction) -> None:
        at = min(self._now, row.user_transaction_time + timedelta(days=2))
        refund = self._shopper.refund(bought, at, row.id)
        self._spend(replace(refund, person_id=row.person_id), is_ready=True)

    def _moments(self, count: int) -> list[datetime]:
        """Moments in order, by day and not by night."""
        days = max(1, (self._now - self._begin).days)
        moments = [
            self._begin
            + timedelta(days=self._dice.randrange(days), minutes=self._dice.randrange(600))
            for _ in range(count)
        ]
        return sorted(min(moment, self._now) for moment in moments)

    def _spend(self, bought: Purchase, *, is_ready: bool) -> Transaction:
        row = people.spend(self._world, self._plan.key, bought)
        if is_ready:
            people.mark_ready(self._world, row, notify=False)
        return row
