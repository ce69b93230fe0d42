"""A connection that Ramp itself runs: it brings its chart along, and syncs what is ready by itself.

Its ids are those of the accounting program behind it, and mean nothing to the next one.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from connections.ramp_simulator import bodies, chart, custom_fields, seats, syncs, taxes
from connections.ramp_simulator.bill_states import is_bill_ready, is_payment_ready
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Connection, ConnectionType, SyncStatus
from connections.ramp_simulator.reports import Told
from connections.ramp_simulator.tables import SyncedTable
from connections.ramp_simulator.world import World

PROVIDER: Final = "QuickBooks Online"
CLASS: Final = "Class"
"""Its field for what others call departments."""
ACCOUNTS: Final = (
    ("33", "2150", "Ramp card clearing", "LIABILITY"),
    ("57", "6100", "Travel", "EXPENSE"),
    ("58", "6200", "Software", "EXPENSE"),
    ("59", "6300", "Meals and entertainment", "EXPENSE"),
    ("60", "6400", "Office supplies", "EXPENSE"),
    ("61", None, "Advertising", "EXPENSE"),
    ("62", "7100", "Equipment rental", "EXPENSE"),
    ("63", None, "Professional fees", "EXPENSE"),
    ("64", "6999", "Old projects", "EXPENSE"),
    ("88", "2200", "Sales tax payable", "LIABILITY"),
)
"""Id, code, name, class. Not all have a code, and not all have their like in the next chart."""
CLASSES: Final = (
    ("4100001", "Engineering"),
    ("4100002", "Sales"),
    ("4100003", "Operations"),
)
TAX_RATE: Final = ("TR-1", "Sales tax 8.25%", "0.0825", "88")
_SYNC_TYPES: Final = (
    ("TRANSACTION_SYNC", "transactions"),
    ("REIMBURSEMENT_SYNC", "reimbursements"),
    ("TRANSFER_SYNC", "transfers"),
    ("STATEMENT_CREDIT_SYNC", "cashbacks"),
)


def connect(
    world: World, business: str, *, name: str = PROVIDER, vendors: tuple[str, ...] = ()
) -> Connection:
    """Somebody connects an accounting program, and Ramp reads its chart."""
    connection = seats.occupy(world, business, name, ConnectionType.DIRECT)
    accounts = [
        bodies.AccountUpload.model_validate(
            {"id": given, "code": code, "name": called, "classification": kind}
        )
        for given, code, called, kind in ACCOUNTS
    ]
    chart.add_accounts(world, connection, accounts)
    field = custom_fields.add_field(
        world,
        connection,
        bodies.FieldCreate(
            id="qbo-class", name=CLASS, input_type="SINGLE_CHOICE", is_splittable=True
        ),
    )
    options = [bodies.OptionUpload(id=given, value=called) for given, called in CLASSES]
    custom_fields.add_options(world, connection, field, options)
    people = [bodies.VendorUpload(id=f"V-{n}", name=one) for n, one in enumerate(vendors, start=1)]
    chart.add_vendors(world, connection, people)
    _add_taxes(world, connection)
    return connection


def sync(world: World, business: str, *, most: int | None = None) -> int:
    """Its own syncing: whatever is ready becomes synced, bills and their payments last.

    :param most: leave the rest for another time
    :returns: how many objects
    :raises NotPossible: if no connection of Ramp's own has the seat
    """
    connection = seats.active(world, business)
    if connection is None or connection.connection_type is not ConnectionType.DIRECT:
        raise NotPossible("No connection that Ramp itself runs has the seat.")
    found = list(islice(_ready(world, business), most))
    for sync_type, given in found:
        told = Told(world.clock(), world.ids.uuid(), world.ids.uuid(), by_provider=True)
        body = bodies.SuccessfulSync.model_validate(
            {"id": given, "reference_id": f"QB-{told.at:%j}-{given[:8]}"}
        )
        syncs.KINDS[sync_type].succeed(world, body, told)
    return len(found)


def _ready(world: World, business: str) -> Iterator[tuple[str, str]]:
    """Sync type and id. A bill that is paid is due twice: for itself, then for its payment."""
    for sync_type, name in _SYNC_TYPES:
        table: SyncedTable[Any] = getattr(world, name)
        rows = table.in_status(business, SyncStatus.SYNC_READY).values()
        yield from [(sync_type, row.id) for row in sorted(rows, key=lambda row: row.seq)]
    for bill in list(world.bills.of(business)):
        if is_bill_ready(world, bill):
            yield "BILL_SYNC", bill.id
            if bill.status == "PAID":
                yield "BILL_PAYMENT_SYNC", bill.id
        elif is_payment_ready(bill):
            yield "BILL_PAYMENT_SYNC", bill.id


def _add_taxes(world: World, connection: Connection) -> None:
    given, called, rate, account = TAX_RATE
    upload = bodies.TaxRateUpload.model_validate(
        {
            "id": given,
            "name": called,
            "rate": rate,
            "accounting_gl_account_id": chart.ramp_id(connection.id, "account", account),
        }
    )
    taxes.add_rates(world, connection, [upload])
    taxes.add_field(world, connection, "Tax code")
    codes = [bodies.TaxCodeUpload(id="TX", name="Taxable", tax_rate_ids=[given])]
    taxes.add_codes(world, connection, codes)
