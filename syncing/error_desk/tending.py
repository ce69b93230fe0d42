"""What happens to groups of errors by themselves: they wake, are resolved with a proof, come back.

Run every minute or so by any worker; two at once do no harm. Each function is one statement.
"""

from django.conf import settings

from syncing.error_desk import judging
from syncing.statements import execute, only_one

AT_ONCE = 200
"""Groups changed by one statement; the rest has its turn next time."""
PROOFS_LOOKED_AT = 1000
"""The newest items of a group among which one that went through is looked for."""


def tend() -> int:
    """Bring every group up to date. Returns how many changed; 0 if another worker is at it."""
    with only_one("error desk") as is_mine:
        if not is_mine:
            return 0
        changed = wake_due() + stamp_resolved() + stamp_regressed()
        prune()
        return changed + judging.catch_up()


def wake_due() -> int:
    """End the snoozes whose condition has come true, and say which one it was.

    What comes back while it is open is regressed, so that it stands on top.
    """
    return execute(
        """
        WITH due AS (
            SELECT g.fingerprint, CASE
                WHEN g.snoozed_until <= now() THEN 'Its time was up.'
                WHEN g.snoozed_in_version NOT IN ('', %(release)s)
                    THEN 'Another version runs: ' || %(release)s || '.'
                WHEN g.snoozed_until_freed AND EXISTS (
                    SELECT FROM syncing_occurrence o JOIN syncing_syncitem i ON i.id = o.item_id
                    WHERE o.fingerprint = g.fingerprint AND o.left_at > g.snoozed_at
                      AND i.posted_at > g.snoozed_at
                ) THEN 'One of its items went through.'
                WHEN g.snoozed_for_more <= (
                    SELECT count(*) FROM (
                        SELECT FROM syncing_occurrence o
                        WHERE o.fingerprint = g.fingerprint AND o.last_at > g.snoozed_at
                        LIMIT g.snoozed_for_more
                    ) more
                ) THEN g.snoozed_for_more || ' more items have failed with it.'
                END AS why
            FROM syncing_errorgroup g WHERE g.snoozed_at IS NOT NULL
        )
        UPDATE syncing_errorgroup g
        SET snoozed_at = NULL, snoozed_by = '', snooze_reason = '', snoozed_until = NULL,
            snoozed_for_more = NULL, snoozed_until_freed = false, snoozed_in_version = '',
            woken_because = left(d.why || coalesce(' It was snoozed by ' || g.snoozed_by || ': '
                || g.snooze_reason, ''), 300),
            regressed_at = CASE WHEN EXISTS (
                SELECT FROM syncing_errorcount c
                WHERE c.fingerprint = g.fingerprint AND c.items > 0
            ) THEN now() ELSE g.regressed_at END
        FROM due d WHERE d.fingerprint = g.fingerprint AND d.why IS NOT NULL
        """,
        {"release": settings.RELEASE},
    )


_OPEN = """
    EXISTS (SELECT FROM syncing_errorcount c
            WHERE c.fingerprint = g.fingerprint AND c.items > 0)
"""


def stamp_resolved() -> int:
    """Write down since when nothing of a group is open, with one of its items that went through.

    After ten quiet minutes, and once an item is there to prove it or none is on its way any more:
    what was withdrawn everywhere has no proof, and is over all the same.
    """
    return execute(
        f"""
        WITH quiet AS (
            SELECT g.fingerprint, ended.left_at
            FROM syncing_errorgroup g
            JOIN LATERAL (
                SELECT o.left_at FROM syncing_occurrence o
                WHERE o.fingerprint = g.fingerprint AND o.left_at IS NOT NULL
                ORDER BY o.left_at DESC LIMIT 1
            ) ended ON true
            WHERE NOT {_OPEN} AND ended.left_at < now() - interval '10 minutes'
              AND (g.resolved_at IS NULL OR ended.left_at > g.resolved_at)
            ORDER BY ended.left_at LIMIT %(most)s
        ), ended AS (
            SELECT q.fingerprint, q.left_at, proof.item_id, proof.is_under_way
            FROM quiet q
            JOIN LATERAL (
                SELECT (array_agg(i.id ORDER BY o.left_at DESC)
                           FILTER (WHERE i.state = 'ACKED'))[1] AS item_id,
                       coalesce(bool_or(i.state IN ('READY', 'POSTING', 'POSTED', 'ACKING')),
                           false) AS is_under_way
                FROM (
                    SELECT item_id, left_at FROM syncing_occurrence
                    WHERE fingerprint = q.fingerprint AND left_at IS NOT NULL
                    ORDER BY left_at DESC LIMIT %(looked_at)s
                ) o JOIN syncing_syncitem i ON i.id = o.item_id
            ) proof ON true
        )
        UPDATE syncing_errorgroup g
        SET resolved_at = e.left_at, resolved_by_item_id = e.item_id, regressed_at = NULL,
            snoozed_at = NULL, snoozed_by = '', snooze_reason = '', snoozed_until = NULL,
            snoozed_for_more = NULL, snoozed_until_freed = false, snoozed_in_version = '',
            woken_because = ''
        FROM ended e
        WHERE e.fingerprint = g.fingerprint AND (e.item_id IS NOT NULL OR NOT e.is_under_way
            OR e.left_at < now() - interval '1 day')
        """,  # noqa: S608  a constant of this file
        {"most": AT_ONCE, "looked_at": PROOFS_LOOKED_AT},
    )


def stamp_regressed() -> int:
    """Write down when a resolved group has come back."""
    return execute(
        f"""
        UPDATE syncing_errorgroup g SET regressed_at = now()
        WHERE g.resolved_at IS NOT NULL AND g.regressed_at IS NULL AND {_OPEN}
        """,  # noqa: S608  a constant of this file
        {},
    )


def prune() -> int:
    """Sweep away counts that have come to nothing; whoever counts anew makes them again."""
    return execute(
        """
        DELETE FROM syncing_errorcount WHERE id IN (
            SELECT id FROM syncing_errorcount WHERE items = 0 AND amount_minor = 0
            ORDER BY id LIMIT 5000 FOR UPDATE SKIP LOCKED
        )
        """,
        {},
    )
