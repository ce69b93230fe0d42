"""Look up what was asked, and say in which way each item was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from connections.models import Connection
from syncing.models import ErrorGroup, SyncItem
from syncing.queries.items import ItemRow, rows
from syncing.queries.search import names
from syncing.queries.search.asked import Asked, asked
from syncing.queries.search.statements import Named, Scope, statement
from syncing.statements import rows as fetched

LIMIT = 20
"""Items of each way, and customers."""
_CUSTOMERS_WITH_WORDS = 8
_ERRORS = 5

_TITLES: Mapping[str, str] = {
    "ramp_id": "Ramp id",
    "reference": "Our reference",
    "invoice": "Invoice number",
    "erp_number": "ERP number",
    "erp_id": "ERP id",
    "number_and_words": "Number, with the other words",
    "amount": "Amount",
    "amount_and_words": "Amount, with the other words",
    "card": "Card",
    "card_and_words": "Card, with the other words",
    "day": "Accounting date",
    "day_and_words": "Accounting date, with the other words",
    "invoice_start": "Invoice numbers that begin so",
    "erp_start": "ERP numbers that begin so",
    "customer_and_words": "Customer, with the other words",
    "words": "Merchant, memo or person",
}
_EXACT = {"ramp_id", "reference", "invoice", "erp_number", "erp_id"}


@dataclass(frozen=True, slots=True)
class Hits:
    """Items found in one way, newest first, and in which way."""

    way: str
    rows: Sequence[ItemRow]
    is_more: bool = False

    @property
    def title(self) -> str:
        return _TITLES[self.way]

    @property
    def is_exact(self) -> bool:
        """Whether an item is meant by this and no other, if it is the only one."""
        return self.way in _EXACT


@dataclass(frozen=True, slots=True)
class Found:
    """All that a text leads to."""

    asked: Asked
    hits: Sequence[Hits] = ()
    customers: Sequence[Connection] = ()
    errors: Sequence[ErrorGroup] = ()

    @property
    def is_nothing(self) -> bool:
        return not (self.hits or self.customers or self.errors)

    @property
    def only(self) -> SyncItem | None:
        """The one item that was called by its own name, if there is one."""
        exact = {row.item.pk: row.item for hits in self.hits if hits.is_exact for row in hits.rows}
        return next(iter(exact.values())) if len(exact) == 1 else None


def find(text: str, scope: Scope, *, now: datetime, most: int = LIMIT) -> Found:
    """Every way in which a text leads to items, the surest first; each item once.

    Five small statements at most, each bounded whatever is asked.

    :param most: items of each way; there may be more of them
    """
    question = asked(text, today=now.date())
    if question.is_nothing:
        return Found(question)
    if question.ramp_id:
        return Found(question, hits=_hits(question, scope, (), now, most))
    customers = [] if scope.connection_id else names.having(question, most=20 * LIMIT)
    named = _named(question, customers)
    return Found(
        question,
        hits=_hits(question, scope, named, now, most),
        customers=_shown(question, customers),
        errors=[] if scope.connection_id or scope.object_type else _errors(question.words),
    )


def _hits(
    question: Asked, scope: Scope, named: Sequence[Named], now: datetime, most: int
) -> list[Hits]:
    asked_for = statement(question, scope, named, most + 1)
    found = sorted(fetched(asked_for.sql, asked_for.params), key=lambda row: (row[0], -row[2]))
    ways: dict[str, list[int]] = {}
    seen: set[int] = set()
    for _, way, item_id in found:
        if item_id not in seen:
            seen.add(item_id)
            ways.setdefault(way, []).append(item_id)
    shown = [id_ for ids in ways.values() for id_ in ids[:most]]
    items = SyncItem.objects.select_related("connection").in_bulk(shown)
    return [
        Hits(way, rows([items[id_] for id_ in ids[:most] if id_ in items], now), len(ids) > most)
        for way, ids in ways.items()
    ]


def _named(question: Asked, customers: Sequence[names.Name]) -> list[Named]:
    """The customers that most of the words name, with the others; none if these say no more.

    Who is named by fewer words is hardly meant, and would be looked into in place of who is.
    """
    found: list[Named] = []
    for customer in customers[:_CUSTOMERS_WITH_WORDS]:
        others = [word for word in question.words if not customer.has(word)]
        is_best = not found or len(others) <= len(found[0].words)
        if others and is_best and len(others) < len(question.words):
            found.append(Named(customer.pk, others))
    return found


def _shown(question: Asked, customers: Sequence[names.Name]) -> list[Connection]:
    """The customers that the whole text names."""
    ids = [one.pk for one in customers if one.is_meant_by(question)][:LIMIT]
    found = Connection.objects.in_bulk(ids) if ids else {}
    return [found[pk] for pk in ids if pk in found]


def _errors(words: Sequence[str]) -> list[ErrorGroup]:
    """Causes whose words or code has every word: there are hundreds of them, not millions."""
    found = ErrorGroup.objects.all()
    for word in words:
        found = found.filter(Q(title__icontains=word) | Q(code__istartswith=word))
    return list(found.order_by("-first_seen_at", "pk")[:_ERRORS])
