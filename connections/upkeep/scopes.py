"""Which permission of Ramp each feature needs, and what goes without it (R-03). Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Feature:
    """Something rampbridge does for a customer, and the scopes it takes."""

    name: str
    scopes: tuple[str, ...]
    without: str
    """What does not happen while one of them is missing."""
    object_type: str = ""
    """The type of object that it brings, if it is about one."""
    is_vital: bool = False
    """Without it there is no connection at all."""


FEATURES: Sequence[Feature] = (
    Feature(
        "Connection, chart and reports",
        ("accounting:read", "accounting:write"),
        "Nothing can be uploaded, marked ready or confirmed.",
        is_vital=True,
    ),
    Feature(
        "Whose business it is",
        ("business:read",),
        "A customer cannot be told from another that is connected already.",
        is_vital=True,
    ),
    Feature(
        "Entities",
        ("entities:read",),
        "Ramp's entities cannot be mapped to companies of the ERP.",
        is_vital=True,
    ),
    Feature(
        "Card transactions",
        ("transactions:read",),
        "Card spend does not reach the ERP.",
        "transaction",
    ),
    Feature(
        "Reimbursements",
        ("reimbursements:read",),
        "Reimbursements do not reach the ERP.",
        "reimbursement",
    ),
    Feature("Bills and their payments", ("bills:read",), "Bills do not reach the ERP.", "bill"),
    Feature(
        "Transfers",
        ("transfers:read",),
        "Payments of card statements do not reach the ERP.",
        "transfer",
    ),
    Feature("Cashback", ("cashbacks:read",), "Cashback does not reach the ERP.", "cashback"),
    Feature("Ends of card numbers", ("cards:read",), "Items cannot be found by their card's end."),
    Feature("Card statements", ("statements:read",), "Statements are not kept for comparison."),
    Feature(
        "Vendor credits",
        ("vendors:read",),
        "Vendor credits do not reach the ERP, and vendors of Ramp are not known.",
        "vendor_credit",
    ),
    Feature(
        "Linking vendors",
        ("vendors:read", "vendors:write"),
        "Vendors of Ramp cannot be linked to vendors of the ERP.",
    ),
    Feature("Receipts", ("receipts:read",), "Receipts are not attached to the ERP's documents."),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the matrix."""

    feature: Feature
    granted: frozenset[str]
    missing: tuple[str, ...]
    is_wanted: bool
    """The customer has it switched on, or cannot be without it."""

    @property
    def is_ready(self) -> bool:
        return not self.missing


def matrix(granted: Collection[str], object_types: Collection[str]) -> list[Line]:
    """Each feature with the scopes it has and lacks."""
    return [
        Line(
            feature,
            frozenset(feature.scopes) & frozenset(granted),
            tuple(scope for scope in feature.scopes if scope not in granted),
            is_wanted=feature.is_vital or feature.object_type in object_types,
        )
        for feature in FEATURES
    ]


def missing(granted: Collection[str], object_types: Collection[str]) -> list[str]:
    """Scopes that something wanted needs and that were not granted."""
    lines = matrix(granted, object_types)
    return sorted({scope for line in lines if line.is_wanted for scope in line.missing})


def can_read(object_type: str, granted: Collection[str]) -> bool:
    """Whether a type of object can be read at all."""
    return all(
        set(feature.scopes) <= set(granted)
        for feature in FEATURES
        if feature.object_type == object_type
    )
