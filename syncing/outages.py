"""An ERP that is silent for long: tell customers, once per item, that it is and that we go on.

A short outage is nobody's business (docs/adr/0010). After an hour people ask why nothing arrives,
so Ramp shows it as an error that passes, with the time of the next try (fault X17). The items stay
READY, and a later success takes the error away.
"""

from datetime import timedelta

from connections.models import Connection
from syncing.classifier import SyncFailure
from syncing.reports import SILENT_TYPES
from syncing.statements import execute, storable

TELL_AFTER = timedelta(hours=1)
MOST_AT_ONCE = 5000
"""Items told per probe of the ERP, of which there is one a minute."""


def tell_waiting(
    connection: Connection,
    failure: SyncFailure,
    *,
    next_try: timedelta,
    then: str = "every minute",
) -> int:
    """Have Ramp told of what waits for an ERP that has been silent for an hour.

    Each item is told once, however long it lasts. Returns how many.

    :param then: how often it is tried from the next try on, in words
    """
    return execute(
        """
        WITH silent AS (
            SELECT connection_id, to_char((now() + %(next)s) AT TIME ZONE 'UTC', 'HH24:MI') AS next
            FROM syncing_schedule
            WHERE connection_id = %(connection)s AND erp_silent_since < now() - %(patience)s
        ), waiting AS (
            SELECT i.id, s.next FROM silent s JOIN syncing_syncitem i USING (connection_id)
            WHERE i.state = 'READY' AND i.due_at IS NOT NULL AND i.failure_telling = ''
              AND i.object_type <> ALL(%(silent_types)s)
            ORDER BY i.due_at, i.id LIMIT %(most)s
            FOR UPDATE OF i SKIP LOCKED
        ), moved AS (
            UPDATE syncing_syncitem i
            SET failure_telling = 'due', error_at = now(), error_category = 'transient',
                error_origin = %(origin)s, error_code = %(code)s, error_title = %(title)s,
                error_fix = '', error_text = format(
                    '%%s We try again at %%s UTC and from then on %%s until it answers;'
                    ' nothing to do.', %(title)s::text, w.next, %(then)s::text)
            FROM waiting w WHERE i.id = w.id
            RETURNING i.id, i.error_text
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'retrying', error_text, '{}', '' FROM moved ORDER BY id
        """,
        {
            "connection": connection.pk,
            "next": next_try,
            "then": then,
            "patience": TELL_AFTER,
            "silent_types": list(SILENT_TYPES),
            "most": MOST_AT_ONCE,
            "origin": failure.origin.value,
            "code": failure.code[:60],
            "title": storable(failure.title)[:300],
        },
    )
