"""Measure what rules watch: one statement per kind, whatever number of rules and customers.

Each statement reads roll-ups, schedules or a partial index, and gives back the worst first and a
bounded number. What it leaves out is better than any rule of the kind asks about.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import DatabaseError, transaction

from syncing.alert_kinds import KINDS, Kind, Reading, Subject
from syncing.alerts.statements import MEASURES
from syncing.statements import from_json, rows

MOST = 2000
"""Subjects of one kind. Of more than a few an alert speaks as of many anyway."""

logger = logging.getLogger(__name__)

_OF_CUSTOMERS = """
    WITH measured AS ({measure})
    SELECT c.id, c.slug, c.name, c.erp_name, c.owner, c.tags, m.value::float8, m.facts::text
    FROM measured m JOIN connections_connection c ON c.id = m.connection_id
    WHERE c.stage = 'live' AND m.value {beyond} %(beyond)s
    ORDER BY m.value {order}, c.id LIMIT %(most)s
"""
_OF_OTHERS = """
    WITH measured AS ({measure})
    SELECT m.subject, m.value::float8, m.facts::text FROM measured m
    WHERE m.value >= %(beyond)s ORDER BY m.value DESC, m.subject LIMIT %(most)s
"""


def measure(kind: Kind, *, beyond: float, now: datetime) -> Sequence[Reading]:
    """Every subject that is as bad as `beyond` or worse, the worst first."""
    params = {"beyond": beyond, "now": now, "most": MOST}
    if kind.subject is not Subject.CUSTOMER:
        found = rows(_OF_OTHERS.format(measure=MEASURES[kind.key]), params)
        return [_other(subject, value, from_json(facts)) for subject, value, facts in found]
    sql = _OF_CUSTOMERS.format(
        measure=MEASURES[kind.key],
        beyond="<=" if kind.is_falling else ">=",
        order="ASC" if kind.is_falling else "DESC",
    )
    return [_customer(*row) for row in rows(sql, params)]


def measure_each(
    beyond: Mapping[str, float], *, now: datetime
) -> tuple[dict[str, Sequence[Reading]], list[str]]:
    """The readings by kind, and the kinds that could not be measured; the others are.

    :param beyond: by kind, from where on readings are wanted
    """
    found: dict[str, Sequence[Reading]] = {}
    failed: list[str] = []
    for key, level in beyond.items():
        try:
            with transaction.atomic():
                found[key] = measure(KINDS[key], beyond=level, now=now)
        except DatabaseError:
            logger.exception("A kind of alert could not be measured.", extra={"kind": key})
            failed.append(key)
    return found, failed


def _other(subject: str, value: float, facts: Mapping[str, Any] | None) -> Reading:
    return Reading(subject, value, name=subject, erp_name=subject, facts=facts or {})


def _customer(
    connection_id: Any,
    slug: str,
    name: str,
    erp_name: str,
    owner: str,
    tags: Sequence[str],
    value: float,
    facts: str | None,
) -> Reading:
    told = from_json(facts) or {}
    apart = f"/{told['apart']}" if "apart" in told else ""
    return Reading(
        f"{connection_id}{apart}",
        value,
        name=name,
        connection_id=connection_id,
        slug=slug,
        erp_name=erp_name,
        owner=owner,
        tags=tuple(tags),
        facts=told,
    )
