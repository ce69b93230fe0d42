"""Whom a bill or a vendor credit is from."""

from collections.abc import Sequence

from connections.mappings import VENDOR_NAME, MappingSet, MissingMapping
from connections.ramp.schemas import Coded, LineItem, Selection
from connections.ramp.spend import Bill, VendorCredit
from syncing.posting.lines import codings_of


def vendor_of_bill(bill: Bill, mappings: MappingSet) -> str:
    """The ERP's vendor of a bill: the first of these that Ramp states (gotcha 29).

    The accounting vendor it is coded with; the vendor's `remote_id`; its `remote_code`; what a
    person has mapped Ramp's vendor to; the one vendor of the ERP that has its name.

    :raises MissingMapping: if that leads nowhere, or nothing is stated
    """
    vendor = bill.vendor
    name = vendor.name or vendor.remote_name
    if coding := _coded_vendor(bill, bill.lines):
        return mappings.vendor(coding.external_id, coding.name or name).erp_id
    if vendor.remote_id:
        return mappings.vendor(vendor.remote_id, name).erp_id
    if vendor.remote_code:
        return mappings.vendor_with_code(vendor.remote_code, name).erp_id
    mapped = str(vendor.id or VENDOR_NAME + name)
    target = mappings.vendors.get(mapped) or mappings.vendor_names.get(name.casefold())
    if target is None:
        raise MissingMapping("vendor", mapped, name)
    return target.erp_id


def vendor_of_credit(credit: VendorCredit, mappings: MappingSet) -> str:
    """The ERP's vendor of a vendor credit: its coding, else what Ramp's vendor is mapped to.

    :raises MissingMapping: if that leads nowhere
    """
    if coding := _coded_vendor(credit, credit.lines):
        return mappings.vendor(coding.external_id, coding.name).erp_id
    return mappings.vendor(str(credit.vendor_id or "")).erp_id


def _coded_vendor(coded: Coded, lines: Sequence[LineItem]) -> Selection | None:
    """The accounting vendor of the body, or the one that all coded lines agree on."""
    body = _merchants(codings_of(coded, LineItem()))
    if body:
        return body[0]
    found = [one for line in lines for one in _merchants(codings_of(coded, line))]
    return found[0] if len({one.external_id for one in found}) == 1 else None


def _merchants(codings: Sequence[Selection]) -> list[Selection]:
    return [coding for coding in codings if coding.type == "MERCHANT" and coding.external_id]
