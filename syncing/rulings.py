"""Rulings: people's decisions that a group of failures belongs to another category (R-77).

The classifier judges; a ruling corrects it, from the next failure on. Only failures ask for them:
what goes through pays nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from syncing.classifier import ErrorCategory, SyncFailure
from syncing.statements import rows, storable

Category = ErrorCategory


@dataclass(frozen=True, slots=True)
class Rule:
    """What is in force for one group."""

    category: ErrorCategory
    fix: str = ""


def choices(code: str, category: str) -> list[ErrorCategory]:
    """The categories that failures with a code may be ruled to belong to. Pure.

    Time heals only what the other side refused: what our own mapper refuses, what has been tried
    eight times, and what is in the ERP already would be refused again unchanged.
    """
    heals = code.startswith(("erp.", "vendor.")) and not code.endswith(_PAST_TIME)
    return [
        one for one in ErrorCategory if one != category and (one is not Category.TRANSIENT or heals)
    ]


_PAST_TIME = (".gave_up", ".review", ".mismatch", ".booked_otherwise", ".expense_twice")


def ruled(failure: SyncFailure, rule: Rule | None) -> SyncFailure:
    """The failure as the ruling has it. Pure. The fix stays, so that it can be withdrawn."""
    if rule is None:
        return failure
    return replace(failure, category=rule.category, fix=rule.fix or failure.fix)


def follow(failures: Sequence[SyncFailure]) -> list[SyncFailure]:
    """The failures, each as the ruling on its group has it. One statement, however many."""
    if not failures:
        return []
    found = rows(
        """
        SELECT f.place, r.category, r.fix
        FROM unnest(%(codes)s::text[], %(titles)s::text[]) WITH ORDINALITY AS f(code, title, place)
        JOIN syncing_ruling r
            ON r.fingerprint = md5(f.code || ' ' || rampbridge_cause(f.title))
            AND r.withdrawn_at IS NULL
        """,
        {
            "codes": [failure.code[:60] for failure in failures],
            "titles": [storable(failure.title)[:300] for failure in failures],
        },
    )
    rules = {place: Rule(ErrorCategory(category), fix) for place, category, fix in found}
    return [ruled(failure, rules.get(place)) for place, failure in enumerate(failures, 1)]
