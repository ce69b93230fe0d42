"""GL accounts and accounting vendors: uploaded all or nothing, deleted softly, revived by PATCH."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol, TypeVar
from uuid import NAMESPACE_URL, UUID, uuid5

from connections.ramp_simulator import bodies, seats
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import Account, ChartRow, Vendor
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.pages import page_in_order
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.replies import ApiError, Reply, created, no_content, not_found
from connections.ramp_simulator.tables import ChartTable
from connections.ramp_simulator.world import World

C = TypeVar("C", bound=ChartRow)


class HasExternalId(Protocol):
    @property
    def id(self) -> str: ...


def list_accounts(world: World, call: Call) -> Reply:
    return list_rows(world, call, world.accounts, account_json)


def get_account(world: World, call: Call) -> Reply:
    return Reply(
        payload=account_json(world, named_row(world, call, world.accounts, "gl_account_id"))
    )


def upload_accounts(world: World, call: Call) -> Reply:
    body = call.json(bodies.AccountsUpload)
    connection = seats.writable(world, call.business, text(body.accounting_connection_id))
    rows = add_accounts(world, connection, body.gl_accounts)
    return created(
        {
            "accounting_connection_id": connection.id,
            "gl_accounts": [account_json(world, row) for row in rows],
            "uploaded": [row.id for row in rows],
        }
    )


def add_accounts(
    world: World, connection: Connection, uploads: Sequence[bodies.AccountUpload]
) -> list[Account]:
    refuse_known(world.accounts, connection, uploads)
    now = world.clock()
    return [
        world.accounts.put(
            Account(
                id=ramp_id(connection.id, "account", upload.id),
                seq=world.ids.rank(),
                business=connection.business,
                connection_id=connection.id,
                external_id=upload.id,
                name=upload.name,
                code=upload.code,
                classification=upload.classification,
                created_at=now,
                updated_at=now,
            )
        )
        for upload in uploads
    ]


def patch_account(world: World, call: Call) -> Reply:
    return Reply(payload=account_json(world, _patch(world, call, world.accounts, "gl_account_id")))


def delete_account(world: World, call: Call) -> Reply:
    return delete_row(world, call, world.accounts, "gl_account_id")


def list_vendors(world: World, call: Call) -> Reply:
    return list_rows(world, call, world.vendors, vendor_json)


def get_vendor(world: World, call: Call) -> Reply:
    return Reply(payload=vendor_json(world, named_row(world, call, world.vendors, "vendor_id")))


def upload_vendors(world: World, call: Call) -> Reply:
    body = call.json(bodies.VendorsUpload)
    connection = seats.writable(world, call.business, text(body.accounting_connection_id))
    rows = add_vendors(world, connection, body.vendors)
    return created(
        {
            "vendors": [vendor_json(world, row) for row in rows],
            "uploaded": [row.id for row in rows],
        }
    )


def add_vendors(
    world: World, connection: Connection, uploads: Sequence[bodies.VendorUpload]
) -> list[Vendor]:
    """Ramp codes purchases to vendors of their name; with vendor creation on, only new ones."""
    refuse_known(world.vendors, connection, uploads)
    now = world.clock()
    matches_from = world.ids.rank() if connection.settings.get(seats.VENDOR_CREATION) else 0
    return [
        world.vendors.put(
            Vendor(
                id=ramp_id(connection.id, "vendor", upload.id),
                seq=world.ids.rank(),
                matches_from=matches_from,
                business=connection.business,
                connection_id=connection.id,
                external_id=upload.id,
                name=upload.name,
                code=upload.code,
                created_at=now,
                updated_at=now,
            )
        )
        for upload in uploads
    ]


def patch_vendor(world: World, call: Call) -> Reply:
    return Reply(payload=vendor_json(world, _patch(world, call, world.vendors, "vendor_id")))


def delete_vendor(world: World, call: Call) -> Reply:
    return delete_row(world, call, world.vendors, "vendor_id")


def ramp_id(connection_id: str, kind: str, external_id: str) -> str:
    """The same upload to the same connection always gets the same id."""
    return str(uuid5(NAMESPACE_URL, f"{connection_id}/{kind}/{external_id}"))


def category_id(business: str, kind: str) -> str:
    """The id of a field that every business has: Category for accounts, Merchant for vendors."""
    return str(uuid5(NAMESPACE_URL, f"{business}/category/{kind}"))


def text(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def list_rows(
    world: World,
    call: Call,
    table: ChartTable[C],
    render: Callable[[World, C], dict[str, Any]],
    also: Callable[[C], bool] = lambda _: True,
) -> Reply:
    """A page of a connection's rows by the filters that all of the chart has in common."""
    connection = seats.readable(world, call.business, call.uuid("accounting_connection_id"))
    remote_id, code = call.query.get("remote_id"), call.query.get("code")
    is_active, is_synced = call.flag("is_active"), call.flag("is_synced")

    def rows_after(rank: int) -> Iterator[C]:
        rows = (
            table.of_connection(connection.id, after=rank)
            if remote_id is None
            else (row for row in table.of_external_id(connection.id, remote_id) if row.seq > rank)
        )
        return (
            row
            for row in rows
            if code in {None, row.code}
            and is_active in {None, row.is_active}
            and is_synced in {None, True}
            and also(row)
        )

    return page_in_order(
        call,
        rows_after,
        find=lambda row_id: table.get(row_id, call.business),
        render=lambda row: render(world, row),
    )


def named_row(world: World, call: Call, table: ChartTable[C], param: str) -> C:
    """The row of the address, if it belongs to the connection that is active or named."""
    connection = seats.readable(world, call.business, call.uuid("accounting_connection_id"))
    return _row_of(call, table, param, connection)


def find_row(
    world: World, call: Call, table: ChartTable[C], param: str, connection_id: str | None
) -> C:
    """The row of the address, to be changed: it must belong to an API connection."""
    connection = seats.writable(world, call.business, connection_id)
    return _row_of(call, table, param, connection)


def _row_of(call: Call, table: ChartTable[C], param: str, connection: Connection) -> C:
    row = table.get(call.params[param], call.business)
    if row is None or row.connection_id != connection.id:
        raise not_found(table.kind.__name__, call.params[param])
    return row


def delete_row(world: World, call: Call, table: ChartTable[C], param: str) -> Reply:
    body = call.json(bodies.OfConnection)
    row = find_row(world, call, table, param, text(body.accounting_connection_id))
    row.is_active = False
    row.updated_at = world.clock()
    table.put(row)
    return no_content()


def refuse_known(
    table: ChartTable[C],
    connection: Connection,
    uploads: Sequence[HasExternalId],
    field_id: str = "",
) -> None:
    """One upload of something Ramp has already refuses the whole batch.

    No source tells the code of this refusal; 7001 with the ids is ours.
    """
    known = {
        upload.id
        for upload in uploads
        for row in table.of_external_id(connection.id, upload.id)
        if getattr(row, "field_id", "") == field_id
    }
    times = Counter(upload.id for upload in uploads)
    offending = [uploaded for uploaded, n in times.items() if n > 1 or uploaded in known]
    if offending:
        raise ApiError(
            400,
            "DEVELOPER_7001",
            f"These objects already exist: {', '.join(offending)}",
            {"id": offending},
        )


def require_accounts(world: World, connection: Connection, ramp_ids: Iterable[UUID]) -> None:
    """:raises ApiError: if one of them is no GL account of this connection"""
    for one in map(str, ramp_ids):
        account = world.accounts.get(one, connection.business)
        if account is None or account.connection_id != connection.id:
            raise ApiError(400, "DEVELOPER_7001", f"There is no GL account {one}")


def account_json(world: World, account: Account) -> dict[str, Any]:
    return row_json(world, account) | {
        "name": account.name,
        "classification": account.classification,
        "gl_account_category_info": {
            "ramp_id": category_id(account.business, "Category"),
            "id": "Category",
            "name": "Category",
        },
    }


def vendor_json(world: World, vendor: Vendor) -> dict[str, Any]:
    return row_json(world, vendor) | {
        "name": vendor.name,
        "is_synced": True,
        "vendor_category_info": {
            "ramp_id": category_id(vendor.business, "Merchant"),
            "id": "Merchant",
            "name": "Merchant",
        },
    }


def row_json(world: World, row: ChartRow) -> dict[str, Any]:
    """What every row of the chart has. The schema has no null code, so there is no key then."""
    connection = world.connections.get(row.connection_id)
    shown = {
        "ramp_id": row.id,
        "id": row.external_id,
        "is_active": row.is_active,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
        "provider_name": connection and connection.name,
        "accounting_connection_id": row.connection_id,
    }
    return shown | ({} if row.code is None else {"code": row.code})


def _patch(world: World, call: Call, table: ChartTable[C], param: str) -> C:
    body = call.json(bodies.RowPatch)
    row = find_row(world, call, table, param, text(body.accounting_connection_id))
    row.name = body.name or row.name
    if body.code is not None:
        row.code = body.code or None
    row.is_active = row.is_active or bool(body.reactivate)
    row.updated_at = world.clock()
    return table.put(row)
