"""One error of each category, taken through the words that customers read (R-72 to R-75)."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from connections.erp.errors import Code
from connections.erp.refusals import refusal
from syncing import error_texts
from syncing.classifier import ErrorCategory, classify, text_for_customer

REFERENCE = "RB-7K3Q"
_EXAMPLES: Mapping[ErrorCategory, Code] = {
    ErrorCategory.USER_ACTIONABLE: Code.PERIOD_CLOSED,
    ErrorCategory.TRANSIENT: Code.ERP_UNAVAILABLE,
    ErrorCategory.NEEDS_INTEGRATOR: Code.REJECTED_PAYLOAD,
}
_WHOSE_MOVE: Mapping[ErrorCategory, str] = {
    ErrorCategory.USER_ACTIONABLE: "The customer's accountants",
    ErrorCategory.TRANSIENT: "Nobody's: it is tried again by itself",
    ErrorCategory.NEEDS_INTEGRATOR: "Ours",
}
_BUDGET = 8
_NEXT_TRY = datetime(2000, 1, 1, 14, 5, tzinfo=UTC)
"""Any time will do, and the same one always: people sign the hash of the report that shows it."""


@dataclass(frozen=True, slots=True)
class Routed:
    """An error as it would reach people."""

    category: str
    code: str
    text: str
    """What stands in Ramp as the object's export error."""
    whose_move: str
    faults: list[str]
    """What is wrong with the text; empty if it keeps its category's promise."""

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def routed(*, erp_name: str, contact: str) -> Sequence[Routed]:
    """One of each category, as the engine judges and words it. Nothing is sent."""
    return [
        _one(category, code, erp_name=erp_name, contact=contact)
        for category, code in _EXAMPLES.items()
    ]


def _one(category: ErrorCategory, code: Code, *, erp_name: str, contact: str) -> Routed:
    failure = classify(refusal(code, erp=erp_name), erp_name=erp_name)
    text = text_for_customer(
        failure,
        reference=REFERENCE,
        contact=contact,
        next_try_at=_NEXT_TRY,
        attempt=1,
        budget=_BUDGET,
    )
    faults = error_texts.faults(text, category=failure.category, fix=failure.fix, contact=contact)
    if failure.category != category:
        faults = [*faults, f"It is judged as {failure.category}, not as {category}."]
    return Routed(category.value, failure.code, text, _WHOSE_MOVE[category], faults)
