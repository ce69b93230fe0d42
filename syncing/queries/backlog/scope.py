"""Whose items the managers' page is about, and the lists behind its numbers."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from syncing.queries import buckets
from syncing.queries.items import SHOWN


@dataclass(frozen=True, slots=True)
class Scope:
    """What everything on the page is narrowed to. Nothing given is the whole fleet."""

    connection_id: uuid.UUID | None = None
    slug: str = ""
    entity_id: uuid.UUID | None = None
    """Ramp's id of one of the customer's entities."""
    erp: str = ""
    """The name of the customers' ERP."""
    owner: str = ""
    """Who looks after the customers."""
    object_type: str = ""
    category: str = ""
    """Of what is wrong; what comes and goes has none."""

    @property
    def is_of_some_customers(self) -> bool:
        return bool(self.erp or self.owner)

    @property
    def of_buckets(self) -> buckets.Scope:
        """The same for what came and went."""
        return buckets.Scope(
            self.connection_id, self.entity_id, self.erp, self.owner, self.object_type
        )

    def parameters(self) -> str:
        """The scope as the page's own addresses say it."""
        mine = {
            "customer": self.slug,
            "entity": self.entity_id,
            "erp": self.erp,
            "owner": self.owner,
            "type": self.object_type,
            "category": self.category,
        }
        return urlencode({name: str(value) for name, value in mine.items() if value})

    def items(self, **filters: str | datetime | uuid.UUID | None) -> str:
        """The query of the list of items within this scope, narrowed further.

        What somebody has put off is in it, for it waits all the same.
        """
        mine: dict[str, str | datetime | uuid.UUID | None] = {
            "customer": self.slug,
            "entity": self.entity_id,
            "erp": self.erp,
            "customer_owner": self.owner,
            "type": self.object_type,
            "category": self.category,
            "snoozed": SHOWN,
        }
        given = {name: _said(value) for name, value in {**mine, **filters}.items() if value}
        return urlencode(given)

    def gone(self, **filters: str | datetime) -> str:
        """The same of what came or went, whatever has become of it: it has no category."""
        return self.items(state="all", category=None, snoozed=None, **filters)


def _said(value: str | datetime | uuid.UUID | None) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def condition(scope: Scope, table: str = "i") -> str:
    """What items in the scope have in common, for `parameters`.

    :param table: the items' name in the statement
    """
    narrowed = []
    if scope.connection_id:
        narrowed.append(f"{table}.connection_id = %(connection)s")
    if scope.is_of_some_customers:
        customers = f"SELECT k.id FROM connections_connection k WHERE {of_customers(scope, 'k')}"  # noqa: S608
        narrowed.append(f"{table}.connection_id IN ({customers})")
    if scope.entity_id:
        narrowed.append(f"{table}.entity_ramp_id = %(entity)s")
    if scope.object_type:
        narrowed.append(f"{table}.object_type = %(type)s")
    if scope.category:
        narrowed.append(f"{table}.error_category = %(category)s")
    return " AND ".join(narrowed) or "true"


def of_customers(scope: Scope, table: str) -> str:
    """What customers in the scope have in common, for `parameters`."""
    narrowed = [f"{table}.id = %(connection)s"] if scope.connection_id else []
    if scope.erp:
        narrowed.append(f"{table}.erp_name = %(erp)s")
    if scope.owner:
        narrowed.append(f"{table}.owner = %(owner)s")
    return " AND ".join(narrowed) or "true"


def parameters(scope: Scope) -> Mapping[str, object]:
    return {
        "connection": scope.connection_id,
        "entity": scope.entity_id,
        "erp": scope.erp,
        "owner": scope.owner,
        "type": scope.object_type,
        "category": scope.category,
    }
