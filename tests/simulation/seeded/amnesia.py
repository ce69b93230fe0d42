"""A database that forgets its last commits, as after a failover to a replica that lags behind (I5).

The rows of a run are kept as they were at one moment, and put back at a later one. What noticed
nothing of it are processes that were talking to somebody else meanwhile.
"""

from collections.abc import Sequence

from syncing.statements import execute, rows
from tests.simulation.seeded.company import Company
from tests.simulation.seeded.tables import columns_of

_OF_ITEMS = "IN (SELECT id FROM syncing_syncitem WHERE connection_id = ANY(%(ids)s))"
FORGOTTEN = {
    "syncing_itemevent": f"item_id {_OF_ITEMS}",
    "syncing_itempayload": f"item_id {_OF_ITEMS}",
    "syncing_formerdocument": f"item_id {_OF_ITEMS}",
    "syncing_syncitem": "connection_id = ANY(%(ids)s)",
    "syncing_cardpayment": "connection_id = ANY(%(ids)s)",
    "syncing_syncrequest": "connection_id = ANY(%(ids)s)",
    "syncing_ackbatch": "connection_id = ANY(%(ids)s)",
    "syncing_pullcursor": "connection_id = ANY(%(ids)s)",
    "syncing_syncrun": "connection_id = ANY(%(ids)s)",
    "syncing_schedule": "connection_id = ANY(%(ids)s)",
    "connections_ramptoken": "connection_id = ANY(%(ids)s)",
}
"""What a run writes, and which rows of each table are its own. In an order they can be deleted."""
_OF_CHARTS = dict.fromkeys(
    (
        "connections_uploadbatch",
        "connections_mirrorrun",
        "connections_driftdecision",
        "connections_fieldoption",
        "connections_customfield",
        "connections_ledgeraccount",
        "connections_vendor",
        "connections_mirror",
    ),
    "connection_id = ANY(%(ids)s)",
)
"""The same of what only charts write."""


class Memory:
    """What the database knew at one moment of the customers of a run."""

    def __init__(self, companies: Sequence[Company], *, has_charts: bool) -> None:
        self._ids = {"ids": [one.connection.pk for one in companies]}
        self._tables = FORGOTTEN | (_OF_CHARTS if has_charts else {})
        self._rows = {}
        for table, whose in self._tables.items():
            ((found,),) = rows(
                f"SELECT jsonb_agg(to_jsonb(t))::text FROM {table} t WHERE {whose}", self._ids
            )
            self._rows[table] = found or "[]"
        self._numbers = rows(
            "SELECT sequencename, last_value FROM pg_sequences WHERE last_value IS NOT NULL"
            " AND sequencename = ANY(%s)",
            [[f"{table}_id_seq" for table in self._tables]],
        )

    def return_to(self) -> None:
        """Forget all that was committed since, and be another server than before."""
        execute("SET session_replication_role = replica", None)  # neither triggers nor keys
        for table, whose in self._tables.items():
            execute(f"DELETE FROM {table} WHERE {whose}", self._ids)
        for table, kept in self._rows.items():
            columns = ", ".join(columns_of(table))
            execute(
                f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns}"
                f" FROM jsonb_populate_recordset(NULL::{table}, %(kept)s::jsonb)",
                {"kept": kept},
            )
        for sequence, number in self._numbers:  # what comes next is called as what is forgotten
            rows("SELECT setval(%s, %s)", [sequence, number])
        execute("SET session_replication_role = origin", None)
        execute("UPDATE syncing_databaseidentity SET timeline = timeline - 1", None)


def trust() -> None:
    """Let the database be known, and not suspect: whatever an earlier run did to it is over."""
    execute("DELETE FROM syncing_databaseidentity", None)
