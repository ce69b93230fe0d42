"""What a demo business did besides buying: claims of its people, and its card's account."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from connections.ramp_simulator import claims, people
from connections.ramp_simulator.card_routine import CardRoutine
from connections.ramp_simulator.claiming import Claimant
from connections.ramp_simulator.claims import Claim
from connections.ramp_simulator.scenario_data import Plan
from connections.ramp_simulator.shopping import Shopper
from connections.ramp_simulator.world import World

_CLAIMS_PER_PURCHASE = 0.12
_RETURNED_PAYMENT = "blue-mesa-solar"


class OtherPast:
    """Comes after the purchases, for a statement covers them."""

    def __init__(self, world: World, plan: Plan, dice: random.Random) -> None:
        self._world = world
        self._plan = plan
        self._claimant = Claimant(plan, dice, Shopper(plan, dice))
        self._routine = CardRoutine(world, plan, dice)

    def live(
        self,
        purchases: int,
        begin: datetime,
        now: datetime,
        moments: Callable[[int], list[datetime]],
    ) -> None:
        """`purchases` is how many are ready; `moments` gives that many moments in order."""
        makers = self._claimant.specials()
        ordinary = max(0, round(purchases * _CLAIMS_PER_PURCHASE) - len(makers))
        for at, make in zip(moments(len(makers)), makers, strict=True):
            self._file(make(at), is_ready=True)
        for at in moments(ordinary):
            self._file(self._claimant.claim(at), is_ready=True)
        for state in ("DRAFT", "PENDING", "REJECTED"):
            claim = self._claimant.bought(now - timedelta(hours=5))
            self._file(replace(claim, state=state), is_ready=False)
        self._routine.live(begin.replace(hour=0, minute=0), now)
        if self._plan.key == _RETURNED_PAYMENT:
            self._routine.come_back(now - timedelta(days=1))

    def _file(self, claim: Claim, *, is_ready: bool) -> None:
        row = claims.file_claim(self._world, self._plan.key, claim)
        if is_ready:
            people.mark_ready(self._world, row, notify=False)
