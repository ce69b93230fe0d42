"""The words people read for an item's state, whose move each is, and the rows behind each word.

Ten states are what the engine must tell apart; nine words are what a person can act on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Q

from syncing.classifier import ErrorCategory
from syncing.models import ItemEvent, SyncItem
from syncing.states import ItemState


class Word(StrEnum):
    """A word on screen, as it stands in URLs."""

    NEEDS_PERSON = "needs-a-person"
    UNCERTAIN = "uncertain"
    CUSTOMER = "waiting-for-customer"
    RETRYING = "retrying"
    QUEUED = "queued"
    WORKING = "working"
    DONE = "done"
    OUTSIDE = "handled-outside"
    WITHDRAWN = "withdrawn"


OPEN_WORDS = (
    Word.NEEDS_PERSON,
    Word.UNCERTAIN,
    Word.CUSTOMER,
    Word.RETRYING,
    Word.QUEUED,
    Word.WORKING,
)


class Party(StrEnum):
    """Who has to move."""

    US = "us"
    CUSTOMER = "customer"
    ERP = "erp"
    RAMP = "ramp"
    NOBODY = "nobody"


PARTY_LABELS: Mapping[Party, str] = {
    Party.US: "Our move",
    Party.CUSTOMER: "Customer's move",
    Party.ERP: "Waits for the ERP",
    Party.RAMP: "Waits for Ramp",
    Party.NOBODY: "Nobody's move",
}


@dataclass(frozen=True, slots=True)
class Look:
    """How a status is shown: icon, word and tone together."""

    label: str
    tone: str
    icon: str
    meaning: str = ""


LOOKS: Mapping[Word, Look] = {
    Word.NEEDS_PERSON: Look(
        "Needs a person", "person", "octagon-alert", "We must act; the customer was told so."
    ),
    Word.UNCERTAIN: Look(
        "Uncertain",
        "uncertain",
        "circle-help",
        "Sent, but no answer: we find out before we resend.",
    ),
    Word.CUSTOMER: Look(
        "Waiting for customer", "customer", "hand", "Ramp shows the customer what to fix."
    ),
    Word.RETRYING: Look(
        "Retrying", "retry", "rotate-ccw", "Time should fix it; the next try is planned."
    ),
    Word.QUEUED: Look("Queued", "neutral", "clock", "Ready in Ramp, nothing sent yet."),
    Word.WORKING: Look(
        "Working", "work", "send", "On its way into the ERP, or its number back to Ramp."
    ),
    Word.DONE: Look("Done", "done", "circle-check", "In the ERP, and Ramp has its number."),
    Word.OUTSIDE: Look(
        "Handled outside", "neutral", "external-link", "Synced in Ramp, but not by us."
    ),
    Word.WITHDRAWN: Look(
        "Withdrawn", "neutral", "undo-2", "Taken back in Ramp before we sent anything."
    ),
}

_S = ItemState


def word_of(state: str, error_category: str) -> Word:
    """The word for a state and category; a document past its lease is judged by `word_for`."""
    match state:
        case _S.READY:
            return Word.RETRYING if error_category else Word.QUEUED
        case _S.FAILED:
            return _FAILED_WORDS.get(error_category, Word.NEEDS_PERSON)
        case _S.POSTING | _S.POSTED | _S.ACKING:
            return Word.WORKING
        case _S.REVIEW:
            return Word.UNCERTAIN
        case _S.MISMATCH:
            return Word.NEEDS_PERSON
        case _S.ACKED:
            return Word.DONE
        case _S.EXTERNAL:
            return Word.OUTSIDE
        case _S.WITHDRAWN:
            return Word.WITHDRAWN
        case _:  # newer code, at work beside us during a deployment, may know more states
            return Word.NEEDS_PERSON


_FAILED_WORDS: Mapping[str, Word] = {
    ErrorCategory.USER_ACTIONABLE: Word.CUSTOMER,
    ErrorCategory.TRANSIENT: Word.RETRYING,
}


def word_for(item: SyncItem, now: datetime) -> Word:
    """The word for one item at a moment: without an answer past its lease it is uncertain."""
    if item.state == _S.POSTING and item.lease_until is not None and item.lease_until < now:
        return Word.UNCERTAIN
    return word_of(item.state, item.error_category)


def party_of(word: Word, state: str) -> Party:
    """Whose move an item in this word and state is."""
    match word:
        case Word.NEEDS_PERSON | Word.UNCERTAIN | Word.QUEUED:
            return Party.US
        case Word.CUSTOMER:
            return Party.CUSTOMER
        case Word.RETRYING:
            return Party.ERP
        case Word.WORKING:
            return Party.ERP if state == _S.POSTING else Party.RAMP
        case Word.DONE | Word.OUTSIDE | Word.WITHDRAWN:
            return Party.NOBODY


def rows_for(word: Word, now: datetime) -> Q:
    """The rows behind a word: every list counts exactly what its link said."""
    lapsed = Q(state=_S.POSTING, lease_until__lt=now)
    match word:
        case Word.NEEDS_PERSON:
            return Q(state=_S.MISMATCH) | Q(state=_S.FAILED) & ~Q(
                error_category__in=list(_FAILED_WORDS)
            )
        case Word.UNCERTAIN:
            return Q(state=_S.REVIEW) | lapsed
        case Word.CUSTOMER:
            return Q(state=_S.FAILED, error_category=ErrorCategory.USER_ACTIONABLE)
        case Word.RETRYING:
            return Q(state=_S.READY) & ~Q(error_category="") | Q(
                state=_S.FAILED, error_category=ErrorCategory.TRANSIENT
            )
        case Word.QUEUED:
            return Q(state=_S.READY, error_category="")
        case Word.WORKING:
            return Q(state__in=[_S.POSTED, _S.ACKING]) | Q(state=_S.POSTING) & ~lapsed
        case Word.DONE:
            return Q(state=_S.ACKED)
        case Word.OUTSIDE:
            return Q(state=_S.EXTERNAL)
        case Word.WITHDRAWN:
            return Q(state=_S.WITHDRAWN)


def rows_of(party: Party, now: datetime) -> Q:
    """The rows whose move it is this party's, by the same rules as `party_of`."""
    lapsed = Q(state=_S.POSTING, lease_until__lt=now)
    match party:
        case Party.US:
            return (
                rows_for(Word.NEEDS_PERSON, now)
                | rows_for(Word.UNCERTAIN, now)
                | rows_for(Word.QUEUED, now)
            )
        case Party.CUSTOMER:
            return rows_for(Word.CUSTOMER, now)
        case Party.ERP:
            return rows_for(Word.RETRYING, now) | Q(state=_S.POSTING) & ~lapsed
        case Party.RAMP:
            return Q(state__in=[_S.POSTED, _S.ACKING])
        case Party.NOBODY:
            return Q(state__in=[_S.ACKED, _S.EXTERNAL, _S.WITHDRAWN])


def type_label(object_type: str) -> str:
    """What people call a type of object; a type we do not know keeps its name, made readable."""
    if object_type in SyncItem.ObjectType.values:
        return str(SyncItem.ObjectType(object_type).label)
    return _readable(object_type)


def event_title(kind: str, object_type: str) -> str:
    """The title of a line of the timeline. What a bill comes with is an invoice, no receipt."""
    if kind not in ItemEvent.Kind.values:
        return _readable(kind)
    label = str(ItemEvent.Kind(kind).label)
    if object_type == SyncItem.ObjectType.BILL:
        return label.replace("Receipt", "Invoice")
    return label


def _readable(name: str) -> str:
    return name.replace("_", " ").capitalize()


# Word for word the condition of the index `item_open_by_age`.
OPEN = ~Q(state__in=[_S.ACKED, _S.EXTERNAL, _S.WITHDRAWN])
