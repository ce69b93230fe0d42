"""Triggers that file open failures by cause, in the transaction that moves the items.

Why in the database: docs/adr/0026. Nothing that writes an item can forget them, and a chunk of five
hundred costs a few statements inside one.
"""

from typing import Any

import pgtrigger
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Func
from django.db.models.sql.compiler import SQLCompiler


class Fingerprint(Func):
    """The cause of a failure, whatever dates, numbers and names it is told with; empty if none.

    `rampbridge_cause` (its newest migration) strikes those out of the title.
    """

    template = (
        "(CASE WHEN %(code)s = '' THEN ''"
        " ELSE md5(%(code)s || ' ' || rampbridge_cause(%(title)s)) END)"
    )
    arity = 2

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, *_: Any, **__: Any
    ) -> tuple[str, tuple[str | int, ...]]:
        """The expression with both columns put in, several times each."""
        del connection  # there is one kind of database
        code, title = (compiler.compile(one)[0] for one in self.source_expressions)
        return self.template % {"code": code, "title": title}, ()


_KEYS = "fingerprint, connection_id, object_type, state, error_category, currency, exponent"
_OPEN = "error_fingerprint <> '' AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')"
_COLUMNS = (
    "SELECT error_fingerprint AS fingerprint, connection_id, object_type, state, error_category,"
    " currency, exponent, amount_minor"
)

_FILE_GROUPS = """
    INSERT INTO syncing_errorgroup (fingerprint, code, title, category, origin, first_seen_at,
        owner, snoozed_by, snooze_reason, snoozed_until_freed, snoozed_in_version, woken_because)
    SELECT DISTINCT ON (error_fingerprint) error_fingerprint, error_code,
        rampbridge_cause(error_title), error_category, error_origin, now(),
        '', '', '', false, '', ''
    FROM new_rows WHERE error_fingerprint <> ''
    ORDER BY error_fingerprint
    ON CONFLICT (fingerprint) DO NOTHING;
"""

_COUNT = f"""
    INSERT INTO syncing_errorcount ({_KEYS}, items, amount_minor, last_seen_at)
    SELECT {_KEYS}, sum(n), sum(n * amount_minor), coalesce(max(seen_at), 'epoch')
    FROM (%s) deltas
    GROUP BY {_KEYS}
    HAVING sum(n) <> 0 OR sum(n * amount_minor) <> 0
    ORDER BY {_KEYS}
    ON CONFLICT ({_KEYS}) DO UPDATE
    SET items = syncing_errorcount.items + excluded.items,
        amount_minor = syncing_errorcount.amount_minor + excluded.amount_minor,
        last_seen_at = greatest(syncing_errorcount.last_seen_at, excluded.last_seen_at);
"""  # noqa: S608  constants of this file
TOTAL_KEYS = "fingerprint, error_category, currency, exponent"
_TOTAL = f"""
    INSERT INTO syncing_errortotal (connection_id, {TOTAL_KEYS}, items, amount_minor, last_seen_at)
    SELECT connection_id, {TOTAL_KEYS}, sum(n), sum(n * amount_minor),
        coalesce(max(seen_at), 'epoch')
    FROM (%s) deltas
    GROUP BY connection_id, {TOTAL_KEYS}
    HAVING sum(n) <> 0 OR sum(n * amount_minor) <> 0 OR max(seen_at) IS NOT NULL;
"""  # noqa: S608  constants of this file
_CAME = f"{_COLUMNS}, coalesce(error_at, state_at) AS seen_at, 1 AS n FROM new_rows WHERE {_OPEN}"
_WENT = f"{_COLUMNS}, NULL::timestamptz AS seen_at, -1 AS n FROM old_rows WHERE {_OPEN}"

_REMEMBER = """
    INSERT INTO syncing_occurrence
        (fingerprint, connection_id, item_id, first_at, last_at, times)
    SELECT n.error_fingerprint, n.connection_id, n.id, now(), now(), 1
    FROM new_rows n %s
    ORDER BY n.id
    ON CONFLICT (item_id, fingerprint) DO UPDATE
    SET last_at = now(), times = syncing_occurrence.times + 1, left_at = NULL;
"""
_ON_INSERT = "WHERE n.error_fingerprint <> ''"
# What is being posted keeps its last error until the answer is there: a lost one is no failure.
_ON_UPDATE = """
    JOIN old_rows o ON o.id = n.id
    WHERE n.error_fingerprint <> '' AND n.state <> 'POSTING'
      AND (o.error_fingerprint <> n.error_fingerprint OR o.error_at IS DISTINCT FROM n.error_at)
"""

_LEAVE = """
    UPDATE syncing_occurrence c SET left_at = now()
    FROM old_rows o JOIN new_rows n ON n.id = o.id
    WHERE c.item_id = o.id AND c.fingerprint = o.error_fingerprint AND c.left_at IS NULL
      AND o.error_fingerprint <> ''
      AND (n.error_fingerprint <> o.error_fingerprint
           OR n.state IN ('ACKED', 'EXTERNAL', 'WITHDRAWN'));
"""


def _count(deltas: str) -> str:
    """Count what came and went, at each customer and in all."""
    return _COUNT % deltas + _TOTAL % deltas


def _trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, *, body: str
) -> pgtrigger.Trigger:
    """Most statements touch no failure: they pay for one look at the rows they moved."""
    rows = [table for table in (referencing.new, referencing.old) if table]
    looks = " OR ".join(f"EXISTS (SELECT FROM {t} WHERE error_fingerprint <> '')" for t in rows)
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=pgtrigger.Func(f"IF {looks} THEN {body} END IF; RETURN NULL;"),
    )


ERROR_TRIGGERS = (
    _trigger(
        "errors_of_inserts",
        pgtrigger.Insert,
        pgtrigger.Referencing(new="new_rows"),
        body=_FILE_GROUPS + _count(_CAME) + _REMEMBER % _ON_INSERT,
    ),
    _trigger(
        "errors_of_updates",
        pgtrigger.Update,
        pgtrigger.Referencing(new="new_rows", old="old_rows"),
        body=_FILE_GROUPS + _count(f"{_CAME} UNION ALL {_WENT}") + _REMEMBER % _ON_UPDATE + _LEAVE,
    ),
    _trigger(
        "errors_of_deletes",
        pgtrigger.Delete,
        pgtrigger.Referencing(old="old_rows"),
        body=_count(_WENT),
    ),
)
