"""What is wrong with a record, found before any call (R-32). Pure, but for what it is handed."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from connections.mirror.diff import ACCOUNT, TAX_CODE, TAX_RATE
from connections.mirror.our_copy import NAME_LIMIT

CLASSES = frozenset(
    {"ANY", "ASSET", "CREDCARD", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE", "UNKNOWN"}
)
"""What Ramp knows an account to be."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a record is not sent. `text` is fit to show, `field` names what to mend."""

    text: str
    field: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What else must be known to judge the rows of one kind."""

    holders: Mapping[str, str] = field(default_factory=dict)
    """Codes that several records share: the ERP's id of the one that may have it."""
    accounts: Collection[str] = ()
    """The ERP's ids of accounts that Ramp offers, for tax rates."""
    rates: Collection[str] = ()
    """The ERP's ids of tax rates that Ramp has, for tax codes."""


def problem(kind: str, row: Any, around: Surroundings) -> Problem | None:
    """The first thing wrong with a row, or None."""
    if not row.name.strip():
        return Problem("It has no name in the ERP. Enter one there.", "name")
    if len(row.name) >= NAME_LIMIT:
        return Problem(
            f"Its name has {NAME_LIMIT} characters or more. Shorten it in the ERP.", "name"
        )
    holder = around.holders.get(row.code) if row.code else None
    if holder is not None and holder != row.erp_id:
        return Problem(
            f"The code {row.code} is also that of record {holder}. Give one of them another code"
            " in the ERP.",
            "code",
        )
    if kind == ACCOUNT and row.classification not in CLASSES:
        return Problem(f"Ramp knows no class of accounts {row.classification}.", "classification")
    if kind in (TAX_RATE, TAX_CODE) and row.ramp_id is not None and not row.ramp_is_active:
        return Problem(
            "It is deactivated in Ramp, and for taxes Ramp has no way back. Make a new one in the"
            " ERP.",
            "is_active",
        )
    return _tax_problem(kind, row, around)


def _tax_problem(kind: str, row: Any, around: Surroundings) -> Problem | None:
    if kind == TAX_RATE:
        if row.rate < 0:
            return Problem("Its rate is below zero, which Ramp does not take.", "rate")
        if not row.account_erp_id:
            return Problem("The ERP says no account for it. Ramp needs one.", "account")
        if row.account_erp_id not in around.accounts:
            return Problem(
                f"Its account {row.account_erp_id} is not in Ramp, and it cannot go before it.",
                "account",
            )
    if kind == TAX_CODE:
        missing = [rate for rate in row.rate_erp_ids if rate not in around.rates]
        if missing:
            return Problem(
                f"Its rate {missing[0]} is not in Ramp, and it cannot go before it.", "rates"
            )
    return None
