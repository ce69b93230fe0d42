"""A customer whose mappings are behind: codings of a former integration, a closed account."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from connections.mapping_book.changes import Change
from connections.mapping_book.revisions import save
from connections.models import Connection, ErpEntity, MappingKind, MappingRevision
from syncing.models import ItemPayload, SyncItem
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    CustomFieldFactory,
    EntityFactory,
    FieldOptionFactory,
    LedgerAccountFactory,
    ScheduleFactory,
    SyncItemFactory,
    VendorFactory,
    now,
)

CHART = (
    ("6100", "Travel", "EXPENSE"),
    ("6200", "Software", "EXPENSE"),
    ("6300", "Meals", "EXPENSE"),
    ("6400", "Office supplies", "EXPENSE"),
    ("6500", "Advertising", "EXPENSE"),
    ("6600", "Professional fees", "EXPENSE"),
    ("2150", "Ramp card clearing", "LIABILITY"),
    ("1010", "Checking account", "ASSET"),
)


def missing_mappings(name: str = "Northwind Robotics", slug: str = "mapped") -> Connection:
    """31 items wait for one account, others for a closed one, a department, a vendor."""
    connection: Connection = ConnectionFactory.create(
        slug=slug, name=name, time_zone="America/Los_Angeles"
    )
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(connection=connection, name="Northwind US", is_mapped=True)
    EntityFactory.create(connection=connection, name="Northwind Labs", is_primary=False)
    ErpEntity.objects.create(connection=connection, erp_id="1", name="Northwind Robotics Inc")
    long = name == LONG_NAME
    for code, title, classification in CHART:
        LedgerAccountFactory.create(
            connection=connection,
            erp_id=f"a{code}",
            code=code,
            name=LONG_NAME if long else title,
            classification=classification,
        )
    LedgerAccountFactory.create(
        connection=connection, erp_id="a6999", code="6999", name="Old projects", is_active=False
    )
    department = CustomFieldFactory.create(connection=connection)
    for code, title in (("ENG", "Engineering"), ("SAL", "Sales"), ("OPS", "Operations")):
        FieldOptionFactory.create(field=department, erp_id=code, code=code, name=title)
    VendorFactory.create(connection=connection, erp_id="v1", name="GitHub, Inc.")
    _revisions(connection)
    called = LONG_NAME if long else ""
    _held(connection, 31, "mapping.GL account:legacy-77", 39_677, called or "Software", "62-000")
    _held(connection, 4, "erp.account_inactive:a6999", 81_250, "Old projects", "6999")
    _held(connection, 6, "mapping.field option:department/d-9", 12_000, called or "Engineering R&D")
    _held(connection, 3, f"mapping.vendor:{uuid4()}", 250_000, vendor=called or "Github")
    _held(connection, 2, "mapping.tax code:VAT-OLD", 9_900, "Reduced rate", type_="TAX_CODE")
    return connection


def _revisions(connection: Connection) -> None:
    sales = Change(
        MappingKind.GL_ACCOUNT, "legacy-61", "a6100", ramp_name="Journeys", reason="Asked for."
    )
    meals = Change(MappingKind.GL_ACCOUNT, "legacy-63", "a6300", ramp_name="Food and drinks")
    card = Change(MappingKind.PROFILE, "card_liability_account", "a2150")
    source = MappingRevision.Source
    for changes, reason, kind, actor in (
        ([card], "Set up with the connection.", source.ONBOARDING, "setup"),
        ([sales, meals], "Codings of the integration before us.", source.FILE, "maya.okafor"),
        (
            [Change(MappingKind.GL_ACCOUNT, "legacy-63", "a6400", ramp_name="Food and drinks")],
            "Canteen is booked as office supplies, says the controller.",
            source.WORKBENCH,
            "tomas.rivera",
        ),
    ):
        save(connection, changes, actor=actor, reason=reason, source=kind)


def _held(
    connection: Connection,
    count: int,
    cause: str,
    cents: int,
    name: str = "",
    code: str = "",
    *,
    vendor: str = "",
    type_: str = "GL_ACCOUNT",
) -> list[SyncItem]:
    external_id = cause.partition(":")[2].rpartition("/")[2]
    coding = {"external_id": external_id, "external_code": code, "name": name, "type": type_}
    body: dict[str, Any] = {
        "line_items": [{"accounting_field_selections": [coding] if name else []}],
        "vendor": {"name": vendor},
    }
    items: list[SyncItem] = SyncItemFactory.create_batch(
        count,
        connection=connection,
        failed=True,
        blocked_by=cause,
        error_code=cause.partition(":")[0],
        error_title=f"Tryton has no record called {name or vendor}."[:300],
        amount_minor=cents,
        ready_at=now() - timedelta(days=2, hours=3),
    )
    ItemPayload.objects.bulk_create(ItemPayload(item=item, ramp=body) for item in items)
    return items
