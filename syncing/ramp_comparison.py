"""Compare what Ramp has as synced with what we have (R-65, faults K10 and X22)."""

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db import transaction

from connections.erp.records import DocKind, Document
from connections.mappings import MappingSet, MissingMapping
from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from rampbridge.lib.money import Money
from syncing import findings, intake, snapshots
from syncing.cannot_post import CannotPost
from syncing.kinds import LISTS, Kind, Snapshot, Standing
from syncing.models import ItemPayload, SyncItem
from syncing.polling import OF_ONE_LIST
from syncing.posting import document_for

MOST_READ_AGAIN = 50
"""Objects whose content is another than was posted, read one by one in one comparison."""
_CAN_LEAVE = {"READY", "FAILED", "WITHDRAWN"}


@dataclass(frozen=True, slots=True)
class _Ours:
    id: int
    state: str
    content_hash: str
    money: Money


@dataclass(slots=True)
class RampComparison:
    """One comparison of one connection with Ramp. `found` counts items by kind of finding."""

    connection: Connection
    ramp: RampClient
    mappings: MappingSet
    since: datetime
    objects: int = 0
    found: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    unread: list[errors.RampError] = field(default_factory=list)
    _read_again: int = 0

    def run(self) -> None:
        """Go through everything that was synced since, by anybody; `unread` says why a list cannot
        be read, which keeps no other from being compared.

        :raises RampError: if Ramp cannot be read at all; what was found until then stays
        """
        for name in self.connection.object_types:
            for kind in LISTS[name]:
                if not kind.sync_type:
                    continue  # Ramp does not know what is synced of these
                try:
                    self._read(kind)
                except OF_ONE_LIST as error:
                    self.unread.append(error)

    def _read(self, kind: Kind) -> None:
        for page in kind.synced_since(self.ramp, self.since):
            intake.keep_card_payments(self.connection, page.items)
            self._compare(kind, page)

    def _compare(self, kind: Kind, page: Page[Any]) -> None:
        synced = {
            snapshot.ramp_id: (one, snapshot)
            for one in page.items
            if kind.standing(one) is Standing.SYNCED
            for snapshot in (kind.snapshot(one),)
        }
        self.objects += len(synced)
        ours = self._ours(kind, list(synced))
        self._take_in_strangers(kind, page, synced, ours)
        outside = [ramp_id for ramp_id, item in ours.items() if item.state in _CAN_LEAVE]
        if outside:
            self.found["synced_outside"] += findings.synced_outside(
                self.connection.pk, kind.object_type, outside
            )
        self._compare_reported(kind, synced, ours)

    def _ours(self, kind: Kind, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, _Ours]:
        found = SyncItem.objects.filter(
            connection=self.connection,
            object_type=kind.object_type,
            phase=kind.phase,
            ramp_id__in=ids,
        ).values_list(
            "ramp_id", "id", "state", "content_hash", "amount_minor", "currency", "exponent"
        )
        return {
            ramp_id: _Ours(id_, state, content_hash, Money(minor, currency, exponent))
            for ramp_id, id_, state, content_hash, minor, currency, exponent in found
        }

    def _take_in_strangers(
        self,
        kind: Kind,
        page: Page[Any],
        synced: Mapping[uuid.UUID, tuple[Any, Snapshot]],
        ours: Mapping[uuid.UUID, _Ours],
    ) -> None:
        """Objects that were synced since we are connected, and that we have never heard of."""
        strangers = [
            snapshot
            for ramp_id, (one, snapshot) in synced.items()
            if ramp_id not in ours and self._is_of_our_time(one, snapshot)
        ]
        if strangers:
            self.found["synced_outside"] += self._store(kind, page, strangers)

    @transaction.atomic
    def _store(self, kind: Kind, page: Page[Any], strangers: Sequence[Snapshot]) -> int:
        """As EXTERNAL from the first moment that anybody else can see them."""
        snapshots.store_page(
            self.connection,
            page.storable,
            [(kind, one) for one in strangers],
            listed_at=self.since,
            arrived_by=SyncItem.Arrival.RECONCILE,
        )
        return findings.synced_outside(
            self.connection.pk, kind.object_type, [one.ramp_id for one in strangers]
        )

    def _is_of_our_time(self, one: Any, snapshot: Snapshot) -> bool:
        """What the customer's last integration has synced is none of our business."""
        synced_at: datetime | None = getattr(one, "synced_at", None)
        if synced_at is not None:
            return synced_at >= self.connection.created_at
        day = snapshot.accounting_date
        return day is not None and day >= self.connection.created_at.date()

    def _compare_reported(
        self,
        kind: Kind,
        synced: Mapping[uuid.UUID, tuple[Any, Snapshot]],
        ours: Mapping[uuid.UUID, _Ours],
    ) -> None:
        wrong: dict[int, str] = {}
        seen: dict[int, str] = {}
        for ramp_id, item in ours.items():
            snapshot = synced[ramp_id][1]
            seen[item.id] = f"Content {snapshot.content_hash[:16]}."
            if item.state != "ACKED" or not item.content_hash:
                continue
            if snapshot.money != item.money:
                wrong[item.id] = (
                    f"It was posted over {item.money}, and is {snapshot.money} in Ramp now."
                )
            elif snapshot.content_hash != item.content_hash and self._books_otherwise(
                kind, item, ramp_id
            ):
                wrong[item.id] = "Its coding was changed in Ramp after it was posted."
        if wrong:
            changed = findings.disagree(wrong, code=findings.CHANGED_IN_RAMP, seen=seen)
            self.found["changed_in_ramp"] += len(changed)

    def _books_otherwise(self, kind: Kind, item: _Ours, ramp_id: uuid.UUID) -> bool:
        """Whether the object would make another document today: wording alone makes none."""
        frozen = ItemPayload.objects.values_list("document", flat=True).get(pk=item.id)
        if frozen is None or self._read_again >= MOST_READ_AGAIN:
            return False
        self._read_again += 1
        booked = Document.from_json(frozen)
        try:
            now = document_for(
                kind.object_type,
                kind.body(self.ramp, ramp_id).decode(),
                mappings=self.mappings,
                tenant=str(self.connection.ramp_business_id),
                bill_is_ours=any(line.applies_to for line in booked.lines),
            )
        except errors.NotFound:
            return False
        except (CannotPost, MissingMapping):
            return True
        if booked.kind is DocKind.BILL_PAYMENT and now.kind is DocKind.JOURNAL:
            return False  # the card has settled a bill: no coding of it is booked (F-07)
        if booked.number.startswith(now.number):  # made unique when it was posted (gotcha 10)
            now = replace(now, number=booked.number)
        return booked.fingerprint != now.fingerprint
