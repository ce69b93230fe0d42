"""Whom the invented businesses get bills from, and for what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from connections.ramp_simulator.scenario_data import (
    ADVERTISING,
    MEALS,
    MIGRATING,
    OFFICE,
    PROFESSIONAL,
    SOFTWARE,
    TRAVEL,
)


@dataclass(frozen=True, slots=True)
class Supplier:
    """Bills of so many whole US dollars' worth; `has_account` bills carry one number every time."""

    name: str
    account_code: str
    lowest: float
    highest: float
    memo: str
    weight: int = 3
    has_account: bool = False


EVERYWHERE: Sequence[Supplier] = (
    Supplier("Amazon Web Services", SOFTWARE, 320, 9400, "Monthly usage", 5),
    Supplier("Staples", OFFICE, 45, 980, "Monthly order", 4),
    Supplier("WeWork", OFFICE, 900, 4800, "Rent", 4, has_account=True),
    Supplier("Figma", SOFTWARE, 45, 720, "Seats", 2),
    Supplier("Delta Air Lines", TRAVEL, 260, 3100, "Travel account", 2),
)
OWN: Mapping[str, Sequence[Supplier]] = {
    "harbor-coffee": (Supplier("Café Imports", OFFICE, 400, 6200, "Green coffee", 2),),
    "northwind-robotics": (Supplier("Protolabs", PROFESSIONAL, 500, 9800, "Machined parts", 2),),
    "atelier-lumiere": (Supplier("Étude Vasseur", PROFESSIONAL, 350, 2400, "Honoraires", 1),),
    "sakura-foods": (Supplier("佐藤会計事務所", PROFESSIONAL, 250, 1400, "月次顧問料", 1),),
    "pennine-outdoor": (Supplier("Peak Print Works", ADVERTISING, 90, 1200, "Catalogue", 1),),
    "blue-mesa-solar": (Supplier("CED Greentech", OFFICE, 600, 9800, "Racking", 2),),
    "verde-clinics": (Supplier("McKesson", OFFICE, 300, 7600, "Supplies", 2),),
    MIGRATING: (Supplier("Sysco", MEALS, 400, 5200, "Kitchen account", 3),),
}
_FAR = Supplier("Bergmann Werkzeuge GmbH", OFFICE, 120, 2600, "Tools from abroad")
_FAR_CURRENCY = {"USD": ("EUR", 1.085), "EUR": ("USD", 0.9217), "GBP": ("EUR", 0.8571)}


def of(key: str) -> Sequence[Supplier]:
    return (*EVERYWHERE, *OWN[key])


def abroad(currency: str) -> tuple[Supplier, str, float]:
    """One from another country, its currency, and what a unit of that costs in `currency`."""
    foreign, rate = _FAR_CURRENCY.get(currency, ("USD", 149.53))
    return _FAR, foreign, rate
