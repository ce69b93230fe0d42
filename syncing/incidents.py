"""Fleet incidents: one cause that stops many customers of one ERP pauses and resumes them as one.

What shows at one customer is the customer's. What shows at many within minutes is the ERP's, or
ours: there is no use in each of them knocking, nor in telling each of them. So the customers that
show it pause, one of them after the other lets a single item through, and with the first that is
booked all go on (docs/adr/0027).
"""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import transaction

from connections import audit
from connections.erp.errors import CATEGORY, Category
from connections.models import Connection
from syncing import incident_pauses, outages
from syncing.classifier import ErrorCategory, Origin, SyncFailure
from syncing.incident_pauses import CANARY_EVERY, FIRST_CANARY
from syncing.models import Incident, SyncItem
from syncing.statements import execute, only_one, rows

logger = logging.getLogger(__name__)

WITHIN = timedelta(minutes=15)
"""In which so many customers must have shown a cause."""
DEAD_AFTER = timedelta(days=1)
"""An ERP that has been silent for longer is a customer's that has left it, and says nothing new."""
US = "rampbridge"
"""Who opens incidents, in the audit lines."""
TOLD_AT_ONCE = 100
"""Customers whose items are told in one look, of which there is one a minute."""
_SILENT = "erp.silent"
_OF_THE_CUSTOMER = sorted(
    f"erp.{code}" for code, category in CATEGORY.items() if category is Category.USER
)


class IncidentIsOver(Exception):
    """It has ended already. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Opened:
    """An incident that was just opened."""

    id: int
    erp_name: str
    title: str
    customers: int


def watch() -> list[Opened]:
    """Open incidents, pause the customers that show them, and pass the canary on.

    Called once a minute by any number of beats: who finds another at it leaves it.
    """
    with only_one("incidents") as is_mine:
        return _watch() if is_mine else []


@transaction.atomic
def _watch() -> list[Opened]:
    _end_empty()
    opened = [
        Opened(*found) for found in rows(_OPEN, _params() | {"least": settings.INCIDENT_CUSTOMERS})
    ]
    execute(_JOIN, _params())
    execute(
        _NEXT_CANARY,
        {"first": FIRST_CANARY, "every": CANARY_EVERY, "types": SyncItem.ObjectType.values},
    )
    for one in opened:
        _tell(one)
    _tell_customers()
    return opened


def end(incident: Incident, *, reason: str, actor: str) -> int:
    """End an incident by hand: all its customers go on at once. Returns how many.

    They do not pause for this one again; if the cause still stands, a new one is opened.

    :param reason: words fit to show
    :raises IncidentIsOver: if it has ended already
    """
    with transaction.atomic():
        resumed = incident_pauses.end(incident, reason=reason, actor=actor)
        if not resumed:
            raise IncidentIsOver("This incident has ended already. Look again.")
        audit.record(
            actor,
            "incident.end",
            f"Ended the incident “{incident.title}” and resumed {len(resumed)} customers: {reason}",
            subject="incident",
            subject_id=incident.pk,
        )
    logger.info("An incident was ended.", extra={"incident": incident.pk, "actor": actor})
    return len(resumed)


def _tell(opened: Opened) -> None:
    """One message, however many customers it is."""
    logger.error(
        "An incident was opened.",
        extra={
            "incident": opened.id,
            "erp": opened.erp_name,
            "why": opened.title,
            "customers": opened.customers,
        },
    )
    audit.record(
        US,
        "incident.open",
        f"{opened.customers} customers of {opened.erp_name} pause: {opened.title}",
        subject="incident",
        subject_id=opened.id,
    )


def _tell_customers() -> None:
    """Customers whose ERP has been silent for an hour read it in Ramp, also where none of theirs
    is the canary (fault X17)."""
    found = rows(_SILENT_FOR_LONG, {"patience": outages.TELL_AFTER, "most": TOLD_AT_ONCE})
    paused = Connection.objects.in_bulk([connection for connection, _ in found])
    for connection, title in found:
        failure = SyncFailure(ErrorCategory.TRANSIENT, Origin.ERP, _SILENT, title)
        minutes = round(CANARY_EVERY.total_seconds() / 60)
        outages.tell_waiting(
            paused[connection], failure, next_try=CANARY_EVERY, then=f"every {minutes} minutes"
        )


def _end_empty() -> None:
    execute(
        """
        UPDATE syncing_incident n
        SET ended_at = now(), ended_because = 'No customer pauses for it any more.'
        WHERE ended_at IS NULL AND NOT EXISTS (
            SELECT FROM syncing_pause p WHERE p.incident_id = n.id AND p.resumed_at IS NULL)
        """,
        [],
    )


def _params() -> dict[str, object]:
    return {
        "within": WITHIN,
        "dead": DEAD_AFTER,
        "silent": _SILENT,
        "of_the_customer": _OF_THE_CUSTOMER,
    }


# A circuit is set anew by each failed probe, so its `resume_at` is when it was last seen; those who
# end an incident clear it. An error counts while nothing was booked since, or the ERP works.
_SHOWS = """
    shows AS MATERIALIZED (
        SELECT c.id AS connection_id, c.erp_kind, c.erp_name, seen.fingerprint, seen.title
        FROM connections_connection c
        JOIN syncing_schedule s ON s.connection_id = c.id
        CROSS JOIN LATERAL (
            SELECT md5(%(silent)s) AS fingerprint, c.erp_name || ' does not answer.' AS title
            WHERE s.blocked_side <> 'erp' AND s.resume_at > now() - %(within)s
              AND s.erp_silent_since > now() - %(dead)s
            UNION ALL
            SELECT md5(s.blocked_code || ' ' || rampbridge_cause(s.blocked_title)),
                   s.blocked_title
            WHERE s.blocked_side = 'erp' AND s.resume_at > now() - %(within)s
              AND s.blocked_at > now() - %(dead)s AND s.blocked_code <> ALL(%(of_the_customer)s)
            UNION ALL
            SELECT DISTINCT g.fingerprint, g.title
            FROM syncing_errorcount e JOIN syncing_errorgroup g USING (fingerprint)
            WHERE e.connection_id = c.id AND e.items > 0 AND g.origin = 'erp'
              AND e.error_category IN ('transient', 'needs_integrator')
              AND e.last_seen_at > now() - %(within)s
              AND (s.last_posted_at IS NULL OR s.last_posted_at < e.last_seen_at)
              AND NOT EXISTS (SELECT FROM syncing_pause p
                              WHERE p.connection_id = c.id AND p.incident_id IS NOT NULL
                                AND p.resumed_at >= e.last_seen_at)
        ) seen
        WHERE c.stage = 'live' AND NOT EXISTS (
            SELECT FROM syncing_pause p
            WHERE p.connection_id = c.id AND p.object_type = '' AND p.resumed_at IS NULL)
    )
"""
# Of an ERP's causes only the widest opens: the others are mostly the same trouble in other words,
# and whoever still shows one after the pause is counted a minute later.
_OPEN = f"""
    WITH {_SHOWS}, causes AS (
        SELECT erp_kind, max(erp_name) AS erp_name, fingerprint, max(title) AS title,
               count(DISTINCT connection_id) AS customers,
               row_number() OVER (
                   PARTITION BY erp_kind ORDER BY count(DISTINCT connection_id) DESC,
                       fingerprint = md5(%(silent)s) DESC, fingerprint) AS place
        FROM shows GROUP BY erp_kind, fingerprint
        HAVING count(DISTINCT connection_id) >= %(least)s
    )
    INSERT INTO syncing_incident
        (erp_kind, erp_name, fingerprint, title, opened_at, customers, ended_by, ended_because)
    SELECT erp_kind, erp_name, fingerprint, title, now(), customers, '', '' FROM causes
    WHERE place = 1
    ON CONFLICT (erp_kind, fingerprint) WHERE ended_at IS NULL DO NOTHING
    RETURNING id, erp_name, title, customers
"""  # noqa: S608  constants of this file
# Once for each incident: who was let out of it by hand stays out.
_JOIN = f"""
    WITH {_SHOWS}
    INSERT INTO syncing_pause (connection_id, object_type, reason, is_automatic, paused_at,
        paused_by, canaries, incident_id, resumed_by, resumed_because)
    SELECT DISTINCT ON (shows.connection_id) shows.connection_id, '',
        left('Many customers of ' || n.erp_name || ' have the same trouble: ' || n.title, 300),
        true, now(), '', 0, n.id, '', ''
    FROM shows JOIN syncing_incident n USING (erp_kind, fingerprint)
    WHERE n.ended_at IS NULL AND NOT EXISTS (
        SELECT FROM syncing_pause p
        WHERE p.incident_id = n.id AND p.connection_id = shows.connection_id)
    ORDER BY shows.connection_id, n.id
    ON CONFLICT (connection_id, object_type) WHERE resumed_at IS NULL DO NOTHING
"""  # noqa: S608  constants of this file
# Its due time goes with it. A customer that has nothing to send is passed over; the others take
# turns, for each may have an ERP of its own. Who cannot send for another reason, such as that Ramp
# cannot be read there, must not keep all waiting: an overdue turn is another's each minute.
_NEXT_CANARY = """
    WITH held AS (
        SELECT n.id, EXISTS (
            SELECT FROM syncing_pause p WHERE p.incident_id = n.id AND p.resumed_at IS NULL
              AND p.canary_due_at < now() - %(every)s) AS is_stuck
        FROM syncing_incident n WHERE n.ended_at IS NULL ORDER BY n.id FOR UPDATE SKIP LOCKED
    ), in_turn AS (
        SELECT p.id, min(p.canary_due_at) OVER (PARTITION BY p.incident_id) AS next_at,
            row_number() OVER (
                PARTITION BY p.incident_id
                ORDER BY EXISTS (
                    SELECT FROM unnest(%(types)s::text[]) AS t(object_type)
                    WHERE NOT EXISTS (
                        SELECT FROM syncing_pause a
                        WHERE a.connection_id = p.connection_id AND a.resumed_at IS NULL
                          AND a.object_type = t.object_type)
                    AND EXISTS (
                        SELECT FROM syncing_syncitem i
                        WHERE i.connection_id = p.connection_id AND i.object_type = t.object_type
                          AND i.state = 'READY' AND i.due_at <= now()
                        ORDER BY i.due_at OFFSET 0)
                ) DESC, CASE WHEN held.is_stuck THEN random() END, p.canaries, p.paused_at, p.id
            ) AS place
        FROM syncing_pause p JOIN held ON held.id = p.incident_id
        WHERE p.resumed_at IS NULL
    ), turns AS (
        SELECT id, CASE WHEN place = 1 THEN coalesce(next_at, now() + %(first)s) END AS due_at
        FROM in_turn
    )
    UPDATE syncing_pause p SET canary_due_at = turns.due_at
    FROM turns WHERE p.id = turns.id AND p.canary_due_at IS DISTINCT FROM turns.due_at
"""
_SILENT_FOR_LONG = """
    SELECT p.connection_id, n.title
    FROM syncing_incident n JOIN syncing_pause p ON p.incident_id = n.id
    JOIN syncing_schedule s ON s.connection_id = p.connection_id
    WHERE n.ended_at IS NULL AND p.resumed_at IS NULL
      AND s.erp_silent_since < now() - %(patience)s
      AND EXISTS (SELECT FROM syncing_syncitem i
                  WHERE i.connection_id = p.connection_id AND i.state = 'READY'
                    AND i.due_at IS NOT NULL AND i.failure_telling = '')
    ORDER BY p.connection_id LIMIT %(most)s
"""
