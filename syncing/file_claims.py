"""Files on their way to documents in the ERP: which are due, whose they are, what came of them.

A file is a row of its own with its own lease and its own failures. Nothing here moves an item:
its document is in the ledger already and is never posted again for the sake of a file (F-21).
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from connections.erp.records import Ref
from syncing.attachments import HAS_DOCUMENT
from syncing.classifier import SyncFailure
from syncing.statements import execute, from_json, rows, storable

LEASE_SECONDS = 180
"""How long files are a worker's. No file is begun later than that allows for the slowest one."""


@dataclass(frozen=True, slots=True)
class ClaimedFile:
    """One file in a worker's hands."""

    id: int
    item_id: int
    object_type: str
    ramp_id: uuid.UUID
    source: str
    """Ramp's id of a receipt, or an invoice's digest. Empty: look which receipts there are."""
    url: str
    document: dict[str, Any] | None
    label: str
    attempts: int
    """Tries to attach it, the one at hand included."""

    @property
    def is_wish(self) -> bool:
        """Not a file, but the wish to read the object again for receipts that came late."""
        return not self.source

    @property
    def ref(self) -> Ref | None:
        """What the document carries; None of an item that has no document of its own."""
        return Ref.from_json(self.document["ref"]) if self.document else None


def claim(connection_id: uuid.UUID, token: uuid.UUID, limit: int) -> list[ClaimedFile]:
    """Take the files in hand that are due, those too whose worker was not heard of again."""
    found = rows(
        f"""
        WITH next AS (
            SELECT a.id FROM syncing_attachment a JOIN syncing_syncitem i ON i.id = a.item_id
            WHERE a.connection_id = %(connection)s AND a.state IN ('due', 'sending')
              AND a.due_at <= now() AND {HAS_DOCUMENT}
            ORDER BY a.due_at, a.id LIMIT %(limit)s
            FOR UPDATE OF a SKIP LOCKED
        ), mine AS (
            UPDATE syncing_attachment a
            SET state = 'sending', attempts = a.attempts + 1, lease_token = %(token)s,
                lease_until = now() + %(lease)s * interval '1s',
                due_at = now() + %(lease)s * interval '1s'
            FROM next WHERE a.id = next.id
            RETURNING a.*
        )
        SELECT a.id, a.item_id, i.object_type, i.ramp_id, a.source, a.url, p.document, i.label,
               a.attempts
        FROM mine a JOIN syncing_syncitem i ON i.id = a.item_id
        JOIN syncing_itempayload p ON p.item_id = a.item_id
        ORDER BY a.id
        """,  # noqa: S608  a constant of this file
        {"connection": connection_id, "token": token, "limit": limit, "lease": LEASE_SECONDS},
    )
    return [
        ClaimedFile(id_, item, type_, ramp_id, source, url, from_json(document), label, attempts)
        for id_, item, type_, ramp_id, source, url, document, label, attempts in found
    ]


def put_off_others(connection_id: uuid.UUID) -> int:
    """Let files wait whose item has no certain document now: what became of it comes first."""
    return execute(
        f"""
        UPDATE syncing_attachment a
        SET state = 'due', due_at = now() + interval '1 hour', lease_token = NULL,
            error_title = 'Waits until it is settled what the ERP holds of its item.',
            error_fix = '', error_detail = ''
        FROM syncing_syncitem i
        WHERE i.id = a.item_id AND a.connection_id = %s AND a.state IN ('due', 'sending')
          AND a.due_at <= now() AND NOT ({HAS_DOCUMENT})
        """,  # noqa: S608  a constant of this file
        [connection_id],
    )


def record_attached(
    file: ClaimedFile, token: uuid.UUID, *, erp_id: str, name: str, size: int
) -> int:
    """The ERP's document has the file. Returns 0 if the lease was lost: whoever has it now knows.

    :param size: in bytes
    """
    return execute(
        """
        WITH done AS (
            UPDATE syncing_attachment
            SET state = 'attached', attached_at = now(), due_at = NULL, lease_token = NULL,
                lease_until = NULL, url = '', erp_id = %(erp_id)s, name = %(name)s,
                size = %(size)s, error_title = '', error_fix = '', error_detail = ''
            WHERE id = %(id)s AND lease_token = %(token)s
            RETURNING item_id, source, is_late
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT item_id, now(), 'attached', %(name)s,
               jsonb_build_object('source', source, 'late', is_late), ''
        FROM done
        """,
        {
            "id": file.id,
            "token": token,
            "erp_id": erp_id[:100],
            "name": storable(name)[:200],
            "size": size,
        },
    )


def record_retry(file: ClaimedFile, token: uuid.UUID, why: SyncFailure, seconds: float) -> int:
    """Try the file again after so many seconds."""
    return execute(
        """
        UPDATE syncing_attachment
        SET state = 'due', due_at = now() + %(seconds)s * interval '1s', lease_token = NULL,
            lease_until = NULL, error_title = %(title)s, error_fix = %(fix)s,
            error_detail = %(detail)s
        WHERE id = %(id)s AND lease_token = %(token)s
        """,
        {"id": file.id, "token": token, "seconds": seconds, **_words(why)},
    )


def record_failed(file: ClaimedFile, token: uuid.UUID, why: SyncFailure) -> int:
    """Give a file up until somebody acts. The timeline says so, once for the same reason."""
    return execute(
        """
        WITH failed AS (
            UPDATE syncing_attachment a
            SET state = 'failed', due_at = NULL, lease_token = NULL, lease_until = NULL,
                error_title = %(title)s, error_fix = %(fix)s, error_detail = %(detail)s
            WHERE a.id = %(id)s AND a.lease_token = %(token)s
            RETURNING a.item_id, a.source
        ), told AS (
            INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
            SELECT f.item_id, now(), 'not_attached', %(title)s || ' ' || %(fix)s,
                   jsonb_build_object('source', f.source, 'detail', left(%(detail)s, 1000)), ''
            FROM failed f
            WHERE NOT EXISTS (
                SELECT FROM syncing_itemevent e WHERE e.item_id = f.item_id
                AND e.kind = 'not_attached' AND e.data ->> 'source' = f.source
                AND e.text = %(title)s || ' ' || %(fix)s)
        )
        SELECT FROM failed
        """,
        {"id": file.id, "token": token, **_words(why)},
    )


def give_back(token: uuid.UUID, ids: Sequence[int], *, seconds: float = 0) -> int:
    """Queue files again that were claimed and not tried."""
    return execute(
        """
        UPDATE syncing_attachment
        SET state = 'due', due_at = now() + %s * interval '1s', attempts = attempts - 1,
            lease_token = NULL, lease_until = NULL
        WHERE id = ANY(%s) AND lease_token = %s
        """,
        [seconds, list(ids), token],
    )


def postpone(connection_id: uuid.UUID, why: SyncFailure, seconds: float) -> int:
    """Let all files of a connection wait that is stopped as a whole, and say why."""
    return execute(
        """
        UPDATE syncing_attachment
        SET due_at = now() + %(seconds)s * interval '1s', error_title = %(title)s,
            error_fix = %(fix)s, error_detail = %(detail)s
        WHERE connection_id = %(connection)s AND state = 'due'
          AND due_at < now() + %(seconds)s * interval '1s'
        """,
        {"connection": connection_id, "seconds": seconds, **_words(why)},
    )


def skip(connection_id: uuid.UUID, why: str) -> int:
    """Put aside all files of a connection whose ERP takes none."""
    return execute(
        """
        WITH skipped AS (
            UPDATE syncing_attachment SET state = 'skipped', due_at = NULL, error_title = %(why)s
            WHERE connection_id = %(connection)s AND state = 'due'
            RETURNING item_id, source
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT item_id, now(), 'not_attached', %(why)s, jsonb_build_object('source', source), ''
        FROM skipped ORDER BY item_id, source
        """,
        {"connection": connection_id, "why": storable(why)[:300]},
    )


def retry(file_id: int, *, actor: str) -> int:
    """Try a file again that was given up, put aside, or waits for its next try; its document is
    left alone. Returns 0 if there is nothing to retry, for it is being attached or is there."""
    return execute(
        """
        WITH again AS (
            UPDATE syncing_attachment
            SET state = 'due', attempts = 0, due_at = now(), error_title = '', error_fix = '',
                error_detail = ''
            WHERE id = %s AND source <> '' AND state IN ('due', 'failed', 'skipped')
            RETURNING item_id, source
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT item_id, now(), 'note', 'The file is tried again.',
               jsonb_build_object('source', source), %s
        FROM again
        """,
        [file_id, actor],
    )


def keep_address(file: ClaimedFile, token: uuid.UUID, url: str) -> int:
    """Keep an invoice's newly signed address."""
    return execute(
        "UPDATE syncing_attachment SET url = %s WHERE id = %s AND lease_token = %s",
        [url, file.id, token],
    )


def fulfilled(file: ClaimedFile, token: uuid.UUID) -> int:
    """Drop a wish that was granted, unless the same was wished for again meanwhile."""
    return execute(
        "DELETE FROM syncing_attachment WHERE id = %s AND lease_token = %s", [file.id, token]
    )


def _words(why: SyncFailure) -> dict[str, str]:
    return {
        "title": storable(why.title)[:300],
        "fix": storable(why.fix)[:500],
        "detail": storable(why.detail)[:4000],
    }
