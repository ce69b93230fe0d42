"""The files of an item: receipts and invoices on their way to the ERP's document."""

from collections.abc import Mapping
from dataclasses import dataclass

from syncing.models import Attachment, SyncItem
from syncing.queries.words import Look
from syncing.states import ItemState

State = Attachment.State

_LOOKS: Mapping[str, Look] = {
    State.DUE: Look("Queued", "neutral", "clock"),
    State.SENDING: Look("Being attached", "work", "send"),
    State.ATTACHED: Look("Attached", "done", "circle-check"),
    State.FAILED: Look("Not attached", "customer", "circle-slash"),
    State.SKIPPED: Look("Put aside", "neutral", "circle-slash"),
}
_RETRYING = Look("Retrying", "retry", "rotate-ccw")
_UNKNOWN = Look("Unknown", "person", "circle-help")
_WAITS = Look("Waits for its document", "neutral", "hourglass")
_UNSETTLED = frozenset({ItemState.MISMATCH, ItemState.REVIEW, ItemState.POSTING})
"""States in which nobody knows whether the document stands: what becomes of it comes first."""


@dataclass(frozen=True, slots=True)
class FileRow:
    """One file, with how it stands."""

    file: Attachment
    noun: str
    waits: bool = False
    """Until it is settled what the ERP holds of its item."""

    @property
    def name(self) -> str:
        return self.file.name or self.noun

    @property
    def look(self) -> Look:
        if self.file.state == State.DUE and self.waits:
            return _WAITS
        if self.file.state == State.DUE and self.file.error_title:
            return _RETRYING
        return _LOOKS.get(self.file.state, _UNKNOWN)

    @property
    def can_retry(self) -> bool:
        """Whether a person can bring it forward: it was given up, put aside, or waits."""
        state = self.file.state
        return state in (State.FAILED, State.SKIPPED) or (
            state == State.DUE and bool(self.file.error_title) and not self.waits
        )


def files_of(item: SyncItem) -> list[FileRow]:
    """The files of an item, as they came; one query. A wish to look for more is no file."""
    noun = "Invoice" if item.object_type == SyncItem.ObjectType.BILL else "Receipt"
    found = item.attachments.exclude(source="").order_by("created_at", "pk")
    waits = item.state in _UNSETTLED
    return [FileRow(file, noun, waits) for file in found]
