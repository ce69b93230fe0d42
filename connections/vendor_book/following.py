"""What changed in the ERP about vendors, and what pointed to them (R-41, F-19). Our tables only.

A merged vendor has an heir. Mappings lead to the heir from then on, vendors of Ramp are linked to
it, and documents name it. One that was only deactivated has none: who is linked to it is shown.
"""

import logging
from collections.abc import Mapping

from connections.mapping_book import revisions
from connections.mapping_book.changes import Change
from connections.models import Connection, MappingKind, MappingRevision
from connections.vendor_book import changes, ownership
from connections.vendor_book.links import want_heirs
from connections.vendor_book.statements import WANTED, rows

logger = logging.getLogger(__name__)

MERGED = "merged in the ERP"


def follow_erp(connection: Connection) -> int:
    """Bring mappings, links and open questions up to what the ERP says now.

    Call it after each reading of the ERP's vendors and before uploading: names that Ramp is to
    keep are marked here. Nothing is called, and a second time changes nothing.

    :returns: how many mappings, links and questions are new or others than before
    """
    return (
        _lead_mappings_to_heirs(connection)
        + _link_to_heirs(connection)
        + changes.find_bank_changes(connection)
        + ownership.apply(connection)
    )


def heirs(connection: Connection) -> Mapping[str, str]:
    """The ERP id of the vendor that stands in for each merged one, however often it was merged."""
    found = rows(_ALL_HEIRS, {"connection": connection.pk})
    return {row["merged"]: row["heir"] for row in found}


def _lead_mappings_to_heirs(connection: Connection) -> int:
    found = rows(_MAPPINGS, {"connection": connection.pk})
    if not found:
        return 0
    moved = [
        Change(
            kind=MappingKind.VENDOR,
            ramp_external_id=row["ramp_external_id"],
            after=row["heir"],
            entity_ramp_id=row["entity"],
            ramp_name=row["ramp_name"],
        )
        for row in found
    ]
    try:
        revisions.save(
            connection,
            moved,
            actor="",
            reason=f"Vendors were merged in {connection.erp_name}.",
            source=MappingRevision.Source.MERGE,
        )
    except revisions.NotSaved as refusal:
        # It stays as it was, and the next reading tries again; documents follow the merger anyway.
        logger.warning("Mappings were not led to heirs: %s", refusal)
        return 0
    return len(moved)


def _link_to_heirs(connection: Connection) -> int:
    found = rows(_LINKED, {"connection": connection.pk})
    if not found:
        return 0
    return want_heirs(connection, {row["id"]: row["heir"] for row in found}, why=MERGED)


# Twenty mergers in a row end even a circle; an heir that is itself inactive is nobody's.
_HEIRS = f"""
    WITH RECURSIVE chain AS (
        SELECT erp_id AS merged, merged_into AS heir, 1 AS depth FROM connections_vendor
        WHERE connection_id = %(connection)s AND merged_into <> ''
        UNION ALL
        SELECT c.merged, v.merged_into, c.depth + 1
        FROM chain c JOIN connections_vendor v
          ON v.connection_id = %(connection)s AND v.erp_id = c.heir AND v.merged_into <> ''
        WHERE c.depth < 20
    ), heirs AS (
        SELECT c.merged, c.heir FROM chain c JOIN connections_vendor v
          ON v.connection_id = %(connection)s AND v.erp_id = c.heir
        WHERE {WANTED}
    )
"""  # noqa: S608  the pieces are constants of this project
_ALL_HEIRS = f"{_HEIRS} SELECT merged, heir FROM heirs"  # noqa: S608
_MAPPINGS = f"""
    {_HEIRS}
    SELECT m.ramp_external_id, m.ramp_name, h.heir, coalesce(e.ramp_id::text, '') AS entity
    FROM heirs h
    JOIN connections_mapping m
      ON m.connection_id = %(connection)s AND m.kind = 'vendor' AND m.erp_id = h.merged
    LEFT JOIN connections_entity e ON e.id = m.entity_id
    ORDER BY m.id
"""  # noqa: S608
_LINKED = f"""
    {_HEIRS}
    SELECT r.id, h.heir FROM heirs h
    JOIN connections_rampvendor r
      ON r.connection_id = %(connection)s AND r.linked_erp_id = h.merged AND r.linked_erp_id <> ''
    WHERE r.is_active
    ORDER BY r.id
"""  # noqa: S608
