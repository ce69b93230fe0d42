"""What a record of the archive is good for: the body that would bring it back, or its codings.

Two records are alike if what they are restored to is alike; when Ramp changed something else of
one, such as what was spent at a vendor, nothing that the backup is for has changed.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from connections.ramp.schemas import (
    AccountingField,
    Coded,
    Entity,
    FieldOption,
    GLAccount,
    LineItem,
    RampVendor,
    Schema,
    Selection,
    TaxCode,
    TaxRate,
    Vendor,
)
from connections.ramp.spend import Bill, VendorCredit
from migrations_tool.backup import lists
from rampbridge.lib.money import Money
from syncing.kinds import kind_of

Body = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Restored:
    """One record as it would be brought back."""

    key: str
    """Ramp's id of it."""
    digest: bytes
    """SHA-256 of what it is restored to."""


def restored(kind: str, record: Schema) -> Restored:
    if kind in lists.OBJECTS:
        return Restored(str(_id(record)), _digest(codings_of(record)))
    return Restored(str(_id(record)), _digest(body_of(kind, record)))


def unreadable(raw: Any) -> Restored:
    """A record that is not as Ramp's contract says: it is kept, and compared, as it came."""
    known = raw if isinstance(raw, dict) else {}
    digest = _digest(raw)
    key = known.get("ramp_id") or known.get("id")
    return Restored(key.lower() if isinstance(key, str) else digest.hex(), digest)


def read(kind: str, raw: Any) -> Any | None:
    """A record of the archive, or None if it cannot be read."""
    try:
        return _model_of(kind).model_validate(raw)
    except ValidationError:
        return None


def _model_of(kind: str) -> type[Schema]:
    return kind_of(kind).model if kind in lists.OBJECTS else _CHART[kind][0]


def body_of(kind: str, record: Any) -> Body:
    """What would be sent to Ramp, and how Ramp offers it."""
    return _CHART[kind][1](record)


def codings_of(one: Any) -> list[dict[str, Any]]:
    """Per line of an object: its amount in minor units, and what was chosen in which field.

    An object without lines is one line. `currency` stands only where it is not the object's own.
    """
    money: Money = one.money
    if not isinstance(one, Coded):
        return [{"minor": money.minor, "selections": []}]
    lines = _lines(one)
    if not lines:
        return [_line(money, money, one.accounting_field_selections)]
    return [_line(line.money, money, one.codings(line)) for line in lines]


def _lines(one: Coded) -> Sequence[LineItem]:
    if isinstance(one, Bill | VendorCredit):
        return one.lines
    return getattr(one, "line_items", ())


def _line(stated: Money | None, whole: Money, selections: Sequence[Selection]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "minor": stated.minor if stated else None,
        "selections": [_selection(one) for one in selections],
    }
    if stated and (stated.currency, stated.exponent) != (whole.currency, whole.exponent):
        line |= {"currency": stated.currency, "exponent": stated.exponent}
    return line


def _selection(one: Selection) -> dict[str, str]:
    return {
        "type": one.type,
        "field_id": one.field_external_id,
        "field": one.category_info.name if one.category_info else "",
        "id": one.external_id,
        "code": one.external_code,
        "name": one.name,
    }


def _account(one: GLAccount) -> Body:
    return {
        "id": one.id,
        "name": one.name,
        "classification": one.classification,
        "code": one.code,
        "is_active": one.is_active,
    }


def _field(one: AccountingField) -> Body:
    return {
        "id": one.id,
        "name": one.name,
        "display_name": one.display_name,
        "input_type": one.input_type,
        "is_splittable": one.is_splittable,
        "is_required_for": sorted(one.is_required_for),
        "is_active": one.is_active,
    }


def _option(one: FieldOption) -> Body:
    return {
        "id": one.id,
        "value": one.value,
        "code": one.code,
        "display_name": one.display_name,
        "visibility": one.visibility,
        "is_active": one.is_active,
    }


def _vendor(one: Vendor) -> Body:
    return {"id": one.id, "name": one.name, "code": one.code, "is_active": one.is_active}


def _link(one: RampVendor) -> Body:
    return {"name": one.name, "accounting_vendor_remote_id": one.accounting_vendor_remote_id}


def _tax_rate(one: TaxRate) -> Body:
    return {
        "id": one.id,
        "name": one.name,
        "rate": format(one.rate.normalize(), "f"),
        "accounting_gl_account_id": str(one.accounting_gl_account_id or ""),
        "is_active": one.is_active,
    }


def _tax_code(one: TaxCode) -> Body:
    return {
        "id": one.id,
        "name": one.name,
        "tax_rate_ids": sorted(one.tax_rate_ids),
        "is_active": one.is_active,
    }


def _entity(one: Entity) -> Body:
    accounts = sorted(
        (account.usage_type, account.external_id, account.external_name) for account in one.accounts
    )
    return {"name": one.name, "currency": one.currency, "accounts": accounts}


_CHART: Mapping[str, tuple[type[Schema], Callable[[Any], Body]]] = {
    lists.ACCOUNTS: (GLAccount, _account),
    lists.FIELDS: (AccountingField, _field),
    lists.OPTIONS: (FieldOption, _option),
    lists.VENDORS: (Vendor, _vendor),
    lists.LINKS: (RampVendor, _link),
    lists.TAX_RATES: (TaxRate, _tax_rate),
    lists.TAX_CODES: (TaxCode, _tax_code),
    lists.ENTITIES: (Entity, _entity),
}


def _id(record: Any) -> object:
    """Ramp's id, by the name that the list gives it."""
    found = getattr(record, "ramp_id", None)
    return found if found is not None else record.id


def _digest(restored_to: object) -> bytes:
    text = json.dumps(
        restored_to, sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str
    )
    return hashlib.sha256(text.encode()).digest()
