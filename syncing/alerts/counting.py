"""How many alerts are open, in the one row that every page reads."""

from syncing.statements import execute


def count_open() -> None:
    """Write it anew, after alerts were opened, closed or acknowledged."""
    execute(
        """
        UPDATE syncing_alertround r
        SET open_alerts = n.open_alerts, unacknowledged = n.unacknowledged, pages = n.pages
        FROM (
            SELECT count(*) AS open_alerts,
                count(*) FILTER (WHERE acknowledged_at IS NULL) AS unacknowledged,
                count(*) FILTER (WHERE acknowledged_at IS NULL AND severity = 'page') AS pages
            FROM syncing_alert WHERE resolved_at IS NULL
        ) n WHERE r.id = 1
        """,
        [],
    )
