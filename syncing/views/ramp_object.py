"""What Ramp's own object says, read apart from the columns that we copied out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import LineItem, Selection, Transaction
from rampbridge.lib.money import Money
from syncing.models import SyncItem

_FIELD_NAMES = {
    "GL_ACCOUNT": "GL account",
    "MERCHANT": "Vendor",
    "TAX_CODE": "Tax code",
    "COST_CENTER": "Cost centre",
}


@dataclass(frozen=True, slots=True)
class CodedLine:
    """One line as people coded it in Ramp."""

    memo: str
    money: Money | None
    codings: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class RampObject:
    """The amount and the coding of an object; neither if we cannot read it."""

    amount: Money | None = None
    sync_status: str = ""
    lines: Sequence[CodedLine] = ()


def read(object_type: str, body: Mapping[str, Any]) -> RampObject:
    """Read the stored object. What does not fit the contract is not known, never guessed."""
    if object_type != SyncItem.ObjectType.TRANSACTION:
        return RampObject(sync_status=str(body.get("sync_status", "")))
    try:
        transaction = Transaction.read(body)
    except SchemaSurprise:
        return RampObject(sync_status=str(body.get("sync_status", "")))
    return RampObject(
        amount=transaction.money,
        sync_status=transaction.sync_status,
        lines=[_line(transaction, line) for line in transaction.line_items],
    )


def _line(transaction: Transaction, line: LineItem) -> CodedLine:
    chosen = [selection for selection in transaction.codings(line) if selection.is_for_erp]
    return CodedLine(line.memo, line.money, [_coding(selection) for selection in chosen])


def _coding(selection: Selection) -> tuple[str, str]:
    info = selection.category_info
    field = _FIELD_NAMES.get(selection.type) or (info.name if info else "") or "Field"
    code = selection.external_code or selection.external_id
    return field, f"{code} {selection.name}".strip()
