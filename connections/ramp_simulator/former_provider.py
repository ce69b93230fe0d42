"""The demo's business that is still with another provider, as it stands before it is moved."""

import random
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from connections.ramp_simulator import direct, people
from connections.ramp_simulator.records import Line
from connections.ramp_simulator.scenario_data import (
    ADVERTISING,
    DEPARTMENT_NAMES,
    EQUIPMENT,
    OFFICE,
    PLANS,
    PROFESSIONAL,
)
from connections.ramp_simulator.shopping import DEPARTMENT, Shopper
from connections.ramp_simulator.switching import CodedRow, coded_rows, lines_of
from connections.ramp_simulator.world import World

_ACCOUNTS: Final = {ADVERTISING: "61", PROFESSIONAL: "63"}
"""What has no code there is kept by its id."""
_CLASSES: Final = {
    code: given
    for code, name in DEPARTMENT_NAMES.items()
    for given, called in direct.CLASSES
    if called == name
}
_RENTED: Final = 0.2
"""Of the office's purchases: rented, says a chart that knows more accounts than the next one."""
_WAITING: Final = 7


def stay_with_another(world: World, business: str, dice: random.Random) -> None:
    """Another provider has booked nearly all there is; the newest purchases still wait for it."""
    vendors = tuple(sorted({payee.name for payee in world.payees.of(business)}))
    direct.connect(world, business, vendors=vendors)
    for row in coded_rows(world, business):
        _use_its_chart(world, row, dice)
    direct.sync(world, business)
    plan = next(one for one in PLANS if one.key == business)
    shopper = Shopper(plan, dice)
    for number in range(_WAITING, 0, -1):
        bought = shopper.plain(world.clock() - timedelta(hours=3 * number))
        row = people.spend(world, business, bought)
        _use_its_chart(world, row, dice)
        people.mark_ready(world, row, notify=False)


def _use_its_chart(world: World, row: CodedRow, dice: random.Random) -> None:
    row.options = _options(row.options)
    for line in lines_of(row):
        _recode(line, dice)
    world.keep(row)


def _recode(line: Line, dice: random.Random) -> None:
    line.options = _options(line.options)
    if line.account_code == OFFICE and dice.random() < _RENTED:
        line.account_code = EQUIPMENT
    if line.account_code:
        line.account_code = _ACCOUNTS.get(line.account_code, line.account_code)


def _options(options: Mapping[str, str]) -> dict[str, str]:
    return {
        direct.CLASS if name == DEPARTMENT else name: _CLASSES.get(code, code)
        for name, code in options.items()
    }
