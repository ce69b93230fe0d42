"""What a customer's people see in Ramp just now: the exact text of each error, and whether Ramp has
it (P-10)."""

import uuid
from dataclasses import dataclass

from django.db.models import Q

from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page
from syncing.models import AckBatch, SyncItem
from syncing.queries.words import Look, type_label

PAGE_SIZE = 50
_TELLING = SyncItem.Telling

SHOWN = Look("Shown in Ramp", "done", "circle-check", "Ramp has accepted the text.")
ON_ITS_WAY = Look("On its way", "work", "send", "It is being sent; Ramp shows the item as ready.")
NOT_TAKEN = Look(
    "Not taken", "person", "octagon-alert", "Ramp did not accept the report, so nobody sees it."
)


@dataclass(frozen=True, slots=True)
class Shown:
    """One error as the customer sees it."""

    item: SyncItem

    @property
    def look(self) -> Look:
        batch = self.item.failure_batch
        if self.item.failure_telling == _TELLING.TOLD:
            return SHOWN
        if batch is not None and batch.state == AckBatch.State.REJECTED:
            return NOT_TAKEN
        return ON_ITS_WAY

    @property
    def type_label(self) -> str:
        return type_label(self.item.object_type)


def shown(connection_id: uuid.UUID, *, after: Cursor | None) -> KeysetPage[SyncItem]:
    """A page of the failed items that Ramp was told of, or is to be, the oldest first."""
    told = SyncItem.objects.filter(
        ~Q(failure_telling=_TELLING.NOTHING), connection_id=connection_id, state="FAILED"
    ).select_related("failure_batch")
    return keyset_page(told, field="ready_at", after=after, size=PAGE_SIZE, newest_first=False)
