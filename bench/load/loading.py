"""Copy a made-up fleet into the database at hand, and build what triggers would have built.

The triggers are off and the indexes gone while rows are copied; each roll-up is then made by one
statement, of the same form as its trigger, so that it equals what they would have counted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from django.db import connection as database
from django.db import transaction

from bench.load.customers import add_customers
from bench.load.items import COLUMNS, lines
from syncing.backlog.folding import rebuild
from syncing.backlog.sampling import sample
from syncing.fleet.keeping import keep_up
from syncing.models import SampleRound
from syncing.models.error_triggers import TOTAL_KEYS as ERROR_TOTAL_KEYS
from syncing.models.flow_triggers import by_their_times
from syncing.models.items import TOTAL_KEYS
from syncing.models.period_triggers import KEYS, by_period
from syncing.models.shares import added

TABLE = "syncing_syncitem"
_TABLES = (TABLE, "syncing_itemwords", "syncing_occurrence")
_COUNT_KEYS = f"connection_id, {TOTAL_KEYS}"
_ERROR_KEYS = f"fingerprint, {_COUNT_KEYS}"
_CUSTOMERS = "JOIN connections_connection c ON c.id = t.connection_id"
Tell = Callable[[str], None]


@dataclass(slots=True)
class Loaded:
    """How long the parts of a load took, in seconds."""

    items: int
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def copied_per_second(self) -> float:
        return self.items / self.seconds["copy"]

    @property
    def loaded_per_second(self) -> float:
        """With the roll-ups and the indexes."""
        return self.items / sum(self.seconds.values())


def load(*, customers: int, items: int, now: datetime, tell: Tell = lambda _: None) -> Loaded:
    """Fill an empty database.

    :param now: when the newest item became ready
    :param tell: told of each part that is done
    """
    loaded = Loaded(items)

    def part(name: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        with transaction.atomic():
            work()
        loaded.seconds[name] = time.perf_counter() - began
        tell(f"{name}: {loaded.seconds[name]:.1f} s")

    payers = add_customers(customers, now=now)
    with _bare_tables(tell):
        part("copy", lambda: _copy(lines(payers, items, now=now)))
        for name, statement in ROLL_UPS.items():
            part(name, partial(_run, statement))
        # Without indexes it must know at least how much there is, or it looks through all failures
        # for each item.
        _run(f"ANALYZE {', '.join(_TABLES)}, connections_connection")
        part("flow", partial(rebuild, by_their_times(TABLE, 1)))
        began = time.perf_counter()
    loaded.seconds["indexes"] = time.perf_counter() - began
    tell(f"indexes: {loaded.seconds['indexes']:.1f} s")
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # outside of a transaction
    part("standings", lambda: _keep_up(now))
    part("samples", partial(_sample, now))
    with database.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # what has changed since, as a day later it would be
        cursor.execute("CHECKPOINT")  # or the first who asks waits for the disk
    return loaded


def database_size() -> int:
    """Bytes on the disk, indexes too."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _copy(chunks: Iterator[str]) -> None:
    with database.cursor() as cursor:
        for column, default in _ALIKE.items():
            cursor.execute(f"ALTER TABLE {TABLE} ALTER {column} SET DEFAULT {default}")
        with cursor.copy(f"COPY {TABLE} ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            for chunk in chunks:
                copy.write(chunk)
        for column in _ALIKE:
            cursor.execute(f"ALTER TABLE {TABLE} ALTER {column} DROP DEFAULT")
        cursor.execute(f"SELECT setval('{TABLE}_id_seq', (SELECT max(id) FROM {TABLE}))")


def _keep_up(now: datetime) -> None:
    """The customers' lines, as the task writes them."""
    while keep_up(now=now):
        pass


_ROUND = "object_type, error_category, band, currency, exponent, items, amount_minor"


def _sample(now: datetime) -> None:
    """Sample the backlog, and let it have been the same in each hour of a day and day of 400."""
    sample(now=now)
    newest = SampleRound.objects.latest("at").at
    today = newest.replace(hour=0, minute=0)
    hours = {newest - timedelta(hours=back) for back in range(1, 24)}
    days = [today - timedelta(days=back) for back in range(1, 401)]
    all_of_them = list(hours.union(days))
    SampleRound.objects.bulk_create([SampleRound(at=at) for at in all_of_them])
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO syncing_backlogsample (at, erp_name, owner, word, party, {_ROUND})
            SELECT m, erp_name, owner, word, party, {_ROUND}
            FROM syncing_backlogsample, unnest(%s::timestamptz[]) m
            WHERE connection_id IS NULL AND at = %s
            """,
            [list(hours.union(days[:30])), newest],
        )
        cursor.execute(
            f"""
            INSERT INTO syncing_fleetsample (at, erp_name, owner, {_ROUND})
            SELECT m, erp_name, owner, {_ROUND}
            FROM syncing_fleetsample, unnest(%s::timestamptz[]) m WHERE at = %s
            """,
            [all_of_them, newest],
        )


def _run(statement: str) -> None:
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement)


@contextmanager
def _bare_tables(tell: Tell) -> Iterator[None]:
    """Without triggers, foreign keys' checks and indexes; these are made anew at the end."""
    with database.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET maintenance_work_mem = '1GB'")
        cursor.execute("SET work_mem = '256MB'")
        cursor.execute("SET max_parallel_maintenance_workers = 1")
        cursor.execute(_INDEXES, [list(_TABLES)])
        indexes = cursor.fetchall()
        for table, name, _, constraint in indexes:
            cursor.execute(
                f"ALTER TABLE {table} DROP CONSTRAINT {name}"
                if constraint
                else f"DROP INDEX {name}"
            )
        yield
        for table, name, definition, constraint in indexes:
            cursor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {name} {constraint}"
                if constraint
                else definition
            )
            tell(f"  {name}")
        for setting in ("session_replication_role", "maintenance_work_mem", "work_mem"):
            cursor.execute(f"RESET {setting}")


_INDEXES = """
    SELECT i.indrelid::regclass::text, c.relname, pg_get_indexdef(i.indexrelid),
        (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conindid = i.indexrelid
            AND contype = 'u')
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid::regclass::text = ANY(%s) AND NOT i.indisprimary
    ORDER BY 1, 2
"""

_ALIKE = {
    "content_hash": "md5('')",
    "claims_without_result": "0",
    "report_attempt": "0",
    "reack_due": "false",
    **dict.fromkeys(("erp_ref", "erp_url", "error_detail", "blocked_by"), "''"),
}
"""Columns without a default that are the same in all rows: they have one for as long as these are
copied."""

_EVENTS = """
    INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
    SELECT i.id, e.at, e.kind, e.text, '{}', ''
    FROM syncing_syncitem i CROSS JOIN LATERAL (
        SELECT i.ready_at AS at, 'ready' AS kind, '' AS text
        UNION ALL SELECT i.posted_at, 'posted', i.erp_number WHERE i.posted_at IS NOT NULL
        UNION ALL SELECT i.acked_at, 'reported', '' WHERE i.acked_at IS NOT NULL
        UNION ALL SELECT i.error_at, 'refused', i.error_title WHERE i.error_at IS NOT NULL
    ) e
    WHERE i.state <> 'ACKED' OR i.id % 50 = 0
    ORDER BY i.id, e.at
"""
"""Of what is open, and of one in fifty that are through: the others' would fill the disk."""

ROLL_UPS = {
    "counts": f"""
        INSERT INTO syncing_itemcount ({_COUNT_KEYS}, items, amount_minor)
        SELECT {_COUNT_KEYS}, count(*), sum(amount_minor) FROM {TABLE} GROUP BY {_COUNT_KEYS}
    """,
    "months": f"""
        INSERT INTO syncing_periodcount ({KEYS}, items, amount_minor)
        SELECT {KEYS}, count(*), sum(amount_minor) FROM ({by_period(TABLE)}) i GROUP BY {KEYS}
    """,
    "changes of months": """
        INSERT INTO syncing_periodchange (connection_id, entity_ramp_id, period, changes,
            changed_at)
        SELECT DISTINCT connection_id, entity_ramp_id, period, 1, now() FROM syncing_periodcount
    """,
    "totals": f"""
        INSERT INTO syncing_itemtotal ({TOTAL_KEYS}, items, amount_minor)
        SELECT {TOTAL_KEYS}, sum(items), sum(amount_minor) FROM syncing_itemcount
        GROUP BY {TOTAL_KEYS}
    """,
    "shares": added("syncing_itemshare", TOTAL_KEYS, f"FROM syncing_itemcount t {_CUSTOMERS}"),
    "groups": f"""
        INSERT INTO syncing_errorgroup (fingerprint, code, title, category, origin, first_seen_at,
            owner, snoozed_by, snooze_reason, snoozed_until_freed, snoozed_in_version,
            woken_because)
        SELECT DISTINCT ON (error_fingerprint) error_fingerprint, error_code,
            rampbridge_cause(error_title), error_category, error_origin, error_at,
            '', '', '', false, '', ''
        FROM {TABLE} WHERE error_fingerprint <> '' ORDER BY error_fingerprint, error_at, id
    """,
    "failures": f"""
        INSERT INTO syncing_errorcount ({_ERROR_KEYS}, items, amount_minor, last_seen_at)
        SELECT {_ERROR_KEYS}, count(*), sum(amount_minor), max(error_at)
        FROM (SELECT *, error_fingerprint AS fingerprint FROM {TABLE}
            WHERE error_fingerprint <> '' AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')) i
        GROUP BY {_ERROR_KEYS}
    """,
    "failures in all": f"""
        INSERT INTO syncing_errortotal ({ERROR_TOTAL_KEYS}, items, amount_minor, last_seen_at)
        SELECT {ERROR_TOTAL_KEYS}, sum(items), sum(amount_minor), max(last_seen_at)
        FROM syncing_errorcount GROUP BY {ERROR_TOTAL_KEYS}
    """,
    "shares of failures": added(
        "syncing_errorshare", ERROR_TOTAL_KEYS, f"FROM syncing_errorcount t {_CUSTOMERS}"
    ),
    "occurrences": f"""
        INSERT INTO syncing_occurrence (fingerprint, connection_id, item_id, first_at, last_at,
            times)
        SELECT error_fingerprint, connection_id, id, error_at, error_at, 1
        FROM {TABLE} WHERE error_fingerprint <> '' ORDER BY id
    """,
    "words": f"""
        INSERT INTO syncing_itemwords (item_id, words)
        SELECT id, to_tsvector('simple', concat_ws(' ', label, memo, person, invoice_number))
        FROM {TABLE} ORDER BY id
    """,
    "timelines": _EVENTS,
}  # fmt: skip
"""What the triggers would have made, by its name."""
