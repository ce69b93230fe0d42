"""A fleet that is copied in is what the triggers would have made of its items, one by one."""

from datetime import UTC, datetime

import pytest
from django.db import connection as database

from bench.load.causes import CAUSES
from bench.load.loading import load
from connections.models import Connection
from syncing.models import CustomerStanding, ItemTotal, SyncItem

pytestmark = pytest.mark.django_db(transaction=True)

ITEMS = 600
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

ROLL_UPS = {
    "syncing_itemcount": "connection_id, object_type, state, error_category, currency, exponent,"
    " items, amount_minor",
    "syncing_periodcount": "connection_id, entity_ramp_id, period, standing, currency, exponent,"
    " items, amount_minor",
    "syncing_periodchange": "connection_id, entity_ramp_id, period",
    "syncing_errorgroup": "fingerprint, code, title, category, origin",
    "syncing_errorcount": "fingerprint, connection_id, object_type, state, error_category,"
    " currency, exponent, items, amount_minor, last_seen_at",
    "syncing_occurrence": "fingerprint, connection_id, item_id, times",
    "syncing_itemwords": "item_id, words",
}
SHARES = {
    "item": "object_type, state, error_category, currency, exponent",
    "error": "fingerprint, error_category, currency, exponent",
}


def roll_ups() -> dict[str, list[tuple[object, ...]]]:
    found = {}
    with database.cursor() as cursor:
        for table, columns in ROLL_UPS.items():
            cursor.execute(f"SELECT {columns} FROM {table}")
            found[table] = sorted(cursor.fetchall(), key=repr)
        cursor.execute(
            "SELECT object_type, state, error_category, currency, exponent, sum(items),"
            " sum(amount_minor) FROM syncing_itemtotal GROUP BY 1, 2, 3, 4, 5 HAVING sum(items) > 0"
        )
        found["syncing_itemtotal"] = sorted(cursor.fetchall(), key=repr)
        for what, keys in SHARES.items():
            whose = f"erp_name, owner, {keys}"
            cursor.execute(
                f"SELECT {whose}, sum(items), sum(amount_minor) FROM ("
                f" SELECT {whose}, items, amount_minor FROM syncing_{what}share UNION ALL"
                f" SELECT {whose}, items, amount_minor FROM syncing_{what}total t"
                " JOIN connections_connection c ON c.id = t.connection_id"
                f") both_kinds GROUP BY {whose} HAVING sum(items) > 0"
            )
            found[f"syncing_{what}share"] = sorted(cursor.fetchall(), key=repr)
    return found


def insert_again() -> None:
    """Delete all items and insert them as the program does, with triggers on."""
    columns = ", ".join(
        str(field.column) for field in SyncItem._meta.concrete_fields if not field.generated
    )
    with database.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE kept AS SELECT * FROM syncing_syncitem")
        for table in ("itemevent", "itemwords", "occurrence", "errorgroup", "syncitem"):
            cursor.execute(f"DELETE FROM syncing_{table}")
        for table in (
            "itemcount", "periodcount", "periodchange", "errorcount", "itemtotal", "errortotal",
            "itemshare", "errorshare",
        ):  # fmt: skip
            cursor.execute(f"DELETE FROM syncing_{table}")
        cursor.execute(f"INSERT INTO syncing_syncitem ({columns}) SELECT {columns} FROM kept")
        cursor.execute("DROP TABLE kept")


def indexes() -> list[str]:
    with database.cursor() as cursor:
        cursor.execute("SELECT indexdef FROM pg_indexes WHERE tablename LIKE 'syncing%' ORDER BY 1")
        return [definition for (definition,) in cursor.fetchall()]


def test_a_load_leaves_what_triggers_would_have_left_and_every_index() -> None:
    before = indexes()

    loaded = load(customers=12, items=ITEMS, now=NOW)

    assert indexes() == before
    assert loaded.copied_per_second > 0
    assert (SyncItem.objects.count(), Connection.objects.count()) == (ITEMS, 12)
    assert CustomerStanding.objects.count() == 12
    assert ItemTotal.objects.exists()
    copied = roll_ups()
    insert_again()
    for table, rows in roll_ups().items():
        assert copied[table] == rows, table


def test_the_causes_are_as_many_as_a_fleet_has() -> None:
    assert len({(cause.code, cause.title) for cause in CAUSES}) == 30
