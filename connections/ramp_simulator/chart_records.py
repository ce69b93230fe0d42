"""What an ERP uploads to one connection: accounts, vendors, fields, taxes, items."""

from dataclasses import dataclass, field
from datetime import datetime

from connections.ramp_simulator.records import Record


@dataclass(slots=True, kw_only=True)
class ChartRow(Record):
    """Something uploaded from an ERP: `id` is Ramp's, `external_id` the ERP's."""

    connection_id: str
    external_id: str
    name: str
    created_at: datetime
    updated_at: datetime
    code: str | None = None
    is_active: bool = True


@dataclass(slots=True, kw_only=True)
class Account(ChartRow):
    classification: str


@dataclass(slots=True, kw_only=True)
class Vendor(ChartRow):
    """`matches_from`: purchases of its name from that rank on are coded to it by themselves."""

    matches_from: int = 0


@dataclass(slots=True, kw_only=True)
class CustomField(ChartRow):
    display_name: str | None
    input_type: str
    is_splittable: bool
    is_required_for: list[str]


@dataclass(slots=True, kw_only=True)
class FieldOption(ChartRow):
    field_id: str
    display_name: str | None = None
    is_hidden: bool = False


@dataclass(slots=True, kw_only=True)
class TaxRate(ChartRow):
    """`rate` is a fraction, as text. `account_id` is Ramp's id of a GL account."""

    rate: str
    account_id: str


@dataclass(slots=True, kw_only=True)
class TaxField(ChartRow):
    """The field that tax codes are the options of: one at most is active."""

    display_name: str | None


@dataclass(slots=True, kw_only=True)
class TaxCode(ChartRow):
    """`rate_ids` are the ERP's ids of its rates."""

    rate_ids: list[str] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class ItemField(ChartRow):
    """The field that inventory items are the options of: one at most is active."""

    display_name: str | None


@dataclass(slots=True, kw_only=True)
class Item(ChartRow):
    """An inventory item. `account_id` is Ramp's id of a GL account."""

    account_id: str | None = None
