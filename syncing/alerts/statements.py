"""The statement that measures each kind. Of customers: (connection_id, value, facts); of others:
(subject, value, facts).

Parameters: `now`, and `beyond`, from where on the caller wants to know.
"""

from collections.abc import Mapping

from syncing import webhook_health
from syncing.alert_kinds import fleet, flow, links

_NOT_SYNCED = "('READY', 'POSTING', 'POSTED', 'ACKING')"
_MINUTES_SINCE = "extract(epoch FROM %(now)s - {}) / 60"
# An ERP that hangs holds each try for minutes. Who has nothing to send is not tried, and is not
# known to be silent still.
_STILL_SILENT = """(
    s.resume_at > %(now)s - interval '2 minutes'
    OR s.resume_at > %(now)s - interval '15 minutes' AND EXISTS (
        SELECT FROM syncing_itemcount k WHERE k.connection_id = s.connection_id
        AND k.state IN ('READY', 'POSTING') AND k.items > 0)
)"""

_WORKER = f"""
    SELECT '' AS subject, extract(epoch FROM %(now)s - max(b.beat_at)) AS value,
        jsonb_build_object('waits', (
            SELECT coalesce(sum(items), 0) FROM syncing_itemtotal WHERE state IN {_NOT_SYNCED}
        )) AS facts
    FROM syncing_workerbeat b HAVING max(b.beat_at) IS NOT NULL
"""  # noqa: S608  constants of this file
# A customer that is stopped, paused or left alone for a while is not to move.
_STILL = """
    SELECT '' AS subject,
        extract(epoch FROM %(now)s - greatest(due.since, moved.at)) / 60 AS value,
        jsonb_build_object('since', due.since) AS facts
    FROM (
        SELECT min(first.due_at) AS since
        FROM (SELECT DISTINCT k.connection_id, k.object_type FROM syncing_itemcount k
              WHERE k.state = 'READY' AND k.items > 0) k
        JOIN syncing_schedule s ON s.connection_id = k.connection_id AND s.blocked_at IS NULL
            AND (s.resume_at IS NULL OR s.resume_at <= %(now)s)
        JOIN connections_connection c ON c.id = k.connection_id AND c.stage = 'live'
        CROSS JOIN LATERAL (
            SELECT i.due_at FROM syncing_syncitem i
            WHERE i.connection_id = k.connection_id AND i.object_type = k.object_type
              AND i.state = 'READY' AND i.due_at IS NOT NULL
            ORDER BY i.due_at LIMIT 1
        ) first
        WHERE NOT EXISTS (
            SELECT FROM syncing_pause p WHERE p.connection_id = k.connection_id
            AND p.resumed_at IS NULL AND p.object_type IN ('', k.object_type))
    ) due, (
        SELECT greatest(
            (SELECT max(at) FROM syncing_flowentry WHERE change <> 'arrived'),
            (SELECT at FROM syncing_flowbucket WHERE span = 'minute' AND change <> 'arrived'
             ORDER BY at DESC LIMIT 1),
            (SELECT max(greatest(last_posted_at, last_acked_at)) FROM syncing_schedule)
        ) AS at
    ) moved
    WHERE due.since < %(now)s
"""
# Who gets no answer is tried about once a minute, so each counts as one failure a minute.
_ERP = f"""
    WITH flown AS (
        SELECT b.erp_name, b.change, b.items FROM syncing_flowbucket b
        WHERE b.span = 'minute' AND b.at > %(now)s - interval '5 minutes'
          AND b.connection_id IS NULL AND b.change IN ('failed', 'done')
        UNION ALL
        SELECT c.erp_name, e.change, e.items FROM syncing_flowentry e
        JOIN connections_connection c ON c.id = e.connection_id
        WHERE e.at > %(now)s - interval '5 minutes' AND e.change IN ('failed', 'done')
    ), stopped AS (
        SELECT c.erp_name, c.id, p.incident_id
        FROM syncing_pause p JOIN connections_connection c ON c.id = p.connection_id
        WHERE p.incident_id IS NOT NULL AND p.resumed_at IS NULL AND c.stage = 'live'
        UNION
        SELECT c.erp_name, c.id, NULL
        FROM syncing_schedule s JOIN connections_connection c ON c.id = s.connection_id
        WHERE c.stage = 'live' AND s.blocked_side <> 'erp'
          AND s.erp_silent_since < %(now)s - interval '1 minute'
          AND {_STILL_SILENT}
    ), sums AS (
        SELECT erp_name, sum(failed) AS failed, sum(done) AS done, sum(customers) AS stopped,
            max(incident) AS incident
        FROM (
            SELECT erp_name, coalesce(sum(items) FILTER (WHERE change = 'failed'), 0) AS failed,
                coalesce(sum(items) FILTER (WHERE change = 'done'), 0) AS done,
                0 AS customers, NULL::bigint AS incident
            FROM flown GROUP BY erp_name
            UNION ALL
            SELECT erp_name, 0, 0, count(DISTINCT id), max(incident_id)
            FROM stopped GROUP BY erp_name
        ) both_sides GROUP BY erp_name
    )
    SELECT erp_name AS subject, failed / 5.0 + stopped AS value,
        jsonb_build_object('failed', failed, 'stopped', stopped, 'incident', incident,
            'share', round(100.0 * (failed + 5 * stopped)
                           / nullif(failed + 5 * stopped + done, 0), 1)) AS facts
    FROM sums
"""  # noqa: S608
# Of the ten minutes before this one as well, for it has hardly begun.
_RAMP_FAILS = f"""
    WITH asked AS (
        SELECT labels->>0 AS endpoint, sum(value) AS requests,
            coalesce(sum(value) FILTER (WHERE labels->>1 ~ '^5'
                OR labels->>1 IN ('timeout', 'unreachable')), 0) AS failed
        FROM rampbridge_meterminute
        WHERE name = 'ramp_requests' AND minute > %(now)s - interval '11 minutes'
        GROUP BY labels->>0
    )
    SELECT '' AS subject, 100 * sum(failed) / sum(requests) AS value,
        jsonb_build_object('failed', sum(failed), 'all', sum(requests),
            'endpoint', (array_agg(endpoint ORDER BY failed DESC, endpoint))[1]) AS facts
    FROM asked HAVING sum(requests) >= {fleet.FEW_REQUESTS}
"""  # noqa: S608
_RECOUNT = """
    SELECT '' AS subject, count(*) AS value, '{}'::jsonb AS facts
    FROM syncing_recountfinding WHERE at > %(now)s - interval '1 day'
"""
# The oldest of all open items is known; of those that wait for us it is among the next few hundred,
# or everything old waits for the customer.
_AGE = f"""
    SELECT s.connection_id, {_MINUTES_SINCE.format("first.ready_at")} AS value,
        '{{}}'::jsonb AS facts
    FROM (
        SELECT connection_id FROM syncing_customerstanding
        WHERE oldest_at <= %(now)s - %(beyond)s * interval '1 minute'
          AND words ?| array['queued', 'retrying', 'working']
        ORDER BY oldest_at LIMIT %(most)s
    ) s CROSS JOIN LATERAL (
        SELECT min(ready_at) AS ready_at FROM (
            SELECT i.ready_at, i.state FROM syncing_syncitem i
            WHERE i.connection_id = s.connection_id
              AND i.state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
            ORDER BY i.ready_at LIMIT 500
        ) oldest WHERE state IN {_NOT_SYNCED}
    ) first
    WHERE NOT EXISTS (
        SELECT FROM syncing_pause p WHERE p.connection_id = s.connection_id
        AND p.resumed_at IS NULL AND p.object_type = '' AND NOT p.is_automatic)
"""  # noqa: S608
_ITEMS = f"""
    SELECT connection_id, sum(items) AS value, '{{}}'::jsonb AS facts
    FROM syncing_itemcount WHERE state IN {_NOT_SYNCED} AND items > 0
    GROUP BY connection_id HAVING sum(items) >= %(beyond)s
"""  # noqa: S608
_AMOUNT = f"""
    SELECT connection_id, abs(sum(amount_minor / 10.0 ^ exponent)) AS value,
        jsonb_build_object('currency', currency, 'apart', currency) AS facts
    FROM syncing_itemcount WHERE state IN {_NOT_SYNCED} AND items > 0
    GROUP BY connection_id, currency
    HAVING abs(sum(amount_minor / 10.0 ^ exponent)) >= %(beyond)s
"""  # noqa: S608
_OUTBOX = f"""
    SELECT connection_id, {_MINUTES_SINCE.format("min(created_at)")} AS value,
        jsonb_build_object('problem',
            (array_agg(problem ORDER BY created_at) FILTER (WHERE problem <> ''))[1]) AS facts
    FROM syncing_ackbatch WHERE state = 'open' GROUP BY connection_id
"""  # noqa: S608
_UNCERTAIN = f"""
    SELECT connection_id, {_MINUTES_SINCE.format("min(state_at)")} AS value,
        jsonb_build_object('items', count(*)) AS facts
    FROM (SELECT connection_id, state_at FROM syncing_syncitem WHERE state = 'REVIEW'
          ORDER BY ready_at DESC, id DESC LIMIT 20000) parked
    GROUP BY connection_id
"""  # noqa: S608
_MISMATCH = """
    SELECT connection_id, sum(items) AS value, '{}'::jsonb AS facts
    FROM syncing_itemcount WHERE state = 'MISMATCH' AND items > 0 GROUP BY connection_id
"""
_DUPLICATES = """
    SELECT DISTINCT ON (connection_id) connection_id,
        coalesce((found->>'expense_twice')::bigint, 0) AS value, '{}'::jsonb AS facts
    FROM syncing_reconciliation
    WHERE started_at > %(now)s - interval '36 hours' AND finished_at IS NOT NULL
    ORDER BY connection_id, started_at DESC
"""
_OUTSIDE = """
    SELECT i.connection_id, count(DISTINCT i.id) AS value, '{}'::jsonb AS facts
    FROM syncing_itemevent e JOIN syncing_syncitem i ON i.id = e.item_id
    WHERE e.kind = 'external' AND e.actor = '' AND e.at > %(now)s - interval '1 day'
    GROUP BY i.connection_id
"""
_BUTTON = """
    SELECT connection_id, percentile_disc(0.99) WITHIN GROUP (ORDER BY took) AS value,
        jsonb_build_object('late', count(*) FILTER (WHERE is_late)) AS facts
    FROM (
        SELECT connection_id, state = 'late' AS is_late,
            CASE WHEN state = 'late' THEN 300
                 ELSE extract(epoch FROM closed_at - received_at) END AS took
        FROM syncing_syncrequest
        WHERE received_at > %(now)s - interval '1 day' AND state <> 'open'
          AND closed_at IS NOT NULL
    ) presses GROUP BY connection_id
"""
_SILENT = f"""
    SELECT connection_id, {_MINUTES_SINCE.format("erp_silent_since")} AS value,
        '{{}}'::jsonb AS facts
    FROM syncing_schedule s
    WHERE erp_silent_since IS NOT NULL AND blocked_side <> 'erp' AND {_STILL_SILENT}
"""  # noqa: S608
_BLOCKED = f"""
    SELECT connection_id, {_MINUTES_SINCE.format("blocked_at")} AS value,
        jsonb_build_object('title', blocked_title, 'fix', blocked_fix) AS facts
    FROM syncing_schedule WHERE blocked_at IS NOT NULL
"""  # noqa: S608
_RAMP = """
    SELECT connection_id, poll_failures AS value, '{}'::jsonb AS facts
    FROM syncing_schedule WHERE poll_failures > 0 AND blocked_side <> 'ramp'
"""
# Of those that are quiet, what polls found since; only of those who missed something, the past.
# A poll counts what it finds minutes late. Where polls are more frequent than that, what they
# found is missed once Ramp no longer tries to tell of it and nobody has heard of it.
_GAP = f"""
    WITH quiet AS (
        SELECT connection_id, max(last_event_at) AS last_at
        FROM connections_webhooksubscription WHERE status = 'active'
        GROUP BY connection_id HAVING max(last_event_at) < %(now)s - interval '2 minutes'
    ), missing AS (
        SELECT q.connection_id, q.last_at, greatest(found.missed, at_once.missed) AS missed
        FROM quiet q CROSS JOIN LATERAL (
            SELECT sum(unannounced) AS missed FROM (
                SELECT r.unannounced FROM syncing_syncrun r
                WHERE r.connection_id = q.connection_id AND r.started_at > q.last_at
                ORDER BY r.started_at DESC LIMIT 20
            ) polls
        ) found CROSS JOIN LATERAL (
            {webhook_health.UNHEARD_OF}
        ) at_once WHERE greatest(found.missed, at_once.missed) > 0
    )
    SELECT m.connection_id, extract(epoch FROM %(now)s - m.last_at) / usual.gap AS value,
        jsonb_build_object('silent_seconds', extract(epoch FROM %(now)s - m.last_at),
            'usual_seconds', usual.gap, 'missed', m.missed, 'per_day', 86400 / usual.gap) AS facts
    FROM missing m CROSS JOIN LATERAL (
        SELECT greatest(extract(epoch FROM max(received_at) - min(received_at))
                        / nullif(count(*) - 1, 0), 1) AS gap
        FROM (
            SELECT e.received_at FROM syncing_webhookevent e
            WHERE e.connection_id = m.connection_id AND e.received_at <= m.last_at
              AND e.received_at > m.last_at - interval '14 days'
            ORDER BY e.received_at DESC, e.id DESC LIMIT 200
        ) past HAVING count(*) >= 5
    ) usual
"""  # noqa: S608
_REFUSED = """
    SELECT s.connection_id, sum(e.deliveries) AS value, '{}'::jsonb AS facts
    FROM syncing_webhookevent e JOIN connections_webhooksubscription s ON s.id = e.subscription_id
    WHERE e.event_type = 'refused' AND e.received_at > %(now)s - interval '10 minutes'
    GROUP BY s.connection_id
"""
_EXPIRY = """
    SELECT DISTINCT ON (connection_id) connection_id,
        extract(epoch FROM expires_at - %(now)s) / 3600 AS value,
        jsonb_build_object('side', side) AS facts
    FROM connections_credential
    WHERE expires_at <= %(now)s + %(beyond)s * interval '1 hour'
    ORDER BY connection_id, expires_at
"""
_DRIFT = """
    SELECT connection_id, drifting AS value, '{}'::jsonb AS facts
    FROM syncing_customerstanding WHERE drifting > 0
"""
_LAG = f"""
    SELECT connection_id, {_MINUTES_SINCE.format("next_poll_at")} AS value, '{{}}'::jsonb AS facts
    FROM syncing_schedule WHERE next_poll_at < %(now)s - %(beyond)s * interval '1 minute'
"""  # noqa: S608

MEASURES: Mapping[str, str] = {
    fleet.WORKER: _WORKER,
    fleet.STILL: _STILL,
    fleet.ERP: _ERP,
    fleet.RAMP_FAILS: _RAMP_FAILS,
    fleet.RECOUNT: _RECOUNT,
    flow.AGE: _AGE,
    flow.ITEMS: _ITEMS,
    flow.AMOUNT: _AMOUNT,
    flow.OUTBOX: _OUTBOX,
    flow.UNCERTAIN: _UNCERTAIN,
    flow.MISMATCH: _MISMATCH,
    flow.DUPLICATES: _DUPLICATES,
    flow.OUTSIDE: _OUTSIDE,
    flow.BUTTON: _BUTTON,
    links.SILENT: _SILENT,
    links.BLOCKED: _BLOCKED,
    links.RAMP: _RAMP,
    links.GAP: _GAP,
    links.REFUSED: _REFUSED,
    links.EXPIRY: _EXPIRY,
    links.DRIFT: _DRIFT,
    links.LAG: _LAG,
}
