"""Invoices as people enter them, before they are bills of Ramp's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from connections.ramp_simulator.bill_records import InventoryLine
from connections.ramp_simulator.records import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Goods:
    """Pieces of something, at so many minor units each."""

    quantity: int
    unit_minor: int
    account_code: str | None = None
    memo: str = ""


@dataclass(slots=True, kw_only=True)
class Invoice:
    """An invoice as someone enters it: amounts in minor units of `currency`.

    `lines` are minor units and account codes; without lines and goods there is one line of
    `account_code`. An invoice in another currency than the entity's needs `fx_rate`, the payer's
    money for one of the invoice's. `line_options` are codings by field name that stand on the
    lines, `options` those that hold for the whole bill. `tax_code` is the ERP's id of one, for all
    lines.
    """

    minor: int
    currency: str
    fx_rate: str = "1"
    account_code: str | None = None
    tax_code: str | None = None
    lines: Sequence[tuple[int, str | None]] = ()
    goods: Sequence[Goods] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    line_options: Mapping[str, str] = field(default_factory=dict)
    invoice_number: str | None = None
    memo: str | None = None
    vendor_memo: str | None = None
    created_at: datetime | None = None
    issued_at: datetime | None = None
    due_at: datetime | None = None
    accounting_date: datetime | None = None
    posting_date: datetime | None = None
    planned_method: str | None = "ACH"
    is_sync_enabled: bool = True
    invoices: int = 1


def expense_lines(invoice: Invoice) -> list[Line]:
    parts = invoice.lines
    if not parts and not invoice.goods:
        parts = [(invoice.minor, invoice.account_code)]
    lines = [plain_line(minor, invoice.currency, code) for minor, code in parts]
    for line in lines:
        line.options = dict(invoice.line_options)
        line.tax_code = invoice.tax_code
    return lines


def inventory_lines(invoice: Invoice) -> list[InventoryLine]:
    rows = [
        InventoryLine(
            quantity=goods.quantity,
            unit_minor=goods.unit_minor,
            line=plain_line(
                goods.quantity * goods.unit_minor,
                invoice.currency,
                goods.account_code,
                goods.memo,
            ),
        )
        for goods in invoice.goods
    ]
    for row in rows:
        row.line.tax_code = invoice.tax_code
    return rows


def plain_line(minor: int, currency: str, code: str | None, memo: str = "") -> Line:
    return Line(minor=minor, currency=currency, converted_minor=None, account_code=code, memo=memo)
