"""What the engine must know of a type of object, in one form for all types."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.schemas import Schema
from rampbridge.lib.money import Money


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
