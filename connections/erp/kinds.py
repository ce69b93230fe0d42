"""What people must know and enter to connect an ERP of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting of an adapter, as a form asks for it."""

    name: str
    """As the adapter's settings name it."""
    label: str
    help: str = ""
    is_secret: bool = False
    is_address: bool = False


@dataclass(frozen=True, slots=True)
class ErpKind:
    """An ERP that rampbridge can speak to."""

    kind: str
    """As the registry names it."""
    label: str
    fields: tuple[SettingField, ...]
    prerequisites: tuple[str, ...] = ()
    """What the customer prepares on its side (R-10)."""
    is_pretend: bool = False
    """Lives in the memory of one process: for demos and tests."""

    def hint(self, settings: Mapping[str, str]) -> str:
        """What tells one set of credentials from another without giving any away."""
        return next(
            (settings[one.name] for one in self.fields if one.name in ("login", "name")), ""
        )[:40]


KINDS: Mapping[str, ErpKind] = {
    "tryton": ErpKind(
        "tryton",
        "Tryton",
        (
            SettingField("url", "Address", "Such as https://tryton.example.com", is_address=True),
            SettingField("database", "Database"),
            SettingField("login", "User", "A user of its own for rampbridge, not a person's."),
            SettingField("password", "Password", is_secret=True),
        ),
        (
            "Tryton 8.0 with accounting, invoices, statements of parties and analytic accounts.",
            "A user of its own for rampbridge, in the groups Accounting and Party Administration.",
            "An open fiscal year with open periods, and a chart of accounts.",
            "Better: the add-on rampbridge, which makes a second document with the same"
            " reference impossible.",
        ),
    ),
    "ledger": ErpKind(
        "ledger",
        "Pretend ERP",
        (SettingField("name", "Name of the books", "Any word; the same word, the same books."),),
        ("Nothing: its books are in memory and gone when the program ends.",),
        is_pretend=True,
    ),
}
