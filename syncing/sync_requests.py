"""Presses of Ramp's sync button: what each asked for, and what became of it (R-82 to R-86).

Ramp calls rows failed that were not answered within five minutes of its webhook. So nothing is sent
to the ERP after four: what is left then is told as not done in time, in words, and goes on by
itself once the five minutes are over (fault S3).

    receipt ---- pull, post, report every few seconds ---- stop_at -- tell the rest -- ends_at
       0 s                                                  240 s                       300 s
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from rampbridge.lib import measures
from syncing.models import SyncRequest
from syncing.report_effects import REFUSED_REPORTS
from syncing.statements import execute, rows
from syncing.undecided import nobody_is_asked

STOP_SECONDS = 240
ENDS_SECONDS = 300
MARGIN_SECONDS = 30
"""After the end, before what was left goes on: Ramp's clock and ours may differ."""
START_SECONDS = 5
"""From the receipt to the first document: the first page of the list must come."""
NO_TIME = "button.no_time"
"""The code of what there was no time for."""

# With OR it stays a condition that is asked of each row. As a join, which the planner would rather
# make of it, an empty table of requests had it expect one item and sort a whole queue for it.
MAY_BE_SENT = f"""
    (i.sync_request_id IS NULL OR NOT EXISTS (
        SELECT FROM syncing_syncrequest r
        WHERE r.id = i.sync_request_id
          AND r.stop_at <= now() AND r.ends_at + interval '{MARGIN_SECONDS}s' > now()))
"""
"""Of an item `i`: whether a document may be sent for it. Not between the time when nothing more is
started and the time when Ramp has certainly called it failed."""
IS_ASKED_FOR = "r.state = 'open' AND r.stop_at > now()"
"""Of a request `r`: whether its items go before all others."""


def receive(connection_id: uuid.UUID, object_type: str, sync_request_id: uuid.UUID) -> bool:
    """Keep a press of the button; its times count from now, by the database's clock.

    Call it in the transaction that keeps the webhook. False if it is known already (fault S4).
    """
    return bool(
        execute(
            """
            INSERT INTO syncing_syncrequest (id, connection_id, sync_request_id, object_type,
                state, received_at, stop_at, ends_at, requested, expected, succeeded, failed,
                not_started)
            SELECT %(id)s, connection_id, %(asked)s, %(type)s, 'open', now(),
                now() + %(stop)s * interval '1s', now() + %(ends)s * interval '1s', 0,
                floor(posts_per_second * (%(stop)s - %(start)s)), 0, 0, 0
            FROM syncing_schedule WHERE connection_id = %(connection)s
            ON CONFLICT (connection_id, sync_request_id, object_type) DO NOTHING
            """,
            {
                "id": uuid.uuid4(),
                "connection": connection_id,
                "asked": sync_request_id,
                "type": object_type,
                "stop": STOP_SECONDS,
                "ends": ENDS_SECONDS,
                "start": START_SECONDS,
            },
        )
    )


def open_connections() -> list[uuid.UUID]:
    """The connections that somebody waits for, the longest waiting first."""
    found = rows(
        "SELECT connection_id FROM syncing_syncrequest WHERE state = 'open'"
        " GROUP BY connection_id ORDER BY min(received_at), connection_id",
        None,
    )
    return [connection_id for (connection_id,) in found]


def to_pull(connection_id: uuid.UUID) -> list[SyncRequest]:
    """Requests whose rows are not known yet and can still be answered."""
    return list(
        SyncRequest.objects.raw(
            "SELECT * FROM syncing_syncrequest WHERE connection_id = %s AND state = 'open'"
            " AND pulled_at IS NULL AND ends_at > now() ORDER BY received_at, id",
            [connection_id],
        )
    )


def has_work(connection_id: uuid.UUID) -> bool:
    """Whether something that was asked for may be sent to the ERP now."""
    return bool(
        rows(
            f"""
            SELECT 1 FROM syncing_syncrequest r JOIN syncing_syncitem i ON i.sync_request_id = r.id
            WHERE r.connection_id = %s AND {IS_ASKED_FOR}
              AND i.state = 'READY' AND i.due_at <= now() LIMIT 1
            """,  # noqa: S608  a constant of this file
            [connection_id],
        )
    )


def adopt(request: SyncRequest, ramp_ids: Collection[uuid.UUID], *, listed_at: datetime) -> int:
    """Make a request's own what Ramp listed for it. Returns how many items are new to it.

    Its items go before all others. What has failed is tried again, for somebody has just asked to;
    it is told again where a second person is asked whether it is in the ERP already. What is
    through is reported again under the request (fault S5). Of two open requests the newest has the
    items (fault S4).
    """
    return execute(
        _ADOPT,
        {
            "request": request.pk,
            "connection": request.connection_id,
            "type": request.object_type,
            "ramp_ids": list(ramp_ids),
            "received_at": request.received_at,
            "listed_at": listed_at,
            "refused": sorted(REFUSED_REPORTS),
            "asked": str(request.sync_request_id),
        },
    )


# The timeline says it once per item and request.
_ADOPT = f"""
    WITH asked AS (
        SELECT i.id, i.state,
               i.state = 'FAILED' AND {nobody_is_asked("i")} AS has_failed,
               i.state = 'MISMATCH' AND i.error_code = ANY(%(refused)s) AS was_refused
        FROM syncing_syncitem i LEFT JOIN syncing_syncrequest other ON other.id = i.sync_request_id
        WHERE i.connection_id = %(connection)s AND i.object_type = %(type)s
          AND i.ramp_id = ANY(%(ramp_ids)s::uuid[])
          AND (other.id IS NULL
               OR (other.id <> %(request)s AND other.received_at <= %(received_at)s))
        ORDER BY i.id FOR UPDATE OF i
    ), moved AS (
        UPDATE syncing_syncitem i
        SET sync_request_id = %(request)s,
            state = CASE WHEN a.has_failed THEN 'READY' WHEN a.was_refused THEN 'POSTED'
                ELSE i.state END,
            state_at = CASE WHEN a.has_failed OR a.was_refused THEN now() ELSE i.state_at END,
            due_at = CASE WHEN a.has_failed OR a.was_refused
                OR (i.state = 'READY' AND i.due_at IS NOT NULL) THEN now() ELSE i.due_at END,
            attempts = CASE WHEN a.has_failed THEN 0 ELSE i.attempts END,
            ack_batch_id = CASE WHEN a.was_refused THEN NULL ELSE i.ack_batch_id END,
            reack_due = i.reack_due OR (i.state = 'ACKED' AND i.acked_at < %(listed_at)s),
            failure_telling = CASE WHEN i.failure_telling = 'sending' THEN 'sending'
                WHEN i.state = 'FAILED' AND NOT a.has_failed THEN 'due' ELSE '' END,
            blocked_by = CASE WHEN a.has_failed THEN '' ELSE i.blocked_by END,
            error_category = CASE WHEN a.has_failed OR a.was_refused THEN ''
                ELSE i.error_category END,
            error_origin = CASE WHEN a.has_failed OR a.was_refused THEN '' ELSE i.error_origin END,
            error_code = CASE WHEN a.has_failed OR a.was_refused THEN '' ELSE i.error_code END,
            error_title = CASE WHEN a.has_failed OR a.was_refused THEN '' ELSE i.error_title END,
            error_fix = CASE WHEN a.has_failed OR a.was_refused THEN '' ELSE i.error_fix END,
            error_detail = CASE WHEN a.has_failed OR a.was_refused THEN '' ELSE i.error_detail END
        FROM asked a WHERE a.id = i.id
        RETURNING i.id
    )
    INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
    SELECT id, now(), 'note', 'Asked for by the sync button in Ramp.',
           jsonb_build_object('sync_request_id', %(asked)s::text), ''
    FROM moved ORDER BY id
"""  # noqa: S608  a constant of this program


def pulled(request: SyncRequest) -> None:
    """All rows of a request are known."""
    execute(
        """
        UPDATE syncing_syncrequest SET pulled_at = now(), requested =
            (SELECT count(*) FROM syncing_syncitem WHERE sync_request_id = %(request)s)
        WHERE id = %(request)s AND pulled_at IS NULL
        """,
        {"request": request.pk},
    )


def out_of_time(connection_id: uuid.UUID) -> list[str]:
    """The types of which a request is open that nothing more is started of, so that the rest of it
    is to be told (`tell_rest`)."""
    found = rows(
        "SELECT DISTINCT object_type FROM syncing_syncrequest r"  # noqa: S608  a constant
        f" WHERE connection_id = %s AND {_IS_OUT_OF_TIME} ORDER BY 1",
        [connection_id],
    )
    return [object_type for (object_type,) in found]


_IS_OUT_OF_TIME = "r.state = 'open' AND r.stop_at <= now() AND r.ends_at > now()"
_WAITS = "i.due_at IS NULL AND i.error_title <> ''"


def tell_rest(connection_id: uuid.UUID, object_type: str, *, title: str, text: str) -> int:
    """After `stop_at`: have Ramp told of what was not sent to the ERP, and put it off until the
    request is certainly over (fault S3). Returns how many items.

    What waits for something else, such as its vendor, is told as that, and goes on to wait.

    What is being sent, or was and is not settled, is left alone: it is reported when it is known
    (fault S6).

    :param title: in a few words, for our own pages
    :param text: what the customer reads in Ramp; `{next}` becomes the time of the next attempt
    """
    return execute(
        f"""
        WITH over AS (
            SELECT r.id, r.ends_at FROM syncing_syncrequest r
            WHERE r.connection_id = %(connection)s AND r.object_type = %(type)s
              AND {_IS_OUT_OF_TIME}
        ), moved AS (
            UPDATE syncing_syncitem i
            SET failure_telling = 'due', error_at = now(), error_category = 'transient',
                error_origin = 'us', error_code = %(code)s, error_fix = '', error_detail = '',
                error_title = CASE WHEN {_WAITS} THEN i.error_title ELSE %(title)s END,
                error_text = CASE WHEN {_WAITS} THEN i.error_title || %(once_over)s
                    ELSE replace(%(text)s, '{{next}}', to_char(
                        (over.ends_at + %(margin)s * interval '1s') AT TIME ZONE 'UTC',
                        'HH24:MI')) END,
                due_at = CASE WHEN i.due_at IS NOT NULL THEN
                    greatest(i.due_at, over.ends_at + %(margin)s * interval '1s') END
            FROM over
            WHERE i.sync_request_id = over.id AND i.state = 'READY'
              AND i.failure_telling <> 'sending'
              AND NOT (i.failure_telling IN ('due', 'told') AND i.error_code = %(code)s)
            RETURNING i.id, i.due_at, i.error_title
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'retrying', error_title, jsonb_build_object('next', due_at), ''
        FROM moved ORDER BY id
        """,  # noqa: S608  constants of this file
        {
            "connection": connection_id,
            "type": object_type,
            "title": title,
            "text": text,
            "once_over": " It goes on by itself once that is done; nothing to do.",
            "code": NO_TIME,
            "margin": MARGIN_SECONDS,
        },
    )


def close_finished(connection_id: uuid.UUID) -> int:
    """Close what is answered, and what Ramp no longer waits for. Returns how many requests.

    LATE is a request of which a row was not answered in time, in success or in words.
    """
    closed = rows(_CLOSE, {"connection": connection_id, "code": NO_TIME})
    for state, seconds in closed:
        measures.BUTTON_REQUESTS.add(_RESULTS[state])
        measures.BUTTON_SECONDS.add(seconds)
    return len(closed)


_RESULTS = {"answered": "in_time", "partial": "partial", "late": "late"}


_CLOSE = """
    WITH looked_at AS (
        SELECT r.id, r.ends_at <= now() AS is_over,
               r.pulled_at IS NOT NULL AND NOT EXISTS (
                   SELECT FROM syncing_ackbatch b
                   WHERE b.sync_request_id = r.id AND b.state = 'open'
               ) AND (r.ends_at > now() OR NOT EXISTS (  -- nobody looked since, and it came late
                   SELECT FROM syncing_syncitem i
                   LEFT JOIN syncing_ackbatch success ON success.id = i.ack_batch_id
                   LEFT JOIN syncing_ackbatch failure ON failure.id = i.failure_batch_id
                   WHERE i.sync_request_id = r.id
                     AND least(success.closed_at, failure.closed_at) > r.ends_at
               )) AND NOT EXISTS (
                   SELECT FROM syncing_syncitem i WHERE i.sync_request_id = r.id
                   AND (i.state IN ('POSTING', 'POSTED', 'ACKING', 'REVIEW', 'MISMATCH')
                        OR i.reack_due OR i.failure_telling IN ('due', 'sending')
                        OR (i.state = 'FAILED' AND i.failure_telling <> 'told')
                        OR (i.state = 'READY'
                            AND NOT (i.failure_telling = 'told' AND i.error_code = %(code)s)))
               ) AS is_answered
        FROM syncing_syncrequest r
        WHERE r.connection_id = %(connection)s AND r.state = 'open'
    )
    UPDATE syncing_syncrequest r
    SET closed_at = now(), state = CASE WHEN NOT l.is_answered THEN 'late'
        WHEN r.not_started > 0 THEN 'partial' ELSE 'answered' END
    FROM looked_at l WHERE l.id = r.id AND (l.is_over OR l.is_answered)
    RETURNING r.state, extract(
        epoch FROM coalesce(r.last_ack_at, r.closed_at) - r.received_at
    )::float8
"""


def usual_sizes(
    connection_id: uuid.UUID, object_types: Collection[str]
) -> Mapping[str, Sequence[int]]:
    """How many rows people asked for at a time in the last 90 days, smallest first; of a type that
    nobody asked for how many became ready on each day of the last 30 that had any. One statement.
    """
    found = rows(
        """
        WITH pressed AS (
            SELECT object_type, requested FROM syncing_syncrequest
            WHERE connection_id = %(connection)s AND object_type = ANY(%(types)s)
              AND pulled_at IS NOT NULL AND received_at > now() - interval '90 days'
        )
        SELECT object_type, requested FROM pressed
        UNION ALL
        SELECT object_type, count(*) FROM syncing_syncitem
        WHERE connection_id = %(connection)s AND object_type = ANY(%(types)s)
          AND object_type NOT IN (SELECT object_type FROM pressed)
          AND ready_at > now() - interval '30 days'
        GROUP BY object_type, date_trunc('day', ready_at) ORDER BY 2
        """,
        {"connection": connection_id, "types": list(object_types)},
    )
    sizes: dict[str, list[int]] = {one: [] for one in object_types}
    for object_type, size in found:
        sizes[object_type].append(size)
    return sizes
