"""What roll-ups know of the time before anybody looked: the worst of each hour, by subject.

(subject, name, slug, erp_name, owner, tags, hour, value), ordered by subject and hour. Only hours
that are as bad as the rule asks are given.
"""

from collections.abc import Mapping

from syncing.alert_kinds import fleet, flow

_OURS = "('queued', 'retrying', 'working')"
_MINUTES = "max((ARRAY[0, 60, 240, 1440, 4320])[band + 1])"
_CUSTOMER = "c.id::text, c.name, c.slug, c.erp_name, c.owner, c.tags"

_ITEMS = f"""
    SELECT {_CUSTOMER}, date_trunc('hour', s.at) AS hour, max(s.items)::float8 AS value
    FROM (
        SELECT connection_id, at, sum(items) AS items FROM syncing_backlogsample
        WHERE connection_id IS NOT NULL AND at BETWEEN %(since)s AND %(until)s AND word IN {_OURS}
        GROUP BY connection_id, at HAVING sum(items) >= %(level)s
    ) s JOIN connections_connection c ON c.id = s.connection_id
    GROUP BY c.id, hour ORDER BY c.id, hour LIMIT %(most)s
"""  # noqa: S608  constants of this file
_AMOUNT = f"""
    SELECT {_CUSTOMER}, date_trunc('hour', s.at) AS hour, max(s.amount)::float8 AS value
    FROM (
        SELECT connection_id, at, abs(sum(amount_minor / 10.0 ^ exponent)) AS amount
        FROM syncing_backlogsample
        WHERE connection_id IS NOT NULL AND at BETWEEN %(since)s AND %(until)s AND word IN {_OURS}
          AND currency = %(currency)s
        GROUP BY connection_id, at HAVING abs(sum(amount_minor / 10.0 ^ exponent)) >= %(level)s
    ) s JOIN connections_connection c ON c.id = s.connection_id
    GROUP BY c.id, hour ORDER BY c.id, hour LIMIT %(most)s
"""  # noqa: S608
# An age is known by its band only: the youngest that it can have been counts.
_AGE = f"""
    SELECT {_CUSTOMER}, date_trunc('hour', s.at) AS hour, max(s.minutes)::float8 AS value
    FROM (
        SELECT connection_id, at, {_MINUTES} AS minutes FROM syncing_backlogsample
        WHERE connection_id IS NOT NULL AND at BETWEEN %(since)s AND %(until)s AND word IN {_OURS}
          AND items > 0
        GROUP BY connection_id, at HAVING {_MINUTES} >= %(level)s
    ) s JOIN connections_connection c ON c.id = s.connection_id
    GROUP BY c.id, hour ORDER BY c.id, hour LIMIT %(most)s
"""  # noqa: S608
_ERP = """
    SELECT b.erp_name, b.erp_name, '', b.erp_name, '', '{}'::text[], b.at AS hour,
        sum(b.items) / 60.0::float8 AS value
    FROM syncing_flowbucket b
    WHERE b.span = 'hour' AND b.connection_id IS NULL AND b.change = 'failed'
      AND b.at BETWEEN %(since)s AND %(until)s
    GROUP BY b.erp_name, b.at HAVING sum(b.items) / 60.0 >= %(level)s
    ORDER BY b.erp_name, b.at LIMIT %(most)s
"""

EARLIER: Mapping[str, str] = {
    flow.ITEMS: _ITEMS,
    flow.AMOUNT: _AMOUNT,
    flow.AGE: _AGE,
    fleet.ERP: _ERP,
}
