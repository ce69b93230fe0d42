"""What the address of the managers' page says. Nonsense falls back to what is usual."""

import re
import uuid
from dataclasses import dataclass

from django.http import Http404, QueryDict

from syncing.classifier import ErrorCategory
from syncing.models import SyncItem
from syncing.queries.backlog.offered import Offered, offered
from syncing.queries.backlog.periods import DEFAULT, PERIODS, Period, period
from syncing.queries.backlog.scope import Scope
from syncing.views.narrowing import known

ITEMS, AMOUNT, MINUTES = "items", "amount", "minutes"
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be shown."""

    scope: Scope
    period: Period
    offered: Offered
    measure: str
    """Of the backlog by age: `ITEMS` or `AMOUNT`."""
    weight: str
    """Of causes: `AMOUNT`, `MINUTES` or `ITEMS`."""
    currency: str
    """Of amounts in charts. Empty: the one with most items."""
    is_wall: bool
    is_shorter: bool
    """Whether a longer period was asked for than is kept."""

    @property
    def is_narrowed(self) -> bool:
        return self.scope != Scope()

    @property
    def periods(self) -> list[Period]:
        return list(PERIODS[self.scope.connection_id is not None].values())

    def said(self) -> str:
        """The filters in words, for files."""
        scope, customer = self.scope, self.offered.customer
        entities = dict(customer.entities) if customer else {}
        parts = {
            "customer": customer.name if customer else "",
            "entity": entities.get(scope.entity_id, "") if scope.entity_id else "",
            "ERP": scope.erp,
            "owner": scope.owner,
            "type": scope.object_type,
            "category": scope.category,
        }
        narrowed = ", ".join(f"{name} {value}" for name, value in parts.items() if value)
        return f"{narrowed or 'everything'}; last {self.period.label}"


def asked(query: QueryDict) -> Asked:
    """Read the address. One statement.

    :raises Http404: if there is no such customer
    """
    slug = query.get("customer", "")[:80]
    choices = offered(slug)
    customer = choices.customer
    if slug and customer is None:
        raise Http404("no customer of that name")
    scope = Scope(
        connection_id=customer.id if customer else None,
        slug=slug,
        entity_id=_entity(query.get("entity", ""), choices),
        erp="" if customer else known(query.get("erp", ""), choices.erps),
        owner="" if customer else known(query.get("owner", ""), choices.owners),
        object_type=known(query.get("type", ""), SyncItem.ObjectType.values),
        category=known(query.get("category", ""), set(ErrorCategory)),
    )
    named = query.get("period", "") or DEFAULT
    chosen = period(named, is_customer=customer is not None)
    currency = query.get("currency", "")
    return Asked(
        scope=scope,
        period=chosen,
        offered=choices,
        measure=known(query.get("measure", ""), {AMOUNT}) or ITEMS,
        weight=known(query.get("weight", ""), {MINUTES, ITEMS}) or AMOUNT,
        currency=currency if _CURRENCY.fullmatch(currency) else "",
        is_wall=query.get("wall") == "1",
        is_shorter=named in PERIODS[False] and chosen.key != named,
    )


def _entity(text: str, choices: Offered) -> uuid.UUID | None:
    """One of the chosen customer's."""
    entities = choices.customer.entities if choices.customer else []
    return next((key for key, _ in entities if str(key) == text), None)
