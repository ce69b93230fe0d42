"""What each roll-up says and what the items say: the two sides that the recount compares."""
# ruff: noqa: S608  put together from constants of this file

from collections.abc import Sequence
from dataclasses import dataclass

from syncing.models import period_triggers
from syncing.models.flow_triggers import by_their_times


@dataclass(frozen=True, slots=True)
class RollUp:
    """What one roll-up says and what the items say, as SELECTs of its keys, items and minor."""

    name: str
    keys: str
    found: str
    kept: str
    mend: str
    """An INSERT of `keys, items, minor` of `wrong`: what is missing, or less than nothing."""
    connection: str = "NULL::uuid"


_COUNT = "object_type, state, error_category, currency, exponent"
_ERROR = "fingerprint, error_category, currency, exponent"
_DAY = "connection_id, day, change, object_type, currency, exponent"
_FLEET_DAY = "day, change, object_type, currency, exponent"
_WHOLE_DAY = "day, erp_name, owner, change, currency, exponent"
_WHOLE_HOUR = "at, erp_name, owner, change, currency, exponent"
_OPEN_ERROR = "error_fingerprint <> '' AND state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')"
_ADD = """
            ON CONFLICT (connection_id, span, at, change, object_type, detail, erp_name, owner,
                entity_ramp_id, currency, exponent)
            DO UPDATE SET items = t.items + excluded.items,
                amount_minor = t.amount_minor + excluded.amount_minor"""
_MINE = "connection_id = ANY(%(customers)s)"

OF_CUSTOMERS: Sequence[RollUp] = (
    RollUp(
        "items of a customer",
        f"connection_id, {_COUNT}",
        f"""SELECT connection_id, {_COUNT}, count(*) AS items, sum(amount_minor) AS minor
            FROM syncing_syncitem WHERE {_MINE} GROUP BY connection_id, {_COUNT}""",
        f"""SELECT connection_id, {_COUNT}, items, amount_minor AS minor
            FROM syncing_itemcount WHERE {_MINE}""",
        f"""INSERT INTO syncing_itemcount AS t (connection_id, {_COUNT}, items, amount_minor)
            SELECT connection_id, {_COUNT}, items, minor FROM wrong
            ON CONFLICT (connection_id, {_COUNT}) DO UPDATE SET items = t.items + excluded.items,
                amount_minor = t.amount_minor + excluded.amount_minor""",
        connection="connection_id",
    ),
    RollUp(
        "failures of a customer",
        f"fingerprint, connection_id, {_COUNT}",
        f"""SELECT error_fingerprint AS fingerprint, connection_id, {_COUNT}, count(*) AS items,
                sum(amount_minor) AS minor
            FROM syncing_syncitem WHERE {_MINE} AND {_OPEN_ERROR}
            GROUP BY error_fingerprint, connection_id, {_COUNT}""",
        f"""SELECT fingerprint, connection_id, {_COUNT}, items, amount_minor AS minor
            FROM syncing_errorcount WHERE {_MINE}""",
        f"""INSERT INTO syncing_errorcount AS t
                (fingerprint, connection_id, {_COUNT}, items, amount_minor, last_seen_at)
            SELECT fingerprint, connection_id, {_COUNT}, items, minor, 'epoch' FROM wrong
            ON CONFLICT (fingerprint, connection_id, {_COUNT})
            DO UPDATE SET items = t.items + excluded.items,
                amount_minor = t.amount_minor + excluded.amount_minor""",
        connection="connection_id",
    ),
    RollUp(
        "months of a customer",
        period_triggers.KEYS,
        f"""SELECT {period_triggers.KEYS}, count(*) AS items, sum(amount_minor) AS minor
            FROM ({period_triggers.by_period(f"syncing_syncitem WHERE {_MINE}")}) placed
            GROUP BY {period_triggers.KEYS}""",
        f"""SELECT {period_triggers.KEYS}, items, amount_minor AS minor
            FROM syncing_periodcount WHERE {_MINE}""",
        f"""INSERT INTO syncing_periodcount AS t ({period_triggers.KEYS}, items, amount_minor)
            SELECT {period_triggers.KEYS}, items, minor FROM wrong
            ON CONFLICT ({period_triggers.KEYS}) DO UPDATE SET items = t.items + excluded.items,
                amount_minor = t.amount_minor + excluded.amount_minor""",
        connection="connection_id",
    ),
)
"""Compared for some customers at a time."""


def _shares(name: str, what: str, keys: str) -> RollUp:
    """The shares of totals, with what in these still names its customer."""
    whose = f"erp_name, owner, {keys}"
    return RollUp(
        name,
        whose,
        f"""SELECT {whose}, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_{what}count t JOIN connections_connection c ON c.id = t.connection_id
            GROUP BY {whose}""",
        f"""SELECT {whose}, sum(items) AS items, sum(amount_minor) AS minor
            FROM (
                SELECT {whose}, items, amount_minor FROM syncing_{what}share
                UNION ALL
                SELECT {whose}, items, amount_minor FROM syncing_{what}total t
                JOIN connections_connection c ON c.id = t.connection_id
            ) both_kinds
            GROUP BY {whose}""",
        f"""INSERT INTO syncing_{what}share AS t ({whose}, items, amount_minor)
            SELECT {whose}, items, minor FROM wrong
            ON CONFLICT ({whose}) DO UPDATE SET items = t.items + excluded.items,
                amount_minor = t.amount_minor + excluded.amount_minor""",
    )


OF_FLEET: Sequence[RollUp] = (
    RollUp(
        "all items",
        _COUNT,
        f"""SELECT {_COUNT}, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_itemcount GROUP BY {_COUNT}""",
        f"""SELECT {_COUNT}, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_itemtotal GROUP BY {_COUNT}""",
        f"""INSERT INTO syncing_itemtotal ({_COUNT}, items, amount_minor)
            SELECT {_COUNT}, items, minor FROM wrong""",
    ),
    RollUp(
        "all failures",
        _ERROR,
        f"""SELECT {_ERROR}, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_errorcount GROUP BY {_ERROR}""",
        f"""SELECT {_ERROR}, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_errortotal GROUP BY {_ERROR}""",
        f"""INSERT INTO syncing_errortotal ({_ERROR}, items, amount_minor, last_seen_at)
            SELECT {_ERROR}, items, minor, 'epoch' FROM wrong""",
    ),
    RollUp(
        "days of a customer",
        _DAY,
        f"""SELECT connection_id, date_trunc('day', at, 'UTC') AS day, change, object_type,
                currency, exponent, sum(n) AS items, sum(n * amount_minor) AS minor
            FROM (
                {by_their_times("syncing_syncitem", 1,
                                arrived="i.ready_at >= %(since)s", done="i.acked_at >= %(since)s")}
            ) counted GROUP BY connection_id, day, change, object_type, currency, exponent""",
        """SELECT connection_id, day, change, object_type, currency, exponent,
                sum(items) AS items, sum(amount_minor) AS minor
            FROM (
                SELECT connection_id, at AS day, change, object_type, currency, exponent, items,
                    amount_minor
                FROM syncing_flowbucket
                WHERE span = 'day' AND at >= %(since)s AND connection_id IS NOT NULL
                UNION ALL
                SELECT connection_id, date_trunc('day', at, 'UTC'), change, object_type, currency,
                    exponent, items, amount_minor
                FROM syncing_flowentry WHERE at >= %(since)s
            ) both_kinds WHERE change IN ('arrived', 'done')
            GROUP BY connection_id, day, change, object_type, currency, exponent""",
        """INSERT INTO syncing_flowbucket AS t (span, at, connection_id, erp_name, owner,
                object_type, change, detail, currency, exponent, items, amount_minor)
            SELECT 'day', day, connection_id, '', '', object_type, change, '', currency, exponent,
                items, minor
            FROM wrong"""
        + _ADD,
        connection="connection_id",
    ),
    RollUp(
        "days of all",
        _FLEET_DAY,
        f"""SELECT at AS day, change, object_type, currency, exponent, sum(items) AS items,
                sum(amount_minor) AS minor
            FROM syncing_flowbucket WHERE span = 'day' AND at >= %(since)s
                AND connection_id IS NOT NULL
            GROUP BY {_FLEET_DAY}""",
        f"""SELECT at AS day, change, object_type, currency, exponent, sum(items) AS items,
                sum(amount_minor) AS minor
            FROM syncing_flowbucket WHERE span = 'day' AND at >= %(since)s
                AND connection_id IS NULL AND change <> 'moved'
            GROUP BY {_FLEET_DAY}""",
        """INSERT INTO syncing_flowbucket AS t (span, at, erp_name, owner, object_type, change,
                detail, currency, exponent, items, amount_minor)
            SELECT 'day', day, '', '', object_type, change, '', currency, exponent, items, minor
            FROM wrong"""
        + _ADD,
    ),
    RollUp(
        "days of everything",
        _WHOLE_DAY,
        """SELECT at AS day, coalesce(erp_name, '') AS erp_name, coalesce(owner, '') AS owner,
                change, currency, exponent, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_flowbucket WHERE span = 'day' AND at >= %(since)s
                AND connection_id IS NULL AND change <> 'moved'
            GROUP BY at, change, currency, exponent, GROUPING SETS ((), (erp_name), (owner))
            HAVING coalesce(erp_name, owner) IS DISTINCT FROM ''""",
        f"""SELECT at AS day, erp_name, owner, change, currency, exponent, sum(items) AS items,
                sum(amount_minor) AS minor
            FROM syncing_flowbucket WHERE span = 'all' AND at >= %(since)s
            GROUP BY {_WHOLE_DAY}""",
        """INSERT INTO syncing_flowbucket AS t (span, at, erp_name, owner, object_type, change,
                detail, currency, exponent, items, amount_minor)
            SELECT 'all', day, erp_name, owner, '', change, '', currency, exponent, items, minor
            FROM wrong"""
        + _ADD,
    ),
    RollUp(
        "hours of everything",
        _WHOLE_HOUR,
        """SELECT at, coalesce(erp_name, '') AS erp_name, coalesce(owner, '') AS owner,
                change, currency, exponent, sum(items) AS items, sum(amount_minor) AS minor
            FROM syncing_flowbucket WHERE span = 'hour' AND at >= %(since)s
                AND connection_id IS NULL AND change <> 'moved'
            GROUP BY at, change, currency, exponent, GROUPING SETS ((), (erp_name), (owner))
            HAVING coalesce(erp_name, owner) IS DISTINCT FROM ''""",
        f"""SELECT at, erp_name, owner, change, currency, exponent, sum(items) AS items,
                sum(amount_minor) AS minor
            FROM syncing_flowbucket WHERE span = 'hours' AND at >= %(since)s
            GROUP BY {_WHOLE_HOUR}""",
        """INSERT INTO syncing_flowbucket AS t (span, at, erp_name, owner, object_type, change,
                detail, currency, exponent, items, amount_minor)
            SELECT 'hours', at, erp_name, owner, '', change, '', currency, exponent, items, minor
            FROM wrong"""
        + _ADD,
    ),
    # At the end: no customer can change hands from here on until the turn is over.
    _shares("items of an ERP and owner", "item", _COUNT),
    _shares("failures of an ERP and owner", "error", _ERROR),
)  # fmt: skip
"""Compared once a round, the last of them last: each is made of what those before have mended."""
