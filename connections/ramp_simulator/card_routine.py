"""What happens on the card's account of one business, month by month and in between."""

import random
from datetime import datetime, timedelta

from connections.ramp_simulator import banking
from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.records import Entity
from connections.ramp_simulator.scenario_data import Plan
from connections.ramp_simulator.world import World

_CASHBACK_SHARE = 0.015
_DUE_DAY = timedelta(days=4, hours=15)
_ENOUGH_FOR_A_STATEMENT = 5
_PROCESSING, _COMES_BACK = "PROCESSING_BY_ODFI", 0.02


class CardRoutine:
    """Payments, cashbacks and statements, from the dice of the scenario."""

    def __init__(self, world: World, plan: Plan, dice: random.Random) -> None:
        self._world = world
        self._plan = plan
        self._dice = dice

    def live(self, begin: datetime, now: datetime) -> None:
        """Last month from its first moment, and this one so far.

        The balance from before is paid, cashback comes on the last day, the statement is closed,
        and its balance is paid in turn.
        """
        key = self._plan.key
        month = (begin + timedelta(days=31)).replace(day=1)
        entities = list(self._world.entities.of(key))
        owed = {entity.id: self._some_balance() for entity in entities}
        for entity in entities:
            self._pay(entity, owed[entity.id], begin + _DUE_DAY, now)
            self._give_cashback(entity, month - timedelta(hours=4))
        statement = banking.close_statement(self._world, key, begin=begin, end=month, opening=owed)
        balances = {section.entity_id: section.ending for section in statement.sections}
        for entity in entities:
            self._pay(entity, balances[entity.id], month + _DUE_DAY, now)

    def come_back(self, at: datetime) -> None:
        """The bank returns a payment."""
        banking.pay(
            self._world,
            self._plan.key,
            minor=self._some_balance() // 10,
            status="RETURNED_BY_RDFI",
            at=at,
        )

    def bank(self) -> None:
        """A payment on its way arrives, or now and then comes back; else one sets out."""
        for row in self._world.transfers.of(self._plan.key):
            if row.status == _PROCESSING:
                returns = self._dice.random() < _COMES_BACK
                banking.move(self._world, row, "RETURNED_BY_RDFI" if returns else "COMPLETED")
                return
        minor = self._some_balance() // 4
        banking.pay(self._world, self._plan.key, minor=minor, status=_PROCESSING)

    def reward(self) -> None:
        minor = round(self._some_balance() * _CASHBACK_SHARE)
        banking.give_cashback(self._world, self._plan.key, minor=minor)

    def close(self) -> None:
        """A statement of what has come together, if that is enough."""
        key, world = self._plan.key, self._world
        last = banking.last_statement(world, key)
        since = last.end if last else world.business(key).created_at
        waiting = sum(
            since <= row.user_transaction_time < world.clock() and row.state == "CLEARED"
            for row in world.transactions.of(key)
        )
        if waiting >= _ENOUGH_FOR_A_STATEMENT:
            banking.close_statement(world, key)

    def _pay(self, entity: Entity, minor: int, at: datetime, now: datetime) -> None:
        """A payment whose day has not come yet is on its way."""
        status = "COMPLETED" if at <= now else _PROCESSING
        moment = min(at, now)
        if minor > 0:
            banking.pay(
                self._world,
                self._plan.key,
                minor=minor,
                status=status,
                entity_id=entity.id,
                at=moment,
            )

    def _give_cashback(self, entity: Entity, at: datetime) -> None:
        spent = sum(
            row.minor
            for row in self._world.transactions.of(self._plan.key)
            if row.entity_id == entity.id
            and row.state == "CLEARED"
            and row.user_transaction_time < at
        )
        minor = round(spent * _CASHBACK_SHARE)
        if minor > 0:
            banking.give_cashback(
                self._world, self._plan.key, minor=minor, entity_id=entity.id, at=at
            )

    def _some_balance(self) -> int:
        dollars = self._dice.uniform(4_000, 26_000)
        return round(dollars * self._plan.price_level * factor(self._plan.currency))
