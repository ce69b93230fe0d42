"""One page of a list: its good objects, its malformed ones, and where the next page starts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError

from connections.ramp.errors import ForeignAddress, SchemaSurprise
from connections.ramp.schemas import Schema, Transaction, decode, reasons

Item = TypeVar("Item", bound=Schema)

_BARE_CURSOR = re.compile(r"[\w=.~-]{1,512}", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_ESCAPE = re.compile(
    rb"\\(?:"  # in front of all cases, for then the search leaps from backslash to backslash
    rb"u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair: one good character
    rb"|(u0000|u[dD][89a-fA-F][0-9a-fA-F]{2})"  # NUL, or half a pair
    rb"|.)"
)


@dataclass(frozen=True, slots=True)
class Malformed:
    """An object that is not as the contract says. The rest of its page is fine."""

    raw: Any
    reason: str

    @property
    def id(self) -> str:
        """Its id, if it has one that can be read."""
        found = self.raw.get("id") if isinstance(self.raw, dict) else None
        return found if isinstance(found, str) else ""


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """What one request of a list gave."""

    raw: bytes
    """The body as it came, for storing a whole page with one statement."""
    items: Sequence[Item]
    malformed: Sequence[Malformed]
    next_cursor: str | None

    @classmethod
    def read(cls, raw: bytes, model: type[Item], *, base_url: str) -> Self:
        """Read a page of a list.

        :raises SchemaSurprise: if it is no page at all
        :raises ForeignAddress: if its next page is on another host
        """
        document = decode(raw)
        rows = document.get("data") if isinstance(document, dict) else None
        if not isinstance(rows, list):
            raise SchemaSurprise("The answer is not a page: it has no list called data.")
        items: list[Item] = []
        malformed: list[Malformed] = []
        for row in rows:
            try:
                items.append(model.model_validate(row))
            except ValidationError as error:
                malformed.append(Malformed(row, reasons(error)))
        return cls(raw, items, malformed, _next_cursor(document, base_url))

    @property
    def storable(self) -> bytes:
        """The body with what PostgreSQL's jsonb refuses (NUL, half surrogates) as U+FFFD."""
        return _ESCAPE.sub(lambda match: rb"\ufffd" if match[1] else match[0], self.raw)


@dataclass(frozen=True, slots=True)
class TransactionPage(Page[Transaction]):
    @property
    def transactions(self) -> Sequence[Transaction]:
        return self.items


def _next_cursor(document: dict[str, Any], base_url: str) -> str | None:
    page = document.get("page")
    following = page.get("next") if isinstance(page, dict) else None
    return cursor_of(following, base_url=base_url) if following else None


def cursor_of(following: object, *, base_url: str) -> str:
    """The cursor in `page.next`, which is an address or, seen live, the bare cursor.

    Nothing else of the address is used: the request for the next page is built by us.

    :raises ForeignAddress: if the address is not on the host of `base_url`
    :raises SchemaSurprise: if there is no cursor in it
    """
    if not isinstance(following, str):
        raise SchemaSurprise("page.next is neither an address nor a cursor.")
    if _BARE_CURSOR.fullmatch(following):
        return following
    try:
        if _origin(following) != _origin(base_url):
            raise ForeignAddress("page.next leads to another host than Ramp's.")
        starts = parse_qs(urlsplit(following).query).get("start", [])
    except ValueError:
        raise ForeignAddress("page.next is not an address that can be read.") from None
    if len(starts) != 1:
        raise SchemaSurprise("page.next carries no cursor.")
    return starts[0]


def _origin(address: str) -> tuple[str, str, int | None]:
    """Scheme, host and port. A name or password in front of the host makes it foreign."""
    parts = urlsplit(address)
    host = "@" if "@" in parts.netloc else (parts.hostname or "")
    return parts.scheme, host, parts.port or _DEFAULT_PORTS.get(parts.scheme)
