"""What objects were coded to before the switch, out of the sealed archives (R-91)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import F, Q, QuerySet

from connections.models import Connection
from migrations_tool.models import Backup, FormerCoding
from rampbridge.lib.money import Money
from syncing.models import SyncItem
from syncing.queries.search import LONGEST, asked
from syncing.queries.search.asked import Amount, Asked, Reading
from syncing.queries.words import type_label

SIZE = 50
_UNCODED = frozenset({"transfer", "cashback"})
"""Ramp has no codings of these."""
_EXPONENTS = (0, 2, 3)
_LARGEST = 2**63 - 1
_MOST_WORDS = 8
_TITLES: Mapping[str, str] = {
    "GL_ACCOUNT": "GL account",
    "MERCHANT": "Vendor",
    "VENDOR": "Vendor",
    "TAX_CODE": "Tax code",
    "NON_ERP": "In Ramp only",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What was chosen in one field of a line."""

    field: str
    name: str
    code: str
    old_id: str


@dataclass(frozen=True, slots=True)
class CodedLine:
    """One line of an object, as it was coded."""

    money: Money | None
    chosen: Sequence[Chosen]


@dataclass(frozen=True, slots=True)
class Former:
    """One object as the archive has it."""

    coding: FormerCoding
    item_id: int | None
    """Of ours, if the object came to us since."""

    @property
    def money(self) -> Money:
        return Money(self.coding.amount_minor, self.coding.currency, self.coding.exponent)

    @property
    def lines(self) -> list[CodedLine]:
        return [_line(self.coding, one) for one in self.coding.codings]

    @property
    def version(self) -> Backup:
        return self.coding.backup

    @property
    def type_label(self) -> str:
        return type_label(self.coding.object_type)

    @property
    def standing(self) -> str:
        """As Ramp had it when the backup was made."""
        return f"{self.coding.standing.replace('_', ' ')} then"

    @property
    def has_splits(self) -> bool:
        return len(self.coding.codings) > 1

    @property
    def is_uncoded_type(self) -> bool:
        return self.coding.object_type in _UNCODED


@dataclass(frozen=True, slots=True)
class Found:
    """A page of objects, the newest first."""

    rows: Sequence[Former]
    next: str
    """Where the next page starts; empty if there is none."""


def archive_of(connection: Connection) -> Backup | None:
    """The customer's newest sealed backup."""
    sealed = _sealed().filter(migration__connection=connection)
    return sealed.order_by("-sealed_at", "-pk").first()


def customers() -> QuerySet[Connection]:
    """Those that have an archive."""
    return Connection.objects.filter(pk__in=_sealed().values("migration__connection")).order_by(
        "name", "pk"
    )


def is_known(connection: Connection, ramp_id: UUID) -> bool:
    """Whether an archive of the customer says what an object was coded to. One statement."""
    found = FormerCoding.objects.filter(
        ramp_id=ramp_id,
        backup__state=Backup.State.SEALED,
        backup__migration__connection=connection,
    )
    return found.exists()


def find(text: str, connection: Connection | None = None, *, today: date, after: str = "") -> Found:
    """Objects by Ramp's id, words, invoice number, amount or day; without any, the newest.

    By its id an object comes with each version of the archive. Else the customer's newest version
    is searched, and without a customer there is nothing.

    :param today: what a day without a year is the nearest to
    :param after: `next` of the page before
    """
    what = asked(text[:LONGEST], today=today)
    rows = _of_id(what.ramp_id, connection) if what.ramp_id else _of_text(what, connection)
    ordered = rows.order_by(F("spent_on").desc(), "-pk").select_related(
        "backup__migration__connection"
    )
    page = list(_below(ordered, after)[: SIZE + 1])
    shown = page[:SIZE]
    items = _items(shown)
    return Found(
        [Former(one, items.get((one.object_type, one.ramp_id))) for one in shown],
        _cursor(shown[-1]) if len(page) > SIZE else "",
    )


def _sealed() -> QuerySet[Backup]:
    return Backup.objects.filter(state=Backup.State.SEALED)


def _of_id(ramp_id: UUID, connection: Connection | None) -> QuerySet[FormerCoding]:
    rows = FormerCoding.objects.filter(ramp_id=ramp_id, backup__state=Backup.State.SEALED)
    return rows.filter(backup__migration__connection=connection) if connection else rows


def _of_text(what: Asked, connection: Connection | None) -> QuerySet[FormerCoding]:
    archive = archive_of(connection) if connection else None
    if archive is None or (what.item_id is not None and not what.words):
        return FormerCoding.objects.none()
    rows = FormerCoding.objects.filter(backup=archive)
    wanted = Q()
    for reading in what.readings:
        wanted |= _fits(reading)
    if not what.text:
        return rows
    return rows.filter(wanted) if what.readings else rows.none()


def _fits(reading: Reading) -> Q:
    fits = Q()
    if reading.amount is not None:
        fits &= _costs(reading.amount)
    if reading.day is not None:
        fits &= Q(spent_on=reading.day)
    if reading.words:
        fits &= Q(words=_query(reading.words))
    if reading.card:
        fits &= Q(pk=None)  # the archive has no card numbers
    return fits


def _costs(amount: Amount) -> Q:
    fits = Q(pk=None)
    for exponent, minor in _minors(amount.figures):
        fits |= Q(amount_minor__in=(minor, -minor), exponent=exponent)
    return fits & Q(currency=amount.currency) if amount.currency else fits


def _minors(figures: Sequence[Decimal]) -> Iterator[tuple[int, int]]:
    for figure in figures:
        for exponent in _EXPONENTS:
            minor = figure.scaleb(exponent)
            if minor == minor.to_integral_value() and abs(minor) <= _LARGEST:
                yield exponent, int(minor)


def _query(words: Sequence[str]) -> SearchQuery:
    """All words, each as the beginning of one."""
    quoted = [
        "'{}':*".format(word.replace("\\", "").replace("'", "''")) for word in words[:_MOST_WORDS]
    ]
    return SearchQuery(" & ".join(quoted), config="simple", search_type="raw")


def _below(rows: QuerySet[FormerCoding], after: str) -> QuerySet[FormerCoding]:
    """What comes after a row: those without a day are first, then the newest day."""
    day, _, key = after.partition("~")
    try:
        pk, on = int(key), None if day == "none" else date.fromisoformat(day)
    except ValueError:
        return rows
    if not 0 <= pk <= _LARGEST:
        return rows
    if on is None:
        return rows.filter(Q(spent_on=None, pk__lt=pk) | Q(spent_on__isnull=False))
    return rows.filter(Q(spent_on__lte=on) & (Q(spent_on__lt=on) | Q(pk__lt=pk)))


def _cursor(row: FormerCoding) -> str:
    return f"{row.spent_on.isoformat() if row.spent_on else 'none'}~{row.pk}"


def _items(rows: Sequence[FormerCoding]) -> dict[tuple[str, UUID], int]:
    """Our items of these objects. One statement."""
    ids = [row.ramp_id for row in rows]
    connections = {row.backup.migration.connection_id for row in rows}
    found = SyncItem.objects.filter(connection__in=connections, ramp_id__in=ids, phase=0)
    return {
        (kind, given): pk for kind, given, pk in found.values_list("object_type", "ramp_id", "pk")
    }


def _line(coding: FormerCoding, line: Mapping[str, Any]) -> CodedLine:
    minor = line.get("minor")
    currency = line.get("currency", coding.currency)
    exponent = line.get("exponent", coding.exponent)
    money = None if minor is None else Money(minor, currency, exponent)
    return CodedLine(money, [_chosen(one) for one in line.get("selections", ())])


def _chosen(one: Mapping[str, str]) -> Chosen:
    """Our words for the fields that every business has; else the field's own name."""
    title = _TITLES.get(one["type"]) or one.get("field") or one.get("field_id") or one["type"]
    return Chosen(title, one["name"], one["code"], one["id"])
