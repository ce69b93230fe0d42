"""What a backup reads: Ramp's lists of the old connection, each from where it was left off.

Ramp hides things unless asked: declined purchases, what employees pay back, archived bills, credits
that are used up, records that are switched off. All of them are asked for.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from connections.ramp.client import RampClient
from connections.ramp.errors import Forbidden, NoSuchEndpoint, NotFound, ScopeMissing
from connections.ramp.pages import Page
from migrations_tool.backup.parts import records
from migrations_tool.models import Backup

Pages = Iterator[Page[Any]]

ACCOUNTS, FIELDS, OPTIONS, VENDORS = "accounts", "fields", "options", "vendors"
LINKS, TAX_RATES, TAX_CODES, ENTITIES = "links", "tax_rates", "tax_codes", "entities"
CHART: Sequence[str] = (
    ACCOUNTS, FIELDS, OPTIONS, VENDORS, LINKS, TAX_RATES, TAX_CODES, ENTITIES,
)  # fmt: skip
OBJECTS: Sequence[str] = (
    "transaction", "reimbursement", "bill", "transfer", "cashback", "vendor_credit",
)  # fmt: skip
LABELS: Mapping[str, str] = {
    ACCOUNTS: "GL accounts",
    FIELDS: "Fields",
    OPTIONS: "Field options",
    VENDORS: "Vendors",
    LINKS: "Vendors of Ramp and their links",
    TAX_RATES: "Tax rates",
    TAX_CODES: "Tax codes",
    ENTITIES: "Entities",
    "transaction": "Card transactions",
    "reimbursement": "Reimbursements",
    "bill": "Bills",
    "transfer": "Transfers",
    "cashback": "Cashback",
    "vendor_credit": "Vendor credits",
}


@dataclass(frozen=True, slots=True)
class List:
    """One list of Ramp's, or one of several that have the records of a kind."""

    name: str
    """Says where a reading is; the same in every reading of one backup."""
    kind: str
    pages: Callable[[RampClient, str | None], Pages]
    """From the beginning, or after a page."""
    field: str = ""
    """Of options: Ramp's id of their field."""


def chart_lists(backup: Backup, client: RampClient) -> Iterator[List]:
    """Those of the chart. The lists of options follow from the fields that were kept before."""
    yield List(ACCOUNTS, ACCOUNTS, lambda ramp, start: ramp.gl_account_pages(start=start))
    yield List(FIELDS, FIELDS, lambda ramp, start: ramp.field_pages(start=start))
    for field in _field_ids(backup):
        yield List(f"{OPTIONS}:{field}", OPTIONS, _options_of(field), str(field))
    yield List(VENDORS, VENDORS, lambda ramp, start: ramp.vendor_pages(start=start))
    yield List(LINKS, LINKS, lambda ramp, start: ramp.ramp_vendors(start=start))
    if taxes_of(client) is Taxes.THERE:
        yield List(TAX_RATES, TAX_RATES, lambda ramp, start: ramp.tax_rate_pages(start=start))
        yield List(TAX_CODES, TAX_CODES, lambda ramp, start: ramp.tax_code_pages(start=start))
    yield List(ENTITIES, ENTITIES, lambda ramp, start: ramp.entity_pages(start=start))


def object_lists() -> Iterator[List]:
    """Every object of every type, whatever its state."""
    yield List(
        "transaction",
        "transaction",
        lambda ramp, start: ramp.transactions(start=start, state="ALL"),
    )
    for direction in ("BUSINESS_TO_USER", "USER_TO_BUSINESS"):
        yield List(f"reimbursement:{direction}", "reimbursement", _claims(direction))
    for name, is_archived in (("bill", False), ("bill:archived", True)):
        yield List(name, "bill", _bills(is_archived=is_archived))
    yield List("transfer", "transfer", lambda ramp, start: ramp.transfers(start=start))
    yield List("cashback", "cashback", lambda ramp, start: ramp.cashbacks(start=start))
    yield List(
        "vendor_credit",
        "vendor_credit",
        lambda ramp, start: ramp.vendor_credits(start=start, include_fully_used=True),
    )


class Taxes(StrEnum):
    """What the old connection has of tax rates and codes."""

    THERE = "there"
    NONE = "none"
    """No business of Ramp's must have taxes (R-49)."""
    UNREADABLE = "unreadable"
    """Ramp does not show them to us, so nobody here knows."""


def taxes_of(ramp: RampClient) -> Taxes:
    """Whether there is a tax code field, as far as Ramp tells."""
    try:
        return Taxes.NONE if ramp.tax_code_field() is None else Taxes.THERE
    except (NoSuchEndpoint, NotFound):
        return Taxes.NONE
    except (Forbidden, ScopeMissing):
        return Taxes.UNREADABLE


def _field_ids(backup: Backup) -> Iterator[UUID]:
    ids = (record.get("ramp_id") for record in records(backup, FIELDS))
    return (UUID(one) for one in dict.fromkeys(ids) if isinstance(one, str))


def _options_of(field: UUID) -> Callable[[RampClient, str | None], Pages]:
    return lambda ramp, start: ramp.field_option_pages(field, start=start)


def _claims(direction: str) -> Callable[[RampClient, str | None], Pages]:
    return lambda ramp, start: ramp.reimbursements(start=start, direction=direction)


def _bills(*, is_archived: bool) -> Callable[[RampClient, str | None], Pages]:
    return lambda ramp, start: ramp.bills(start=start, is_archived=is_archived)
