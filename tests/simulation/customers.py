"""Customers as they stand once connected, without the forty calls that connecting takes."""

from connections import services
from connections.erp.adapters.in_memory_books import DEMO_ACCOUNTS
from connections.models import Connection, Entity, LedgerAccount, PostingProfile, Vendor
from connections.ramp_simulator.app import Simulator
from syncing.models import Schedule
from syncing.snapshots import database_now
from tests.simulation.ledgers import KIND, SUPPLIERS

OBJECT_TYPES = ("bill", "transaction", "reimbursement", "transfer", "cashback", "vendor_credit")
"""As `Connection.object_types` names them; bills bring their payments."""
_VENDOR_CREATION = "transaction_accounting_vendor_creation_on_sync_enabled"
_EXPENSES = [account for account in DEMO_ACCOUNTS if account[2] == "EXPENSE"]
CHART = [
    {"id": code, "code": code, "name": name, "classification": kind}
    for code, name, kind in _EXPENSES
]
"""As it was uploaded to Ramp."""


def connect(
    sim: Simulator, slug: str, erp_settings: dict[str, str], *, creates_vendors: bool = False
) -> Connection:
    """One customer, live and mapped; it has no webhook yet.

    :param creates_vendors: whether each merchant must be a vendor before its transactions are
        synced (R-36)
    """
    business = sim.business(slug)
    seat = business.upload_chart(
        accounts=CHART,
        vendors=[{"id": name, "name": name} for name in SUPPLIERS],
    )
    if creates_vendors:
        with sim.world.change():
            seat.settings[_VENDOR_CREATION] = True
            sim.world.connections.put(seat)
    connection = services.create_connection(
        services.NewConnection(
            slug=slug,
            name=slug,
            time_zone="UTC",
            ramp_client_id=business.client_id,
            ramp_client_secret=business.client_secret,
            erp_kind=KIND,
            erp_name="Ledger",
            erp_settings=erp_settings,
        )
    )
    Connection.objects.filter(pk=connection.pk).update(
        ramp_business_id=business.id, stage=Connection.Stage.LIVE, object_types=list(OBJECT_TYPES)
    )
    for entity in sim.world.entities.of(slug):
        Entity.objects.create(
            connection=connection,
            ramp_id=entity.id,
            name=entity.name,
            currency=entity.currency,
            is_mapped=True,
        )
    LedgerAccount.objects.bulk_create(
        LedgerAccount(connection=connection, erp_id=code, code=code, name=name)
        for code, name, _ in _EXPENSES
    )
    Vendor.objects.bulk_create(
        Vendor(
            connection=connection,
            erp_id=vendor.external_id,
            name=vendor.name,
            ramp_id=vendor.id,
        )
        for vendor in sim.world.vendors.of(slug)
    )
    PostingProfile.objects.create(
        connection=connection,
        card_liability_account="2150",
        bank_account="1000",
        reimbursement_account="1000",
        cashback_account="6600",
    )
    Schedule.objects.create(connection=connection, next_poll_at=database_now())
    return connection
