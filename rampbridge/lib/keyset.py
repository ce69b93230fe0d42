"""Pages of a long list without COUNT or OFFSET: "what comes after this row"."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from django.db.models import Model, Q, QuerySet

_Row = TypeVar("_Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last row of a page: the next page starts below it."""

    at: datetime
    pk: int | uuid.UUID

    def __str__(self) -> str:
        return f"{self.at.isoformat()}~{self.pk}"

    @classmethod
    def parse(cls, text: str, *, key: Callable[[str], int | uuid.UUID] = int) -> "Cursor | None":
        """Read a cursor from a URL; None for anything that is not one.

        :param key: what reads the list's primary keys
        """
        at, separator, pk = text.partition("~")
        try:
            parsed = datetime.fromisoformat(at.replace(" ", "+"))
            number = key(pk)
        except ValueError:
            return None
        return cls(parsed, number) if separator and parsed.tzinfo else None


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[_Row]):
    """One page of rows, and where the next one starts if there is one."""

    rows: Sequence[_Row]
    next: Cursor | None
    is_first: bool


def keyset_page(
    rows: QuerySet[_Row], *, field: str, after: Cursor | None, size: int, newest_first: bool
) -> KeysetPage[_Row]:
    """A page of rows by a time column, then by primary key so that none is skipped."""
    ordered = keyset_rows(rows, field=field, after=after, size=size, newest_first=newest_first)
    found = list(ordered)
    page = found[:size]
    following = Cursor(getattr(page[-1], field), page[-1].pk) if len(found) > size else None
    return KeysetPage(page, following, is_first=after is None)


def keyset_rows(
    rows: QuerySet[_Row], *, field: str, after: Cursor | None, size: int, newest_first: bool
) -> QuerySet[_Row]:
    """The rows of such a page, and one more if there is one: for who wants only some columns."""
    minus, beyond = ("-", "lt") if newest_first else ("", "gt")
    ordered = rows.order_by(f"{minus}{field}", f"{minus}pk")
    if after:
        # The first condition says nothing new, but lets the index start at the right place.
        ordered = ordered.filter(
            Q(**{f"{field}__{beyond}e": after.at}),
            Q(**{f"{field}__{beyond}": after.at}) | Q(**{f"pk__{beyond}": after.pk}),
        )
    return ordered[: size + 1]
