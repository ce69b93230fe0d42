"""`/accounting/codings`: a client codes a transaction, for instance to a vendor it has created.

No published schema tells the keys of a selection; these are our reading of the guide. A field and
an option are named by Ramp's ids, never by those of the ERP.
"""

from typing import Any

from connections.ramp_simulator import bodies, chart, people, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import (
    Account,
    ChartRow,
    CustomField,
    FieldOption,
    TaxCode,
    Vendor,
)
from connections.ramp_simulator.records import SyncStatus, Transaction
from connections.ramp_simulator.replies import ApiError, Reply, created, invalid, not_found
from connections.ramp_simulator.tables import Table
from connections.ramp_simulator.world import World


def code_object(world: World, call: Call) -> Reply:
    """All selections of one object, or none if one of them is unknown."""
    body = call.json(bodies.CodingCreate)
    selections = body.accounting_field_selections or body.accounting_coding_selections
    if not selections:
        raise invalid({"accounting_field_selections": ["Missing data for required field."]})
    connection = seats.require_api(world, call.business)
    row = world.transactions.get(str(body.object_id), call.business)
    if row is None:
        raise not_found("Transaction", str(body.object_id))
    if row.sync_status is SyncStatus.SYNCED:
        raise ApiError(400, "DEVELOPER_7001", f"Transaction {row.id} is synced and locked")
    for option in [_option(world, connection.id, row, selection) for selection in selections]:
        _choose(world, row, option)
    people.touch(world, row)
    return created({"object_type": body.object_type, "object_id": row.id})


def _option(
    world: World, connection_id: str, row: Transaction, selection: bodies.CodingSelection
) -> ChartRow:
    """What a selection names, if the field it names it for has such a thing."""
    if selection.field_option_id is None:
        raise invalid({"field_option_id": ["This field wants one of its options."]})
    field_id, option_id = str(selection.field_id), str(selection.field_option_id)
    found: ChartRow | None = _options_of(world, row.business, field_id).get(option_id, row.business)
    is_of_field = not isinstance(found, FieldOption) or found.field_id == field_id
    if found is None or found.connection_id != connection_id or not is_of_field:
        raise ApiError(400, "DEVELOPER_7001", f"Field {field_id} has no option {option_id}")
    return found


def _options_of(world: World, business: str, field_id: str) -> Table[Any]:
    if field_id == chart.category_id(business, "Merchant"):
        return world.vendors
    if field_id == chart.category_id(business, "Category"):
        return world.accounts
    if world.tax_fields.get(field_id, business):
        return world.tax_codes
    return world.options


def _choose(world: World, row: Transaction, option: ChartRow) -> None:
    """On a split only what belongs to the body is set: which line is meant, nothing says."""
    only_line = row.lines[0] if len(row.lines) == 1 else None
    code = option.code or option.external_id
    if isinstance(option, Vendor):
        row.coded_vendor_id = option.id
    elif isinstance(option, Account):
        if only_line:
            only_line.account_code = code
    elif isinstance(option, TaxCode):
        if only_line:
            only_line.tax_code = option.external_id
    elif isinstance(option, FieldOption):
        field = _field(world, option)
        if not field.is_splittable:
            row.options[field.name] = code
        elif only_line:
            only_line.options[field.name] = code


def _field(world: World, option: FieldOption) -> CustomField:
    field = world.fields.get(option.field_id)
    assert field is not None
    return field
