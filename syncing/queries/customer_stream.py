"""Everything that happened to one customer, newest first: what people did, what its connection was
set to, what was read, booked, refused and reported.

Each source is read backwards along an index of its own, a page's worth at most, in one statement.
Single items are not in it one by one but as the failures and the reports that they were part of.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from syncing.queries.words import Look, type_label
from syncing.statements import rows

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened."""

    at: datetime
    key: str
    """Which one among those of the same moment."""
    source: str
    who: str
    """Empty: rampbridge, or Ramp."""
    title: str
    detail: str
    subject: str
    """What it links to: item, error, run, webhook ...; empty for nothing."""
    subject_id: str

    @property
    def look(self) -> Look:
        return _LOOKS[self.source]

    @property
    def place(self) -> str:
        return f"{self.at.isoformat()}~{self.key}"


_LOOKS = {
    "act": Look("Done by a person", "work", "user"),
    "setting": Look("Configuration", "neutral", "pencil"),
    "failure": Look("Failed", "person", "octagon-alert"),
    "report": Look("Reported to Ramp", "done", "check-check"),
    "told": Look("Error shown in Ramp", "customer", "message-square-warning"),
    "read": Look("Read from Ramp", "neutral", "download"),
    "unread": Look("Not read from Ramp", "person", "triangle-alert"),
    "pause": Look("Paused by rampbridge", "person", "pause"),
    "resumed": Look("Goes on", "done", "circle-check"),
    "chart": Look("Chart of accounts", "neutral", "layers"),
    "press": Look("Sync button", "work", "zap"),
    "note": Look("Note", "neutral", "file-text"),
}
KINDS = {
    "": "Everything",
    "config": "Configuration and people",
    "items": "Items",
    "runs": "Runs",
}
_OF_KIND = {
    "config": ("act", "setting", "pause", "resumed", "note"),
    "items": ("failure", "report", "told", "press"),
    "runs": ("read", "unread", "chart", "press"),
}

# A source gives (at, key, source, who, title, detail, subject, subject_id) of customer %(c)s.
_SOURCES = (
    """
    SELECT at, 'a' || id, 'act', actor, text, '', subject, subject_id
    FROM connections_auditline WHERE connection_id = %(c)s AND at <= %(at)s
    ORDER BY at DESC, id DESC
    """,
    # What a person changed has a line of its own above, with better words.
    """
    SELECT e.pgh_created_at, 's' || e.pgh_id, 'setting', coalesce(u.username, ''),
        'Changed: ' || e.what, '', '', ''
    FROM (
        SELECT pgh_id, pgh_created_at, pgh_context_id, concat_ws(', ',
            CASE WHEN stage <> lag(stage) OVER w THEN 'stage to ' || replace(stage, '_', ' ') END,
            CASE WHEN name <> lag(name) OVER w THEN 'name' END,
            CASE WHEN owner <> lag(owner) OVER w THEN 'owner' END,
            CASE WHEN time_zone <> lag(time_zone) OVER w THEN 'time zone to ' || time_zone END,
            CASE WHEN object_types <> lag(object_types) OVER w THEN 'what is synced' END,
            CASE WHEN button_types <> lag(button_types) OVER w THEN 'the sync button' END,
            CASE WHEN lag(pgh_id) OVER w IS NOT NULL
                AND ramp_connection_id IS DISTINCT FROM lag(ramp_connection_id) OVER w
                THEN 'the connection in Ramp' END) AS what
        FROM connections_connectionevent WHERE pgh_obj_id = %(c)s
        WINDOW w AS (ORDER BY pgh_id)
    ) e
    LEFT JOIN pghistory_context x ON x.id = e.pgh_context_id
    LEFT JOIN auth_user u ON u.id::text = x.metadata ->> 'user'
    WHERE e.what <> '' AND e.pgh_created_at <= %(at)s AND NOT EXISTS (
        SELECT FROM connections_auditline a WHERE a.connection_id = %(c)s
            AND a.at BETWEEN e.pgh_created_at - interval '3s' AND e.pgh_created_at + interval '3s')
    ORDER BY e.pgh_id DESC
    """,
    """
    SELECT o.last_at, 'f' || o.id, 'failure', '', g.title, i.label, 'item', i.id::text
    FROM syncing_occurrence o JOIN syncing_errorgroup g USING (fingerprint)
    JOIN syncing_syncitem i ON i.id = o.item_id
    WHERE o.connection_id = %(c)s AND o.last_at <= %(at)s
    ORDER BY o.last_at DESC, o.id DESC
    """,
    """
    SELECT created_at, 'b' || id, CASE outcome WHEN 'success' THEN 'report' ELSE 'told' END, '',
        size || CASE outcome WHEN 'success' THEN ' reported to Ramp as booked'
            ELSE ' shown to the customer in Ramp as failed' END,
        CASE state WHEN 'open' THEN 'Ramp has not confirmed it yet.'
            WHEN 'rejected' THEN 'Ramp did not take it; each was read again.' ELSE '' END, '', ''
    FROM syncing_ackbatch WHERE connection_id = %(c)s AND created_at <= %(at)s
    ORDER BY created_at DESC, id DESC
    """,
    """
    SELECT started_at, 'r' || id, CASE problem WHEN '' THEN 'read' ELSE 'unread' END, actor,
        CASE problem WHEN '' THEN new || ' new and ' || changed || ' changed in Ramp'
            ELSE 'Ramp was not read to the end' END, left(problem, 300), 'run', id::text
    FROM syncing_syncrun WHERE connection_id = %(c)s AND started_at <= %(at)s
        AND (new > 0 OR changed > 0 OR problem <> '' OR actor <> '')
    ORDER BY started_at DESC, id DESC
    """,
    """
    SELECT paused_at, 'p' || id, 'pause', '', 'Posting was paused', reason, 'type', object_type
    FROM syncing_pause WHERE connection_id = %(c)s AND paused_at <= %(at)s AND is_automatic
    ORDER BY paused_at DESC, id DESC
    """,
    """
    SELECT resumed_at, 'q' || id, 'resumed', '', 'Posting goes on', resumed_because, 'type',
        object_type
    FROM syncing_pause WHERE connection_id = %(c)s AND resumed_at <= %(at)s AND resumed_by = ''
    ORDER BY resumed_at DESC, id DESC
    """,
    """
    SELECT started_at, 'm' || id, 'chart', actor,
        CASE WHEN title <> '' THEN title ELSE 'The chart was read and uploaded' END, fix,
        'chart_run', id::text
    FROM connections_mirrorrun WHERE connection_id = %(c)s AND started_at <= %(at)s
        AND (sent <> '{}' OR state = 'failed' OR actor <> '')
    ORDER BY started_at DESC, id DESC
    """,
    """
    SELECT received_at, 'y' || id, 'press', '', 'Somebody pressed Sync All in Ramp',
        requested || ' asked for, ' || succeeded || ' done, ' || failed || ' failed', 'press',
        id::text
    FROM syncing_syncrequest WHERE connection_id = %(c)s AND received_at <= %(at)s
    ORDER BY received_at DESC, id DESC
    """,
    """
    SELECT at, 'n' || id, 'note', author, left(text, 300), '', 'notes', ''
    FROM syncing_comment WHERE connection_id = %(c)s AND at <= %(at)s
    ORDER BY at DESC, id DESC
    """,
)
_UNION = " UNION ALL ".join(
    f"(SELECT * FROM ({one}) s LIMIT %(limit)s)"  # noqa: S608
    for one in _SOURCES
)
_STREAM = f"""
    SELECT at, key, source, who, title, detail, subject, subject_id
    FROM ({_UNION}) AS stream (at, key, source, who, title, detail, subject, subject_id)
    WHERE (%(kinds)s::text[] IS NULL OR source = ANY(%(kinds)s))
        AND (at < %(at)s OR key COLLATE "C" < %(key)s)
    ORDER BY at DESC, key COLLATE "C" DESC LIMIT %(size)s
"""  # noqa: S608  constants of this file
_AMONG_EQUALS = 20
"""Lines of one source in one moment that a page may break between."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A page of it, and where the next one starts if there is one."""

    lines: Sequence[Line]
    next: str


def stream(
    connection_id: uuid.UUID,
    *,
    now: datetime,
    after: str = "",
    kind: str = "",
    size: int = PAGE_SIZE,
) -> Stream:
    """What happened before a place, or until now; one statement.

    :param after: a line's place; nonsense is the beginning
    :param kind: one of `KINDS`
    """
    at, key = _place(after) or (now, "~")
    found = rows(
        _STREAM,
        {
            "c": connection_id,
            "at": at,
            "key": key,
            "kinds": list(_OF_KIND[kind]) if kind in _OF_KIND else None,
            "limit": size + _AMONG_EQUALS,
            "size": size + 1,
        },
    )
    lines = [_line(*row) for row in found]
    return Stream(lines[:size], lines[size - 1].place if len(lines) > size else "")


def _line(at: datetime, key: str, source: str, *texts: str) -> Line:
    who, title, detail, subject, subject_id = texts
    if subject == "type":
        what = f"{type_label(subject_id)}s" if subject_id else "Everything"
        return Line(at, key, source, who, f"{what}: {title.lower()}", detail, "pauses", "")
    return Line(at, key, source, who, title, detail, subject, subject_id)


def _place(text: str) -> tuple[datetime, str] | None:
    at, separator, key = text.partition("~")
    try:
        parsed = datetime.fromisoformat(at.replace(" ", "+"))
    except ValueError:
        return None
    return (parsed, key[:60]) if separator and parsed.tzinfo else None
