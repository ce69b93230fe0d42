"""What is due beside posting and reporting: files to attach, vendors to create, what people ask."""

import uuid
from enum import StrEnum

from syncing import silent_hosts
from syncing.statements import rows


class Errand(StrEnum):
    FILES = "files"
    VENDORS = "vendors"
    LOOKS = "looks"
    """People want to know whether an item is in the ERP."""
    INQUIRIES = "inquiries"
    """People want to know why something is not here."""


def due(limit: int = 500) -> list[tuple[Errand, uuid.UUID]]:
    """The live connections with an errand to do; files only while their ERP is not left alone, and
    neither these nor vendors while its server is silent: posting finds out when it answers."""
    found = rows(
        f"""
        (SELECT 'files', s.connection_id
         FROM syncing_schedule s JOIN connections_connection c ON c.id = s.connection_id
         WHERE c.stage = 'live' AND (s.resume_at IS NULL OR s.resume_at <= now())
           AND EXISTS (SELECT FROM syncing_attachment a WHERE a.connection_id = s.connection_id
                       AND a.state IN ('due', 'sending') AND a.due_at <= now())
           AND NOT {silent_hosts.is_silent("s.connection_id")}
         LIMIT %(limit)s)
        UNION ALL
        (SELECT DISTINCT 'vendors', v.connection_id
         FROM connections_vendorcreation v JOIN connections_connection c ON c.id = v.connection_id
         WHERE v.due_at <= now() AND c.stage = 'live'
           AND (v.lease_until IS NULL OR v.lease_until < now())
           AND NOT {silent_hosts.is_silent("v.connection_id")}
         LIMIT %(limit)s)
        UNION ALL
        (SELECT DISTINCT 'looks', i.connection_id
         FROM syncing_erplook l JOIN syncing_syncitem i ON i.id = l.item_id
         WHERE l.due_at <= now()
         LIMIT %(limit)s)
        UNION ALL
        (SELECT DISTINCT 'inquiries', q.connection_id
         FROM syncing_inquiry q WHERE q.due_at <= now()
         LIMIT %(limit)s)
        """,  # noqa: S608  constants of this program
        {"limit": limit},
    )
    return [(Errand(errand), connection_id) for errand, connection_id in found]
