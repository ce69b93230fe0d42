"""Vendors, their links and their open questions, in words."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from connections.models import RampVendor, Vendor, VendorChange, VendorLink
from connections.vendor_book.candidates import Candidate
from connections.vendor_book.evidence import Strength
from connections.vendor_book.links import Pair
from connections.vendor_book.queries import spend_of
from rampbridge.lib.money import Money
from syncing.queries.words import Look

LINKED = Look("Linked", "done", "link")
UNLINKED = Look("Not linked", "customer", "unplug")
TO_BE_LINKED = Look("To be linked", "work", "send")
WAITS_FOR_UPLOAD = Look("Waits for upload", "neutral", "hourglass")
REFUSED = Look("Refused", "person", "octagon-alert")

ACTIVE = Look("Active", "done", "circle-check")
INACTIVE = Look("Inactive", "neutral", "circle-slash")
MERGED = Look("Merged", "neutral", "route")
GONE = Look("Not in the ERP any more", "neutral", "circle-slash")

_STRENGTHS = {
    Strength.STRONG: Look("Strong", "done", "badge-check"),
    Strength.LIKELY: Look("Likely", "work", "scale"),
    Strength.WEAK: Look("Possible", "neutral", "circle-help"),
}
_CHANGES = {
    VendorChange.State.FOUND: Look("To be checked", "person", "shield-alert"),
    VendorChange.State.CHECKED: Look("Waits for a second person", "customer", "users"),
    VendorChange.State.ACCEPTED: Look("Accepted", "done", "circle-check"),
    VendorChange.State.REJECTED: Look("Rejected", "neutral", "ban"),
}


def look_of_strength(strength: Strength) -> Look:
    return _STRENGTHS[strength]


def look_of_change(change: VendorChange) -> Look:
    return _CHANGES[VendorChange.State(change.state)]


def look_of_vendor(vendor: Vendor) -> Look:
    """Whether the ERP still posts to it."""
    if vendor.merged_into:
        return MERGED
    if vendor.gone_at is not None:
        return GONE
    return ACTIVE if vendor.is_active else INACTIVE


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A vendor of the ERP that one of Ramp's may be."""

    candidate: Candidate
    pair: Pair

    @property
    def look(self) -> Look:
        return look_of_strength(self.candidate.match.strength)

    @property
    def words(self) -> str:
        return self.candidate.match.words


@dataclass(frozen=True, slots=True)
class UnlinkedRow:
    """A vendor of Ramp that leads nowhere yet."""

    vendor: RampVendor
    suggestions: Sequence[Suggestion]
    link: VendorLink | None
    """The wish that stands, if there is one."""
    is_picked: bool = False
    batch: uuid.UUID = field(default_factory=uuid.uuid4)
    """What its link is confirmed under, however often the button is pressed."""

    @property
    def best(self) -> Suggestion | None:
        return self.suggestions[0] if self.suggestions else None

    @property
    def spend(self) -> Money | None:
        return spend_of(self.vendor)

    @property
    def look(self) -> Look:
        return TO_BE_LINKED if self.link else UNLINKED


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link that was confirmed, and what came of it."""

    link: VendorLink
    erp: Vendor | None

    @property
    def erp_name(self) -> str:
        return self.erp.name if self.erp else self.link.erp_id

    @property
    def look(self) -> Look:
        match self.link.state:
            case VendorLink.State.DONE:
                return LINKED
            case VendorLink.State.REFUSED:
                return REFUSED
            case _:
                return TO_BE_LINKED if self.erp and self.erp.ramp_id else WAITS_FOR_UPLOAD

    @property
    def words(self) -> str:
        """What is in the way, or what it waits for."""
        if self.link.refusal:
            return self.link.refusal
        if self.look is WAITS_FOR_UPLOAD:
            return "Ramp does not have this vendor of the ERP yet. It is linked after the upload."
        return ""


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """A change of a vendor's details, and what the reader may do about it."""

    change: VendorChange
    vendor: Vendor | None
    is_mine: bool
    """Whether the reader has checked it, so that somebody else must accept it."""

    @property
    def look(self) -> Look:
        return look_of_change(self.change)

    @property
    def name(self) -> str:
        return self.vendor.name if self.vendor else self.change.vendor_erp_id

    @property
    def is_bank(self) -> bool:
        return self.change.field == "bank"

    @property
    def is_open(self) -> bool:
        return self.change.state in ("found", "checked")

    @property
    def may_check(self) -> bool:
        return self.is_bank and self.change.state == "found"

    @property
    def may_accept(self) -> bool:
        if self.is_bank:
            return self.change.state == "checked" and not self.is_mine
        return self.change.state == "found"
