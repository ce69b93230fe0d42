"""Read the figures out of the database, in a few statements however many there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import structlog
from django.db import DatabaseError, transaction
from django.db import connection as database

from rampbridge.lib.meters import Figure
from rampbridge.metrics import flow
from rampbridge.metrics.gauges import Gauge

PATIENCE_MS = 10_000
"""A figure that takes longer is left out until the next time: it must not slow down the rest."""

Values = Mapping[str, Mapping[tuple[str, ...], float]]
"""By name and by the values of the labels."""

log = structlog.get_logger(__name__)


def gauges(wanted: Sequence[Gauge]) -> Values:
    """How things stand now, in one statement. Empty if the database takes too long over it."""
    whole = " UNION ALL ".join(
        f"SELECT '{gauge.name}', figure.* FROM ({gauge.sql}) AS figure (labels, value)"  # noqa: S608
        for gauge in wanted
    )
    found: dict[str, dict[tuple[str, ...], float]] = {gauge.name: {} for gauge in wanted}
    try:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(PATIENCE_MS)])
            cursor.execute(whole, [])
            for name, labels, value in cursor.fetchall():
                found[name][tuple(labels)] = float(value)
    except DatabaseError as error:
        log.warning("figures_not_read", first=wanted[0].name, cause=str(error))
        return {}
    return found


def meters() -> Mapping[str, Mapping[tuple[str, ...], Mapping[str, float]]]:
    """What has happened since the beginning: by name, by labels, by part. One statement."""
    found: dict[str, dict[tuple[str, ...], dict[str, float]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(float))
    )
    with database.cursor() as cursor:
        cursor.execute(_METERS)
        for name, labels, part, value in cursor.fetchall():
            figure = Figure(name, tuple(labels), part)
            found[figure.name][figure.labels][figure.part] += value
    return found


_METERS = f"""
    SELECT name, ARRAY(SELECT jsonb_array_elements_text(labels)), part, value FROM (
        SELECT name, labels, part, value FROM rampbridge_meter
        UNION ALL
        {flow.AS_FIGURES.format(entries="syncing_flowentry")}
    ) figures
"""  # noqa: S608  constants
