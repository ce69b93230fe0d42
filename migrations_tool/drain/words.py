"""Names of types, and times, as pages and gates say them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo

NAMES: Mapping[str, str] = {
    "transaction": "card transaction",
    "reimbursement": "reimbursement",
    "bill": "bill",
    "bill_payment": "bill payment",
    "transfer": "transfer",
    "cashback": "cashback",
}


def many(name: str) -> str:
    """A type in the plural; of cashback there is none."""
    return "cashback" if name == "cashback" else f"{NAMES.get(name, name)}s"


def counted(count: int, name: str) -> str:
    """`1 bill`, `2,310 card transactions`."""
    return f"{count:,} {NAMES.get(name, name) if count == 1 else many(name)}"


def listed(words: Sequence[str]) -> str:
    """`bills, bill payments and transfers`."""
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def times(when: datetime, zone: tzinfo) -> str:
    """The time of day where the customer is."""
    return f"{when.astimezone(zone):%H:%M %Z}"
