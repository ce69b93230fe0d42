"""How files of items come to be known: with the post, by webhook, or by looking (F-21, F-22)."""

import uuid
from collections.abc import Sequence

from syncing.statements import execute, storable

HAS_DOCUMENT = "i.state IN ('POSTED', 'ACKING', 'ACKED') AND i.erp_id <> ''"
"""Items whose document surely stands: files of others wait, such as those of a mismatch."""

_COLUMNS = """connection_id, item_id, source, url, name, state, is_late, attempts, due_at, erp_id,
    size, error_title, error_fix, error_detail, created_at"""

FILES_OF_MOVED = f"""
    INSERT INTO syncing_attachment ({_COLUMNS})
    SELECT m.connection_id, m.id, f.source, f.url, '', 'due', false, 0, now(), '', 0, '', '', '',
           now()
    FROM moved m JOIN syncing_itempayload p ON p.item_id = m.id
    CROSS JOIN LATERAL (
        SELECT left(CASE jsonb_typeof(receipt) WHEN 'object' THEN receipt ->> 'id'
                    ELSE receipt #>> '{{}}' END, 100) AS source, '' AS url
        FROM jsonb_array_elements(CASE jsonb_typeof(p.ramp -> 'receipts')
            WHEN 'array' THEN p.ramp -> 'receipts' ELSE '[]' END) AS r(receipt)
        WHERE m.object_type IN ('transaction', 'reimbursement')
        UNION
        SELECT encode(sha256(convert_to(split_part(url, '?', 1), 'UTF8')), 'hex'), min(url)
        FROM jsonb_array_elements_text(CASE jsonb_typeof(p.ramp -> 'invoice_urls')
            WHEN 'array' THEN p.ramp -> 'invoice_urls' ELSE '[]' END) AS u(url)
        WHERE m.object_type = 'bill' AND url <> ''
        GROUP BY 1
    ) f
    WHERE f.source <> ''
    ON CONFLICT (item_id, source) DO NOTHING
"""  # noqa: S608  constants of this file
"""Queues the files of items just posted, `moved` (id, object_type, connection_id), in the very
statement that posts them: nobody can die in between. An invoice is known by the digest of its
address without the signature."""

WAKE_WISHES_OF_MOVED = """
    UPDATE syncing_attachment a SET due_at = now()
    FROM moved m WHERE a.item_id = m.id AND a.source = '' AND a.due_at IS NULL
"""
"""Makes due what was asked for before the item was posted, see `look_again`."""


def add_late(
    connection_id: uuid.UUID, object_type: str, receipts: Sequence[tuple[uuid.UUID, str]]
) -> int:
    """Queue receipts (Ramp's id of the object, and of the receipt) that are not known yet (F-22).

    One that had failed gets another chance, for it is in Ramp still. Returns how many are queued.
    """
    return execute(
        f"""
        INSERT INTO syncing_attachment AS a ({_COLUMNS})
        SELECT i.connection_id, i.id, left(seen.source, 100), '', '', 'due', true, 0, now(), '', 0,
               '', '', '', now()
        FROM (SELECT DISTINCT * FROM unnest(%(ramp_ids)s::uuid[], %(sources)s::text[])) AS
            seen(ramp_id, source)
        JOIN syncing_syncitem i ON i.connection_id = %(connection)s
            AND i.object_type = %(type)s AND i.phase = 0 AND i.ramp_id = seen.ramp_id
        WHERE {HAS_DOCUMENT} AND seen.source <> ''
        ORDER BY i.id, seen.source
        ON CONFLICT (item_id, source) DO UPDATE SET state = 'due', attempts = 0, due_at = now()
        WHERE a.state = 'failed'
        """,  # noqa: S608  constants of this file
        {
            "connection": connection_id,
            "type": object_type,
            "ramp_ids": [ramp_id for ramp_id, _ in receipts],
            "sources": [storable(source) for _, source in receipts],
        },
    )


def look_again(connection_id: uuid.UUID, object_type: str, ramp_id: uuid.UUID) -> int:
    """Wish for the object to be read again for receipts; once its document stands, if not yet."""
    return execute(
        f"""
        INSERT INTO syncing_attachment AS a ({_COLUMNS})
        SELECT i.connection_id, i.id, '', '', '', 'due', true, 0,
               CASE WHEN {HAS_DOCUMENT} THEN now() END, '', 0, '', '', '', now()
        FROM syncing_syncitem i
        WHERE i.connection_id = %s AND i.object_type = %s AND i.phase = 0 AND i.ramp_id = %s
        ON CONFLICT (item_id, source) DO UPDATE
        SET state = 'due', attempts = 0, due_at = excluded.due_at, lease_token = NULL
        """,  # noqa: S608  constants of this file
        [connection_id, object_type, ramp_id],
    )
