"""How many items and how much money stand where, from the roll-up."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import Count, QuerySet, Sum, Value

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.models import ItemCount, ItemShare, ItemTotal, SyncItem
from syncing.queries.words import LOOKS, OPEN, OPEN_WORDS, Look, Party, Word, party_of, word_of
from syncing.states import ItemState


@dataclass(frozen=True, slots=True)
class Standing:
    """One line of the roll-up, in words."""

    connection_id: uuid.UUID | None
    object_type: str
    word: Word
    party: Party
    items: int
    money: Money
    category: str = ""
    """Of what is wrong."""


@dataclass(frozen=True, slots=True)
class Queue:
    """A word with what stands behind it."""

    word: Word
    look: Look
    items: int
    sums: Sequence[Money] = ()
    key: str = ""


def standings(
    *,
    now: datetime,
    connection_ids: Collection[uuid.UUID] | None = None,
    connection_id: uuid.UUID | None = None,
    erp: str = "",
    customer_owner: str = "",
    only_open: bool = False,
    by_type: bool = True,
) -> list[Standing]:
    """What stands where: for everybody, for each of some connections, or for one. One statement.

    :param erp: the name of the ERP that customers must have; those of one are not told apart
    :param customer_owner: who must look after them
    :param only_open: nothing of what is over
    :param by_type: whether lines tell the type; else it is empty, and there are a fourth as many
    """
    counts: QuerySet[Any] = ItemCount.objects.filter(items__gt=0)
    unfolded: QuerySet[Any] = ItemTotal.objects.none()
    if connection_id is None and connection_ids is None and not (erp or customer_owner):
        counts = ItemTotal.objects.all()
    lapsed = SyncItem.objects.filter(state=ItemState.POSTING, lease_until__lt=now)
    if erp or customer_owner:
        where = {"erp_name": erp, "owner": customer_owner}
        where = {name: one for name, one in where.items() if one}
        customers = Connection.objects.filter(**where)
        lapsed = lapsed.filter(connection__in=customers)
        if connection_id is None and connection_ids is None:
            counts = ItemShare.objects.filter(**where)
            unfolded = ItemTotal.objects.filter(connection__isnull=False, connection__in=customers)
        else:
            counts = counts.filter(connection__in=customers)
    if only_open:
        counts, unfolded = counts.filter(OPEN), unfolded.filter(OPEN)
    if connection_id:
        counts = counts.filter(connection_id=connection_id)
        lapsed = lapsed.filter(connection_id=connection_id)
    keys = ["state", "error_category", "currency", "exponent"]
    if by_type:
        keys.append("object_type")
    if connection_ids is not None:
        counts = counts.filter(connection_id__in=connection_ids)
        lapsed = lapsed.filter(connection_id__in=connection_ids)
        keys.append("connection_id")
    found, fresh = (
        kept.order_by()
        .values(*keys)
        .annotate(n=Sum("items"), minor=Sum("amount_minor"), late=Value(value=False))
        .exclude(n=0)
        for kept in (counts, unfolded)
    )
    late = (
        lapsed.order_by()
        .values(*keys)
        .annotate(n=Count("pk"), minor=Sum("amount_minor"), late=Value(value=True))
    )
    lines = []
    for row in found.union(fresh, late, all=True):
        if not row["late"]:
            lines.append(_standing(row, word_of(row["state"], row["error_category"])))
            continue
        # The roll-up cannot know that time passed: move what is past its lease to its other word.
        lines.append(_standing(row, Word.UNCERTAIN))
        lines.append(_standing({**row, "n": -row["n"], "minor": -row["minor"]}, Word.WORKING))
    return lines


def _standing(row: Mapping[str, Any], word: Word) -> Standing:
    return Standing(
        connection_id=row.get("connection_id"),
        object_type=row.get("object_type", ""),
        word=word,
        party=party_of(word, row["state"]),
        items=int(row["n"]),
        money=Money(int(row["minor"]), row["currency"], row["exponent"]),
        category=row["error_category"],
    )


def is_open(standing: Standing) -> bool:
    return standing.word in OPEN_WORDS


def by_word(standings: Iterable[Standing]) -> Counter[Word]:
    """Items per word."""
    counts: Counter[Word] = Counter()
    for standing in standings:
        counts[standing.word] += standing.items
    return counts


def by_party(standings: Iterable[Standing]) -> Counter[Party]:
    """Open items per party that has to move."""
    counts: Counter[Party] = Counter()
    for standing in standings:
        if is_open(standing):
            counts[standing.party] += standing.items
    return counts


class Counted(Protocol):
    """So many items, with so much money of one currency."""

    @property
    def items(self) -> int: ...
    @property
    def money(self) -> Money: ...


def sums(counted: Iterable[Counted]) -> list[Money]:
    """Amounts per currency, the one with most items first. Currencies are never added up."""
    totals: dict[str, Money] = {}
    items: Counter[str] = Counter()
    for one in counted:
        money = one.money
        before = totals.get(money.currency)
        totals[money.currency] = before + money if before else money
        items[money.currency] += one.items
    found = [total for total in totals.values() if total]
    return sorted(found, key=lambda total: (-items[total.currency], total.currency))


def per_connection(standings: Iterable[Standing]) -> Mapping[uuid.UUID, list[Standing]]:
    """The lines of each connection."""
    grouped: dict[uuid.UUID, list[Standing]] = defaultdict(list)
    for standing in standings:
        if standing.connection_id:
            grouped[standing.connection_id].append(standing)
    return grouped


def queues_of(standings: Sequence[Standing], words: Iterable[Word] = OPEN_WORDS) -> list[Queue]:
    """Each word with its items and amounts, in the order of urgency."""
    counts = by_word(standings)
    return [
        Queue(
            word,
            LOOKS[word],
            counts[word],
            sums(standing for standing in standings if standing.word == word),
        )
        for word in words
    ]


def queues_by(counts: Mapping[Word, int]) -> list[Queue]:
    """What waits, for the navigation: counts only."""
    return [
        Queue(word, LOOKS[word], counts[word], key="e" if word == Word.NEEDS_PERSON else "")
        for word in OPEN_WORDS
    ]
