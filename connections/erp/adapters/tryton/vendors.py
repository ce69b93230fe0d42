"""Finding or creating a vendor under Ramp's id."""

from __future__ import annotations

from typing import Any

from connections.erp.adapters.tryton.documents import one_line
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.models import INACTIVE_TOO, Records
from connections.erp.errors import Code, ErpError
from connections.erp.records import Master, MasterKind, Vendor
from connections.erp.refusals import refusal

PARTY = "party.party"


def upsert_vendor(records: Records, vendor: Vendor) -> Master:
    """The party that carries Ramp's id, made if there is none.

    Both the add-on's reference and Tryton's own party code are unique, so that of two calls at the
    same moment one is refused, and finds what the other has made.
    """
    has_bridge = records.catalogue.company().has_bridge
    key = "external_ref" if has_bridge else "code"
    value = f"ramp-vendor-{vendor.ref}"
    found = _find(records, key, value)
    if found is not None:
        return found
    try:
        records.rpc.call(f"model.{PARTY}.create", [_values(vendor, key, value)], write=True)
    except ErpError as error:
        if error.code != Code.REF_REUSED:
            raise
    found = _find(records, key, value)
    if found is None:
        raise refusal(Code.UNKNOWN, erp=ERP, erp_message=f"{value} is gone again")
    return found


def _find(records: Records, key: str, value: str) -> Master | None:
    rows = records.rpc.read(
        PARTY, [[key, "=", value]], ["name", "code", "active"], context=INACTIVE_TOO
    )
    if not rows:
        return None
    row = rows[0]
    return Master(
        kind=MasterKind.VENDOR,
        id=str(row["id"]),
        name=row["name"] or "",
        code=row["code"] or "",
        active=row["active"],
    )


def _values(vendor: Vendor, key: str, value: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        key: value,
        "name": one_line(vendor.name),
        # A bill cannot be entered for a party without an address.
        "addresses": [["create", [{}]]],
    }
    if vendor.email:
        email = {"type": "email", "value": vendor.email}
        values["contact_mechanisms"] = [["create", [email]]]
    if vendor.tax_id:
        values["identifiers"] = [["create", [{"code": one_line(vendor.tax_id)}]]]
    return values
