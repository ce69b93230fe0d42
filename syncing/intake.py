"""Take in a page of one of Ramp's lists: items, what is put aside, and which cards pay bills.

Every trigger comes through here: polls, webhooks, the sync button, backfills, reconciliation.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.models import Connection
from connections.ramp.pages import Malformed, Page
from connections.ramp.schemas import decode
from connections.ramp.spend import Bill
from syncing import card_bills, snapshots
from syncing.decisions import CARD_METHODS
from syncing.kinds import LISTS, Kind, Standing
from syncing.models import SyncItem
from syncing.quarantine import Odd, quarantine
from syncing.snapshots import Stored


def take_in(
    connection: Connection,
    list_name: str,
    page: Page[Any],
    *,
    listed_at: datetime,
    arrived_by: str = SyncItem.Arrival.POLL,
    announced: Mapping[str, datetime] | None = None,
) -> Stored:
    """Keep what a page says is ready to sync, of each phase, and nothing else of it.

    Ramp ignores query keys it does not know and then lists everything, so each object is asked
    where it stands (gotcha 18). Of a bill read by its id, ask `Kind.is_listed` before.

    :param list_name: as `Connection.object_types` names it
    :param listed_at: when the list was begun, by the database's clock
    :param announced: by object type, since when a webhook should have told of what became ready
    """
    kinds = LISTS[list_name]
    standing = [(kind, one, kind.standing(one)) for one in page.items for kind in kinds]
    by_card = _card_payments(page.items)
    # Who dies in between has let the bill through, and its card is an expense beside it.
    with transaction.atomic() if by_card else nullcontext():
        stored = snapshots.store_page(
            connection,
            page.storable,
            [(kind, kind.snapshot(one)) for kind, one, is_ in standing if is_ is Standing.READY],
            listed_at=listed_at,
            arrived_by=arrived_by,
            announced=announced,
        )
        card_bills.keep_links(connection.pk, by_card)
    unknown = [(kind, one) for kind, one, found in standing if found is Standing.UNKNOWN]
    for kind, odd in [*_unknown(unknown, page), *_unreadable(kinds, page.malformed)]:
        quarantine(connection, kind, odd, listed_at=listed_at, arrived_by=arrived_by)
    return stored


def standing_of_malformed(kind: Kind, malformed: Malformed) -> Standing:
    """Where an object stands of which little can be read: what it says itself, in one word."""
    raw = malformed.raw if isinstance(malformed.raw, dict) else {}
    return kind.standing_by_word(str(raw.get("sync_status") or ""))


def _unknown(found: Sequence[tuple[Kind, Any]], page: Page[Any]) -> Iterator[tuple[Kind, Odd]]:
    if not found:
        return
    document = decode(page.raw)
    raw = {str(row.get("id", "")).lower(): row for row in document["data"] if isinstance(row, dict)}
    for kind, one in found:
        yield kind, Odd.unknown(kind, one, raw.get(str(one.id)))


def _unreadable(
    kinds: Sequence[Kind], malformed: Sequence[Malformed]
) -> Iterator[tuple[Kind, Odd]]:
    for one in malformed:
        for kind in kinds:
            if standing_of_malformed(kind, one) in (Standing.READY, Standing.UNKNOWN):
                yield kind, Odd.unreadable(one)


def keep_card_payments(connection: Connection, objects: Sequence[Any]) -> None:
    """Which card transactions pay which bills, so that no expense is booked twice (F-07)."""
    card_bills.keep_links(connection.pk, _card_payments(objects))


def _card_payments(objects: Sequence[Any]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Ids of transactions, and of the bills that they pay."""
    return [
        (transaction_id, one.id)
        for one in objects
        if isinstance(one, Bill) and one.payment and one.payment.payment_method in CARD_METHODS
        for transaction_id in _ids(
            one.payment.details.transaction_ids if one.payment.details else ()
        )
    ]


def _ids(texts: Sequence[str]) -> Iterator[uuid.UUID]:
    """Those that are ids; a word in between says nothing of the others."""
    for text in texts:
        try:
            yield uuid.UUID(text)
        except ValueError:
            continue
