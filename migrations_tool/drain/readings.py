"""Rows of what was still ready, kept as long as somebody may need them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from migrations_tool import page_memory
from migrations_tool.drain.counting import Ready
from migrations_tool.models import BillInFlight, ConnectionMigration, DrainReading
from rampbridge.lib.statements import execute

NEWEST = 500
"""Readings that are all kept. Of older ones a zero of each hour stays, as proof."""
LOOKED_AT = 200
"""Readings that tell whether it is drained: more than people and watches make in a quarter of an
hour."""


def newest_first(
    migration: ConnectionMigration, *, until: datetime | None = None, most: int = NEWEST
) -> Sequence[DrainReading]:
    """
    :param until: only what was read until then
    """
    found = DrainReading.objects.filter(migration=migration)
    if until is not None:
        found = found.filter(at__lte=until)
    return list(found.order_by("-at", "-pk")[:most])


def until_the_switch(migration: ConnectionMigration) -> Sequence[DrainReading]:
    """The newest ones that tell whether it is drained; once there was a switch, those before it."""

    def read() -> Sequence[DrainReading]:
        return newest_first(migration, until=migration.flipped_at, most=LOOKED_AT)

    return page_memory.once(migration, "drain readings", read)


def bills(migration: ConnectionMigration) -> Sequence[BillInFlight]:
    """All that were in flight since the plan, what is not decided first."""
    found = BillInFlight.objects.filter(migration=migration)
    ordered = found.order_by("decision", "issued_on", "pk")
    return page_memory.once(migration, "bills of the drain", lambda: list(ordered))


def keep(
    migration: ConnectionMigration, counted: Mapping[str, Ready], *, now: datetime
) -> DrainReading:
    """Keep a reading. Which objects they were, only the newest one says."""
    with transaction.atomic():
        _forget_names(migration)
        reading = DrainReading.objects.create(
            migration=migration,
            at=now,
            ready={name: ready.as_json() for name, ready in counted.items()},
            total=sum(ready.count for ready in counted.values()),
        )
        _prune(migration)
    return reading


def _forget_names(migration: ConnectionMigration) -> None:
    newest = DrainReading.objects.filter(migration=migration).order_by("-at", "-pk").first()
    if newest is None or newest.total == 0:
        return
    for ready in newest.ready.values():
        ready.pop("first", None)
    newest.save(update_fields=["ready"])


def _prune(migration: ConnectionMigration) -> None:
    execute(
        """
        WITH old AS (
            SELECT id, total, at FROM migrations_tool_drainreading
            WHERE migration_id = %(migration)s ORDER BY at DESC, id DESC OFFSET %(newest)s
        )
        DELETE FROM migrations_tool_drainreading
        WHERE id IN (SELECT id FROM old) AND id NOT IN (
            SELECT min(id) FROM old WHERE total = 0 GROUP BY date_trunc('hour', at)
        )
        """,
        {"migration": migration.pk, "newest": NEWEST},
    )
