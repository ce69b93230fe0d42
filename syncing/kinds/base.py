"""What the engine must know of a type of object, in one form for all types."""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.schemas import Schema
from rampbridge.lib.money import Money
from syncing.cannot_post import NoAccountingDate, UnknownValue

One = TypeVar("One")


class Standing(StrEnum):
    """Where an object stands in Ramp, as far as one phase of it is concerned."""

    READY = "ready"
    NOT_READY = "not_ready"
    SYNCED = "synced"
    UNKNOWN = "unknown"
    """Ramp says a word that we do not know: a person decides, nobody guesses (R-55, F-06)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One object as a page shows it, with what lists and search need of it."""

    ramp_id: uuid.UUID
    entity_ramp_id: uuid.UUID | None
    label: str
    memo: str
    person: str
    accounting_date: date | None
    money: Money
    content_hash: str
    """Of everything a document is made from; a change of it is a new chance for a failed item."""
    invoice_number: str = ""
    """The vendor's own number of a bill or of a credit."""
    card_ramp_id: uuid.UUID | None = None
    """Of the card that was charged; the end of its number is known of cards read before."""
    payable_on: date | None = None
    """When a bill's vendor wants its money."""
    changed_at: datetime | None = None
    """When Ramp last changed it, as far as Ramp tells: a webhook should have come since."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which part of a list to read, and from where."""

    start: str | None = None
    """The cursor to go on after; None is the list's beginning."""
    page_size: int = 100
    entity_id: UUID | None = None
    """One entity's objects only (R-70)."""
    from_date: datetime | None = None
    to_date: datetime | None = None
    """A window for a backfill, on the date that Ramp filters this type by."""
    requested: bool = False
    """Only what the sync button asked for (R-83)."""


def standing_of(sync_status: str) -> Standing:
    """What the sync status of all types but bills says."""
    match sync_status:
        case "SYNC_READY":
            return Standing.READY
        case "NOT_SYNC_READY":
            return Standing.NOT_READY
        case "SYNCED":
            return Standing.SYNCED
        case _:
            return Standing.UNKNOWN


def unknown_status(one: Any) -> str:
    """The word that nobody knows, for who must look at it."""
    return UnknownValue("sync status", one.sync_status).title


def _is_listed(_ramp: RampClient, _one: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Kind:
    """One type of item: how Ramp lists it, when it is ready, how it is reported."""

    object_type: str
    phase: int
    sync_type: str
    """Of `POST /accounting/syncs`; empty where Ramp keeps no sync state (vendor credits)."""
    model: type[Schema]
    ready: Callable[[RampClient, Scope], Iterator[Page[Any]]]
    """The pages of what is ready. What stands on them is asked `standing` again (gotcha 18)."""
    synced_since: Callable[[RampClient, datetime], Iterator[Page[Any]]]
    """The pages of what was synced since, by anybody; a superset where Ramp filters less."""
    body: Callable[[RampClient, UUID], bytes]
    """One object as it came, for storing. Raises `NotFound` if Ramp no longer has it."""
    standing: Callable[[Any], Standing]
    snapshot: Callable[[Any], Snapshot]
    standing_by_word: Callable[[str], Standing] = standing_of
    """Where an object stands of which its sync status is all that can be read (fault P10)."""
    unknown_words: Callable[[Any], str] = unknown_status
    """What Ramp says of an object whose standing is UNKNOWN."""
    is_listed: Callable[[RampClient, Any], bool] = _is_listed
    """Asks the list whether an object read by its id is ready, where it does not say so itself."""
    overlap: timedelta | None = None
    """Where Ramp keeps no sync state: how far a list reaches back before the last reading. Such a
    list has only what is new; that of the other kinds has all that is ready."""


def digest(one: Schema, include: set[str] | Mapping[str, Any]) -> str:
    """The content hash over these keys of an object."""
    made_from = one.model_dump(mode="json", include=include)
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()


def day_of(one: One, posting_date: Callable[[One], date]) -> date | None:
    """The day of an object's document, if it has one yet."""
    try:
        return posting_date(one)
    except NoAccountingDate:
        return None
