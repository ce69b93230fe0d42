"""What customers, merchants, people and invoices of a made-up fleet are called."""

import random
from collections.abc import Sequence
from itertools import accumulate

WELL_KNOWN = (
    "Amazon Web Services", "Amazon", "Uber", "Delta Air Lines", "Figma", "GitHub", "Google Ads",
    "Slack", "Zoom", "Notion", "Staples", "Uline", "FedEx", "UPS", "Starbucks", "DoorDash",
    "United Airlines", "Marriott", "Hilton", "Airbnb", "LinkedIn", "Adobe", "Atlassian",
    "Microsoft 365", "OpenAI", "Anthropic", "Datadog", "Cloudflare", "Twilio", "Stripe",
    "Shell", "Chevron", "Home Depot", "Lowe's", "Costco", "Walmart", "Target", "Best Buy",
    "WeWork", "Comcast", "Verizon", "AT&T", "Gusto", "Rippling", "Lyft", "Southwest Airlines",
    "Hertz", "Enterprise Rent-A-Car", "Grainger", "McMaster-Carr", "Café de Flore", "O'Reilly",
    "株式会社ローソン", "Müller Büromarkt", "Crème & Sucre", "7-Eleven",
)  # fmt: skip
_FIRST = (
    "Blue", "Harbor", "North", "Silver", "Cedar", "Granite", "Bright", "Summit", "River", "Golden",
    "Iron", "Maple", "Coastal", "Urban", "Prairie", "Evergreen", "Copper", "Lakeside", "Union",
    "Pioneer", "Red Oak", "Stone", "Valley", "Westfield", "Ashby", "Kingsley", "Orchard", "Falcon",
    "Beacon", "Crescent", "Delta", "Aurora", "Willow", "Keystone", "Liberty", "Magnolia", "Atlas",
    "Juniper", "Meridian", "Pacific", "Quarry", "Sierra", "Tidewater", "Vanguard", "Windward",
)  # fmt: skip
_SECOND = (
    "Office Supply", "Print Works", "Catering", "Logistics", "Legal", "Electric", "Plumbing",
    "Coffee", "Bakery", "Software", "Consulting", "Freight", "Rentals", "Media", "Dental", "Paper",
    "Hardware", "Landscaping", "Security", "Travel", "Cleaning", "Packaging", "Insurance",
    "Analytics", "Robotics", "Foods", "Textiles", "Glass", "Motors", "Studios",
)  # fmt: skip
_ENDINGS = ("", "", "", " LLC", " Inc", " Co", " GmbH", " Ltd")
_GIVEN = (
    "Maya", "Ada", "Noah", "Lena", "Tariq", "Sofia", "Ken", "Priya", "Jonas", "Amélie", "Diego",
    "Hana", "Omar", "Ruth", "Viktor", "Grace", "Mei", "Samuel", "Ingrid", "Pablo",
)  # fmt: skip
_FAMILY = (
    "Okafor", "Byron", "Larsen", "Tanaka", "Novak", "O'Neill", "Silva", "Haddad", "Kowalski",
    "Dubois", "Fischer", "Nakamura", "Rossi", "Jensen", "Patel", "Moreau", "Lindqvist", "García",
    "Brooks", "Yamada",
)  # fmt: skip
MEMOS = (
    "", "", "", "team lunch", "Q4 offsite", "monthly seats", "client visit", "replacement parts",
    "renewal", "conference", "shipping", "office snacks", "campaign", "field trip", "training",
)  # fmt: skip
ERPS = (
    ("netsuite", "NetSuite", 30),
    ("quickbooks", "QuickBooks Online", 30),
    ("tryton", "Tryton", 15),
    ("xero", "Xero", 10),
    ("sage_intacct", "Sage Intacct", 10),
    ("business_central", "Business Central", 5),
)
"""Kind, name, and how many of a hundred customers have it."""
CURRENCIES = (("USD", 2, 70), ("EUR", 2, 12), ("GBP", 2, 8), ("CAD", 2, 6), ("JPY", 0, 4))
ZONES = ("America/New_York", "America/Los_Angeles", "Europe/Paris", "Asia/Tokyo", "UTC")


def merchants(count: int = 20_000) -> list[str]:
    """The merchants, the best known first."""
    made = [
        f"{first} {second}{ending}{number}"
        for number in ("", *(f" {n}" for n in range(2, 40)))
        for ending in _ENDINGS[3:]
        for second in _SECOND
        for first in _FIRST
    ]
    return [*WELL_KNOWN, *made][:count]


def people() -> list[str]:
    return [f"{given} {family}" for given in _GIVEN for family in _FAMILY]


def customer_name(number: int) -> str:
    """The name of a customer; every one has another."""
    first = _FIRST[number % len(_FIRST)]
    second = _SECOND[number // len(_FIRST) % len(_SECOND)]
    rest = number // (len(_FIRST) * len(_SECOND))
    return f"{first} {second}{_ENDINGS[rest % 5 + 2]}{f' {rest + 1}' if rest else ''}"


class Often:
    """Draws from a list in which what stands first comes most often, as with words and cities."""

    def __init__(self, count: int, exponent: float, offset: float = 1.0) -> None:
        self._weights = list(accumulate((n + offset) ** -exponent for n in range(count)))
        self._all = range(count)

    def draw(self, chance: random.Random, number: int) -> Sequence[int]:
        return chance.choices(self._all, cum_weights=self._weights, k=number)
