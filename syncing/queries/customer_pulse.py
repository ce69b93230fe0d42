"""Whether a customer's page may look otherwise than before, for far less than the page costs."""

from datetime import datetime
from typing import Any

from rampbridge.lib.statements import kept_rows


def pulse(slug: str, *, now: datetime) -> tuple[Any, ...] | None:
    """What changes whenever the customer's page may; None if there is no such customer.

    One statement, of roll-ups and of the ends of indexes: no item is read. What time alone changes
    is told by the customer's line in the fleet, and of counts of a day by the hour.
    """
    found = kept_rows(
        """
        SELECT c.id, c.name, c.owner, c.tags, c.stage, c.paused_reason,
            l.health, l.meaning, l.words::text, l.drifting,
            s.last_poll_at, s.fetch_asked_by, s.last_posted_at, s.last_acked_at,
            m.last_read_at, m.last_push_at, m.last_verified_at, m.lease_until, m.blocked_code,
            m.asked_by, m.strangers::text, m.failures,
            items.sum, errors.sum, errors.owners, pauses.sum, flows.sum, vendors.sum,
            (SELECT max(id) FROM connections_auditline WHERE connection_id = c.id),
            (SELECT max(id) FROM syncing_comment WHERE connection_id = c.id),
            (SELECT id FROM syncing_ackbatch WHERE connection_id = c.id
             ORDER BY created_at DESC LIMIT 1),
            (SELECT concat(id, finished_at, sent) FROM connections_mirrorrun
             WHERE connection_id = c.id ORDER BY started_at DESC LIMIT 1),
            (SELECT concat(id, requested, succeeded, failed) FROM syncing_syncrequest
             WHERE connection_id = c.id ORDER BY received_at DESC LIMIT 1),
            (SELECT concat(id, started_at) FROM syncing_syncrun
             WHERE connection_id = c.id AND (new > 0 OR changed > 0 OR problem <> '' OR actor <> '')
             ORDER BY started_at DESC LIMIT 1)
        FROM connections_connection c
        LEFT JOIN syncing_customerstanding l ON l.connection_id = c.id
        LEFT JOIN syncing_schedule s ON s.connection_id = c.id
        LEFT JOIN connections_mirror m ON m.connection_id = c.id
        CROSS JOIN LATERAL (
            SELECT sum(hashtextextended(r::text, 0)) FROM syncing_itemcount r
            WHERE r.connection_id = c.id
        ) items CROSS JOIN LATERAL (
            SELECT sum(hashtextextended(r::text, 0)),
                string_agg(g.owner, ',' ORDER BY r.id) AS owners
            FROM syncing_errorcount r JOIN syncing_errorgroup g USING (fingerprint)
            WHERE r.connection_id = c.id
        ) errors CROSS JOIN LATERAL (
            SELECT sum(hashtextextended(r::text, 0)) FROM syncing_pause r
            WHERE r.connection_id = c.id AND (r.resumed_at IS NULL
                OR r.resumed_at > %(now)s - interval '1h')
        ) pauses CROSS JOIN LATERAL (
            SELECT sum(hashtextextended(concat(r.object_type, r.warned_at, r.refused_in_a_row), 0))
            FROM syncing_flow r WHERE r.connection_id = c.id
        ) flows CROSS JOIN LATERAL (
            SELECT sum(hashtextextended(concat(r.id, r.step, r.due_at, r.error_title), 0))
            FROM connections_vendorcreation r
            WHERE r.connection_id = c.id AND (r.due_at IS NOT NULL OR r.error_title <> '')
        ) vendors
        WHERE c.slug = %(slug)s
        """,
        {"slug": slug, "now": now},
    )
    return (*found[0], now.replace(minute=0, second=0, microsecond=0)) if found else None
