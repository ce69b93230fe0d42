"""What the demo's businesses have in Ramp from the time before us, and we have to live with.

One had a connection by CSV files, whose accounts its next ERP does not know. All have vendors of
Ramp's that nobody has linked to the ERP's, some of them almost of the same name.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from connections.ramp_simulator import bill_acts, chart, people, seats
from connections.ramp_simulator.amounts import factor
from connections.ramp_simulator.bodies import AccountUpload
from connections.ramp_simulator.people import Merchant, Purchase
from connections.ramp_simulator.records import ConnectionType
from connections.ramp_simulator.scenario_data import EQUIPMENT, MIGRATING, Plan
from connections.ramp_simulator.world import World

CSV_BUSINESS: Final = "blue-mesa-solar"
FORMER_PURCHASES: Final = 31
_FORMER_ACCOUNTS = (
    (EQUIPMENT, "Equipment rental"),
    ("7210", "Subcontractors"),
    ("7340", "Permits and inspections"),
)
_RENTALS = ("United Rentals", "Sunbelt Rentals", "Herc Rentals")
_MEMOS = ("Scissor lift, one week", "Trencher", "Boom lift, roof crew", "Generator", "Forklift")
_LONGEST_AGO = timedelta(days=12)


@dataclass(frozen=True, slots=True)
class Stranger:
    """A vendor that nobody has linked: paid so many whole US dollars' worth in the last year."""

    name: str
    paid: int
    email: str | None = None
    country: str | None = None
    is_active: bool = True


_EVERYWHERE: Sequence[Stranger] = (
    Stranger("Uline, Inc.", 18_400, "ar@uline.example", "US"),
    Stranger("Federal Express", 6_250, "billing@fedex.example", "US"),
    Stranger("Mueller & Soehne Verpackung GmbH", 3_900, "buchhaltung@mueller.example", "DE"),
    Stranger("Delta Airlines", 2_100),
    Stranger("Old Mill Printing", 480, is_active=False),
)
_OWN: Mapping[str, Sequence[Stranger]] = {
    "harbor-coffee": (
        Stranger("Cafe Imports", 27_300),
        Stranger("Portland Packaging Co.", 9_700),
        Stranger("Willamette Water Service", 1_260),
    ),
    "northwind-robotics": (
        Stranger("Proto Labs, Inc.", 41_800),
        Stranger("Three Rivers Machining", 12_900),
    ),
    "atelier-lumiere": (Stranger("Verrerie du Rhône", 8_600), Stranger("Imprimerie Castel", 2_450)),
    "sakura-foods": (Stranger("大阪包装資材", 7_100), Stranger("佐藤会計", 1_900)),
    "pennine-outdoor": (Stranger("Peak Printworks Ltd", 3_300), Stranger("Dales Freight", 1_750)),
    "blue-mesa-solar": (
        Stranger("CED Green Tech", 88_200),
        Stranger("Rio Grande Roofing LLC", 36_400),
        Stranger("Sandia Crane & Rigging", 14_050),
    ),
    "verde-clinics": (Stranger("McKesson Corp.", 52_700), Stranger("Catalina Linen", 5_150)),
    MIGRATING: (Stranger("Sysco Corporation", 61_200), Stranger("Pisgah Elevator", 8_900)),
}


def bring_along(world: World, plan: Plan, dice: random.Random) -> None:
    """Comes after everything else, so that all else stays as it is."""
    if plan.key == CSV_BUSINESS:
        _connect_by_csv(world, plan)
        _rent_equipment(world, plan, dice)
    _know_merchants(world, plan)
    for stranger in (*_EVERYWHERE, *_OWN[plan.key]):
        _add(world, plan, stranger)


def _connect_by_csv(world: World, plan: Plan) -> None:
    """It holds the seat until a client takes it over, accounts and all."""
    connection = seats.occupy(world, plan.key, "Universal CSV", ConnectionType.CSV)
    uploads = [
        AccountUpload(id=f"QB-{code}", name=name, code=code, classification="EXPENSE")
        for code, name in _FORMER_ACCOUNTS
    ]
    chart.add_accounts(world, connection, uploads)


def _rent_equipment(world: World, plan: Plan, dice: random.Random) -> None:
    """Coded to an account of the former chart: none of it can be booked before it is mapped."""
    for at in _moments_of_this_month(world):
        name = dice.choice(_RENTALS)
        bought = Purchase(
            minor=round(dice.uniform(180, 2900) * factor(plan.currency)),
            merchant=Merchant(
                name=name, category_code="7394", category_id=19, category_name="Equipment Rental"
            ),
            account_code=EQUIPMENT,
            options={"Department": "OPS"},
            memo=dice.choice(_MEMOS),
            at=at,
        )
        people.mark_ready(world, people.spend(world, plan.key, bought), notify=False)


def _moments_of_this_month(world: World) -> list[datetime]:
    """None of them is on last month's statement, which is closed."""
    now = world.clock().replace(microsecond=0)
    begin = max(now - _LONGEST_AGO, now.replace(day=1, hour=0, minute=0, second=0))
    step = (now - begin) / (FORMER_PURCHASES + 1)
    return [begin + step * number for number in range(1, FORMER_PURCHASES + 1)]


def _know_merchants(world: World, plan: Plan) -> None:
    """Who is paid by card too is one of Ramp's merchants besides."""
    merchants = {shop.merchant.name: shop.merchant for shop in plan.shops}
    for payee in list(world.payees.of(plan.key)):
        if merchant := merchants.get(payee.name):
            payee.merchant_id = people.merchant_id(plan.key, merchant)
            world.payees.put(payee)


def _add(world: World, plan: Plan, stranger: Stranger) -> None:
    at = world.clock().replace(microsecond=0) - timedelta(days=300)
    payee = bill_acts.add_payee(world, plan.key, stranger.name, linked_to=None, at=at)
    if stranger.country and stranger.country != payee.country:
        payee.country, payee.state = stranger.country, None
    payee.email = stranger.email
    payee.is_active = stranger.is_active
    payee.paid_before = round(stranger.paid * plan.price_level) * factor(plan.currency)
    world.payees.put(payee)
