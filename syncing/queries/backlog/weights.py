"""Which causes weigh most: by money, and by the minutes that people will need for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rampbridge.lib.money import Money
from syncing.models.errors import heading
from syncing.queries.backlog.scope import Scope, condition, of_customers, parameters
from syncing.queries.errors import category_look, moneys
from syncing.queries.words import Look
from syncing.statements import from_json, rows

SHOWN = 10
MINUTES: Mapping[str, float] = {"needs_integrator": 20, "user_actionable": 4, "transient": 0}
"""What one item takes people here, by its category: estimates, which the page says. One that the
customer mends takes a message and a look; what time mends takes nobody."""
OTHER_MINUTES = 10.0
_KEYS = "fingerprint, error_category, currency, exponent"


@dataclass(frozen=True, slots=True)
class Cause:
    """One group of errors and what it weighs."""

    fingerprint: str
    title: str
    items: int
    sums: Sequence[Money]
    minutes: float
    category: str

    @property
    def look(self) -> Look:
        return category_look(self.category)

    def of(self, currency: str) -> int:
        """Minor units of one currency, whatever their sign."""
        return sum(abs(money.minor) for money in self.sums if money.currency == currency)


def causes(scope: Scope) -> list[Cause]:
    """Every cause with something open. One statement, of roll-ups but for a single entity."""
    return [
        Cause(
            fingerprint,
            heading(title),
            int(items),
            moneys(from_json(sums)),
            sum(_minutes(category) * n for category, n in from_json(kinds).items()),
            max(from_json(kinds).items(), key=lambda one: (one[1], one[0]))[0],
        )
        for fingerprint, title, items, sums, kinds in rows(
            f"""
            WITH mine AS MATERIALIZED ({_counts(scope)}), heads AS (
                SELECT fingerprint, sum(items) AS items FROM mine
                GROUP BY fingerprint HAVING sum(items) > 0
            )
            SELECT h.fingerprint, g.title, h.items, (
                SELECT jsonb_agg(jsonb_build_array(minor, currency, exponent)) FROM (
                    SELECT currency, exponent, sum(amount_minor)::bigint AS minor FROM mine
                    WHERE mine.fingerprint = h.fingerprint GROUP BY 1, 2 ORDER BY sum(items) DESC, 1
                ) money
            )::text, (
                SELECT jsonb_object_agg(error_category, n) FROM (
                    SELECT error_category, sum(items)::bigint AS n FROM mine
                    WHERE mine.fingerprint = h.fingerprint GROUP BY 1
                ) kinds
            )::text
            FROM heads h JOIN syncing_errorgroup g USING (fingerprint)
            """,  # noqa: S608  conditions of this program
            dict(parameters(scope)),
        )
    ]


def _counts(scope: Scope) -> str:
    sums = f"{_KEYS}, sum(items) AS items, sum(amount_minor) AS amount_minor"
    of_category = "error_category = %(category)s" if scope.category else "true"
    if scope.entity_id:
        return f"""
            SELECT i.error_fingerprint AS fingerprint, i.error_category, i.currency, i.exponent,
                count(*) AS items, sum(i.amount_minor) AS amount_minor
            FROM syncing_syncitem i
            WHERE NOT (i.state IN ('ACKED', 'EXTERNAL', 'WITHDRAWN'))
              AND i.error_fingerprint <> '' AND {condition(scope)}
            GROUP BY 1, 2, 3, 4
        """  # noqa: S608
    if not (scope.connection_id or scope.is_of_some_customers or scope.object_type):
        return f"SELECT {sums} FROM syncing_errortotal WHERE {of_category} GROUP BY {_KEYS}"  # noqa: S608
    mine = f"SELECT k.id FROM connections_connection k WHERE {of_customers(scope, 'k')}"  # noqa: S608
    if not (scope.connection_id or scope.object_type):
        return f"""
            SELECT {sums} FROM (
                SELECT {_KEYS}, items, amount_minor FROM syncing_errorshare s
                WHERE {of_customers(scope, "s")}
                UNION ALL
                SELECT {_KEYS}, items, amount_minor FROM syncing_errortotal
                WHERE connection_id IS NOT NULL AND connection_id IN ({mine})
            ) both_kinds
            WHERE {of_category} GROUP BY {_KEYS} HAVING sum(items) <> 0
        """  # noqa: S608
    of_type = "object_type = %(type)s" if scope.object_type else "true"
    return f"""
        SELECT {sums} FROM syncing_errorcount
        WHERE items > 0 AND {of_type} AND {of_category} AND connection_id IN ({mine})
        GROUP BY {_KEYS}
    """  # noqa: S608


def _minutes(category: str) -> float:
    return MINUTES.get(category, OTHER_MINUTES)


def ranked(
    found: Sequence[Cause], *, by: str, currency: str
) -> tuple[list[tuple[Cause, Any]], Any]:
    """The heaviest with their weights, and what all others weigh together.

    :param by: `amount`, `minutes` or `items`
    """

    def weight(cause: Cause) -> float:
        match by:
            case "minutes":
                return cause.minutes
            case "items":
                return cause.items
            case _:
                return cause.of(currency)

    weighed = [(cause, weight(cause)) for cause in found]
    weighed = [one for one in weighed if one[1]]
    weighed.sort(key=lambda one: (-one[1], one[0].fingerprint))
    return weighed[:SHOWN], sum(one[1] for one in weighed[SHOWN:])
