"""What we have posted since the switch, for somebody to reverse or keep (R-103)."""

from collections.abc import Iterator

from django.db.models import QuerySet

from migrations_tool.models import ConnectionMigration
from syncing.models import SyncItem

HEAD = (
    "type",
    "reference",
    "name",
    "amount",
    "currency",
    "posted at",
    "document",
    "document id",
    "address",
    "reported to Ramp at",
    "state",
)


def posted_since(migration: ConnectionMigration) -> QuerySet[SyncItem]:
    """Items with a document of ours, in the order they were posted; none before the switch."""
    found = SyncItem.objects.filter(connection_id=migration.connection_id)
    if migration.flipped_at is None:
        return found.none()
    return found.filter(posted_at__gte=migration.flipped_at).order_by("posted_at", "pk")


def lines(migration: ConnectionMigration) -> Iterator[tuple[str, ...]]:
    """The list as lines of a file, below `HEAD`."""
    for item in posted_since(migration).iterator(chunk_size=500):
        yield (
            item.get_object_type_display(),
            item.reference,
            item.label,
            str(item.money.decimal),
            item.currency,
            item.posted_at.isoformat() if item.posted_at else "",
            item.erp_number,
            item.erp_id,
            item.erp_url,
            item.acked_at.isoformat() if item.acked_at else "",
            item.state,
        )
