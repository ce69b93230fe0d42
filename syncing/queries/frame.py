"""What the frame around every page shows, read at once: each page pays for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncing.models import SavedView
from syncing.queries.incidents import Strip
from syncing.queries.standing import Queue, queues_by
from syncing.queries.words import Word, word_of
from syncing.statements import from_json, rows

COUNTED = 10_000
"""What was put off is counted up to here, as lists do."""


@dataclass(frozen=True, slots=True)
class OpenAlerts:
    """How many alerts are open, as it was last counted."""

    open_alerts: int
    unacknowledged: int
    """Nobody has said that they look after them."""
    pages: int
    """Of those, the ones for which somebody is to get up."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What waits, what somebody keeps at hand, and what stops many customers."""

    queues: Sequence[Queue]
    pinned: Sequence[SavedView]
    people: Sequence[str]
    """User names of those who may care for something, for fields to choose from."""
    incidents: Sequence[Strip]
    alerts: OpenAlerts | None
    """None: nobody has looked for any yet."""


def frame(me: str, *, now: datetime, most_pinned: int, most_people: int) -> Frame:
    """The frame of a page for somebody. One statement, of roll-ups and of small tables.

    What somebody has put off is not counted, for lists leave it out.
    """
    ((counts, put_off, lapsed, pinned, incidents, people, alerts),) = rows(
        """
        SELECT (
            SELECT jsonb_agg(jsonb_build_array(state, error_category, n)) FROM (
                SELECT state, error_category, sum(items) AS n FROM syncing_itemtotal GROUP BY 1, 2
            ) totals
        )::text, (
            SELECT jsonb_agg(jsonb_build_array(state, error_category, n)) FROM (
                SELECT state, error_category, count(*) AS n FROM (
                    SELECT state, error_category FROM syncing_handling h
                    JOIN syncing_syncitem i ON i.id = h.item_id
                    WHERE h.snoozed_until > %(now)s LIMIT %(counted)s
                ) snoozed GROUP BY 1, 2
            ) put_off
        )::text, (
            SELECT count(*) FROM syncing_syncitem WHERE state = 'POSTING' AND lease_until < %(now)s
        ), (
            SELECT jsonb_agg(to_jsonb(v) ORDER BY v.page, v.name, v.id) FROM (
                SELECT id, page, name, query FROM syncing_savedview
                WHERE is_pinned AND (owner = %(me)s OR is_team)
                ORDER BY page, name, id LIMIT %(most)s
            ) v
        )::text, (
            SELECT jsonb_agg(to_jsonb(i) ORDER BY i.opened_at, i.id) FROM (
                SELECT id, erp_name, title, opened_at, going_on.customers, going_on.next_canary_at
                FROM syncing_incident CROSS JOIN LATERAL (
                    SELECT count(*) AS customers, min(canary_due_at) AS next_canary_at
                    FROM syncing_pause
                    WHERE incident_id = syncing_incident.id AND resumed_at IS NULL
                ) going_on WHERE ended_at IS NULL
            ) i
        )::text, ARRAY(
            SELECT username FROM auth_user WHERE is_active ORDER BY username LIMIT %(people)s
        ), (
            SELECT jsonb_build_array(open_alerts, unacknowledged, pages) FROM syncing_alertround
        )::text
        """,
        {"me": me, "now": now, "most": most_pinned, "people": most_people, "counted": COUNTED},
    )
    return Frame(
        queues=queues_by(_words(from_json(counts) or [], from_json(put_off) or [], lapsed)),
        pinned=[SavedView(**one) for one in from_json(pinned) or []],
        people=people,
        incidents=[_strip(one) for one in from_json(incidents) or []],
        alerts=OpenAlerts(*found) if (found := from_json(alerts)) else None,
    )


def _words(
    counts: Sequence[tuple[str, str, int]], put_off: Sequence[tuple[str, str, int]], lapsed: int
) -> Mapping[Word, int]:
    """Items per word. The roll-up cannot know that time passed: of those at work some lapsed."""
    words = dict.fromkeys(Word, 0)
    for state, category, items in counts:
        words[word_of(state, category)] += items
    for state, category, items in put_off:
        words[word_of(state, category)] -= items
    words[Word.WORKING] -= lapsed
    words[Word.UNCERTAIN] += lapsed
    return words


def _strip(found: Mapping[str, Any]) -> Strip:
    due = found["next_canary_at"]
    times = {
        "opened_at": datetime.fromisoformat(found["opened_at"]),
        "next_canary_at": datetime.fromisoformat(due) if due else None,
    }
    return Strip(**{**found, **times})
