"""Which accounts of an ERP may stand for what Ramp does not code, and which is meant. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


class Account(Protocol):
    """An account of the ERP, as our copy has it."""

    @property
    def erp_id(self) -> str: ...
    @property
    def code(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def classification(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Purpose:
    """One thing that an account is needed for."""

    name: str
    """As the posting profile names it."""
    label: str
    help: str
    classes: tuple[str, ...]
    """Of accounts that fit, the likeliest first."""
    words: tuple[str, ...]
    """Of which a fitting account's name has one, the surest first."""
    is_needed: bool = False


PURPOSES: Sequence[Purpose] = (
    Purpose(
        "card_liability_account",
        "Card liability",
        "What is owed to Ramp for card spend, until its statement is paid.",
        ("CREDCARD", "LIABILITY"),
        ("ramp", "card clearing", "credit card", "card"),
        is_needed=True,
    ),
    Purpose(
        "bank_account",
        "Bank, for bills",
        "What bills are paid from.",
        ("ASSET",),
        ("operating", "checking", "bank", "cash"),
    ),
    Purpose(
        "payables_account",
        "Payables",
        "What bills are owed on. Left empty: the ERP's own account of the vendor.",
        ("LIABILITY",),
        (),
    ),
    Purpose(
        "reimbursement_account",
        "Reimbursements",
        "What is owed to employees, or the bank they are paid from.",
        ("LIABILITY", "ASSET"),
        ("reimbursement", "employee", "expense claims"),
    ),
    Purpose(
        "transfer_bank_account",
        "Bank, for card statements",
        "What card statements are paid from. Left empty: the bank of bills.",
        ("ASSET",),
        (),
    ),
    Purpose(
        "cashback_account",
        "Cashback",
        "The income that cashback is.",
        ("REVENUE",),
        ("cashback", "cash back", "rebate", "reward", "other income"),
    ),
)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The account that is probably meant, and why."""

    erp_id: str
    reason: str


def suggestions(accounts: Iterable[Account]) -> Mapping[str, Suggestion]:
    """By purpose; none where nothing fits. The shortest code wins among equals."""
    known = sorted(accounts, key=lambda one: (one.code, one.erp_id))
    found = {}
    for purpose in PURPOSES:
        suggestion = _suggestion(purpose, known)
        if suggestion is not None:
            found[purpose.name] = suggestion
    return found


def _suggestion(purpose: Purpose, accounts: Sequence[Account]) -> Suggestion | None:
    for word in purpose.words:
        for wanted in purpose.classes:
            for account in accounts:
                if account.classification == wanted and word in account.name.casefold():
                    return Suggestion(account.erp_id, f"Its name says “{word}”.")
    return None


def fitting(purpose: Purpose, accounts: Iterable[Account]) -> list[Account]:
    """Accounts to choose from: those of its classes, then of no known class; by code."""
    order = {name: place for place, name in enumerate((*purpose.classes, "UNKNOWN"))}
    fits = [one for one in accounts if one.classification in order]
    return sorted(fits, key=lambda one: (order[one.classification], one.code, one.name))
