"""Runs of the chart that nobody looks at any more: one a quarter of an hour of every customer."""

from rampbridge.lib.statements import execute

QUIET_DAYS = 90
"""How long a run is kept that sent Ramp nothing."""
SENT_DAYS = 400
"""How long it can be told what was sent to Ramp, and what came of it."""
MOST_AT_ONCE = 5000
"""Rows taken away by one statement; the rest goes the next time."""
# A migration's evidence names its runs. The newest of a customer stays, however old it is.
_IS_OLD = """
    r.state <> 'running' AND r.trigger <> 'migration'
    AND EXISTS (SELECT FROM connections_mirrorrun newer
                WHERE newer.connection_id = r.connection_id AND newer.started_at > r.started_at)
    AND r.started_at < now() - %(days)s * interval '1 day'
"""


def prune() -> int:
    """Take away old runs, and with them their batches; how many rows went."""
    batches = execute(
        f"""
        DELETE FROM connections_uploadbatch WHERE id IN (
            SELECT b.id FROM connections_uploadbatch b
            JOIN connections_mirrorrun r ON r.id = b.run_id
            WHERE b.state <> 'sending' AND {_IS_OLD} LIMIT %(most)s)
        """,  # noqa: S608  a constant of this file
        {"days": SENT_DAYS, "most": MOST_AT_ONCE},
    )
    runs = execute(
        f"""
        DELETE FROM connections_mirrorrun WHERE id IN (
            SELECT r.id FROM connections_mirrorrun r
            WHERE {_IS_OLD} AND NOT EXISTS (
                SELECT FROM connections_uploadbatch b WHERE b.run_id = r.id)
            LIMIT %(most)s)
        """,  # noqa: S608  a constant of this file
        {"days": QUIET_DAYS, "most": MOST_AT_ONCE},
    )
    return batches + runs
