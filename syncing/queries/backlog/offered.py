"""What the page's filters offer, and the customer that its address names."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from syncing.queries.customer_choices import each_value_of
from syncing.statements import from_json, rows

CUSTOMERS_LISTED = 100
"""With more of them the filter is a field with suggestions."""


@dataclass(frozen=True, slots=True)
class Named:
    """A customer as filters name it."""

    id: uuid.UUID
    slug: str
    name: str
    entities: Sequence[tuple[uuid.UUID, str]]


@dataclass(frozen=True, slots=True)
class Offered:
    """The choices there are."""

    customer: Named | None
    customers: Sequence[tuple[str, str]] | None
    """Slug and name; None if they are too many for a list."""
    erps: Sequence[str]
    owners: Sequence[str]


def offered(slug: str) -> Offered:
    """Read them. One statement."""
    ((customer, customers, erps, owners),) = rows(
        f"""
        SELECT (
            SELECT jsonb_build_array(k.id, k.slug, k.name, (
                SELECT jsonb_agg(jsonb_build_array(e.ramp_id, e.name) ORDER BY e.name, e.id)
                FROM connections_entity e WHERE e.connection_id = k.id))
            FROM connections_connection k WHERE k.slug = %(slug)s
        )::text, (
            SELECT jsonb_agg(jsonb_build_array(slug, name) ORDER BY name, slug)
            FROM (SELECT slug, name FROM connections_connection WHERE stage <> 'closed'
                  ORDER BY name, slug LIMIT %(most)s) first
        )::text,
        (SELECT jsonb_agg(value) FROM ({each_value_of("erp_name")}) erps)::text,
        (SELECT jsonb_agg(value) FROM ({each_value_of("owner")}) owners)::text
        """,  # noqa: S608  names of columns
        {"slug": slug, "most": CUSTOMERS_LISTED + 1},
    )
    listed = [(one, name) for one, name in from_json(customers) or []]
    return Offered(
        _named(from_json(customer)),
        listed if len(listed) <= CUSTOMERS_LISTED else None,
        from_json(erps) or [],
        from_json(owners) or [],
    )


def _named(found: Sequence[object] | None) -> Named | None:
    if found is None:
        return None
    key, slug, name, entities = found
    listed = entities if isinstance(entities, list) else []
    return Named(
        uuid.UUID(str(key)),
        str(slug),
        str(name),
        [(uuid.UUID(one), called) for one, called in listed],
    )
