"""The version of a mapping: a digest of all that is decided, and the way back to an earlier one."""

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection as database

from migrations_tool import page_memory, proofs
from migrations_tool.models import ConnectionMigration, Evidence
from migrations_tool.steps import Step
from migrations_tool.work import Work

CODE = "mapping.version"
SHOWN = 20


def version_of(migration: ConnectionMigration) -> str:
    """SHA-256 over where every old record leads; the same decisions give the same version.

    Suggestions do not count until somebody has accepted them. One statement.
    """
    return page_memory.once(migration, "mapping version", lambda: _read_version(migration))


def _read_version(migration: ConnectionMigration) -> str:
    with database.cursor() as cursor:
        cursor.execute(_VERSION, [migration.pk])
        (digest,) = cursor.fetchone()
    return str(digest)


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that can be brought back."""

    evidence: Evidence
    is_now: bool

    @property
    def short(self) -> str:
        return self.evidence.checksum[:8]


def keep_version(work: Work) -> str:
    """Note the version as it is now, unless it is the one that was noted last.

    :returns: the version
    """
    return note_version(work.migration, by=work.actor, now=work.clock())


def note_version(migration: ConnectionMigration, *, by: str, now: datetime) -> str:
    """The same, where a person is at it and no worker."""
    version = version_of(migration)
    last = proofs.newest(migration, CODE)
    if last is None or last.checksum != version:
        with database.cursor() as cursor:
            cursor.execute(_NEWEST_EVENT, [migration.pk])
            (event,) = cursor.fetchone()
        Evidence.objects.create(
            migration=migration,
            step=Step.MAPPING,
            code=CODE,
            at=now,
            by=by,
            is_good=True,
            text=f"Version {version[:8]} of the mapping.",
            result={"event": event},
            checksum=version,
            app_version=settings.RELEASE[:60],
        )
    return version


def kept_versions(migration: ConnectionMigration, now_is: str) -> list[Kept]:
    """The newest versions that were noted, the last one first."""
    found = Evidence.objects.filter(migration=migration, code=CODE).order_by("-at", "-pk")
    return [Kept(one, one.checksum == now_is) for one in found[:SHOWN]]


def bring_back(migration: ConnectionMigration, event: int) -> int:
    """Give every record the decision that it had at that event of its history.

    Records that came later keep what they have.

    :returns: how many changed
    """
    with database.cursor() as cursor:
        cursor.execute(_BRING_BACK, {"migration": migration.pk, "event": event})
        return int(cursor.rowcount)


_VERSION = """
SELECT encode(sha256(convert_to(coalesce(string_agg(
    concat_ws(E'\\t', kind, field_old_id, old_id,
        CASE state WHEN 'parked' THEN 'parked' ELSE 'mapped' END, field_erp_id, erp_id),
    E'\\n' ORDER BY kind, field_old_id, old_id), ''), 'UTF8')), 'hex')
FROM migrations_tool_oldrecord
WHERE migration_id = %s AND state IN ('matched', 'mapped', 'parked')
"""
_NEWEST_EVENT = """
SELECT coalesce(max(pgh_id), 0) FROM migrations_tool_oldrecordevent WHERE migration_id = %s
"""
_BRING_BACK = """
UPDATE migrations_tool_oldrecord o
SET state = e.state, erp_id = e.erp_id, field_erp_id = e.field_erp_id, erp_name = e.erp_name,
    evidence = e.evidence, parked_because = e.parked_because, shared_because = e.shared_because,
    decided_by = e.decided_by, decided_at = e.decided_at
FROM (
    SELECT DISTINCT ON (pgh_obj_id) * FROM migrations_tool_oldrecordevent
    WHERE migration_id = %(migration)s AND pgh_id <= %(event)s
    ORDER BY pgh_obj_id, pgh_id DESC
) AS e
WHERE o.id = e.pgh_obj_id AND (o.state, o.erp_id, o.field_erp_id, o.parked_because,
    o.shared_because, o.decided_by) IS DISTINCT FROM (e.state, e.erp_id, e.field_erp_id,
    e.parked_because, e.shared_because, e.decided_by)
"""
