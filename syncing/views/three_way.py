"""The three-way box: what Ramp says of an item, what we say, what the ERP says."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rampbridge.lib.money import Money
from syncing import findings
from syncing.models import SyncItem
from syncing.queries.items import ItemRow
from syncing.states import ItemState
from syncing.views.booked import BookedDocument
from syncing.views.ramp_object import RampObject, spoken

_RAMP_STATUS = {
    "NOT_SYNC_READY": "Not ready",
    "SYNC_READY": "Ready to sync",
    "SYNCED": "Synced",
    "NOT_SYNCED": "Not synced yet",
    "BILL_SYNCED": "Bill synced",
    "BILL_AND_PAYMENT_SYNCED": "Bill and payment synced",
}
_SILENT = SyncItem.ObjectType.VENDOR_CREDIT
"""Ramp keeps no sync state of these."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one of the three says about a thing, and how it is written."""

    value: Any = None
    text: str = ""
    note: str = ""
    seen_at: datetime | None = None
    """When it was read back, where that is why we know."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One question, three answers."""

    label: str
    kind: str  # money, date, time or text: how the template writes the values
    ramp: Claim
    us: Claim
    erp: Claim
    compare: bool = True
    disagrees: bool = False
    """A difference was found, whatever values are known here."""

    @property
    def differs(self) -> bool:
        """Two who both know disagree."""
        if self.disagrees:
            return True
        if not self.compare:
            return False
        known = [claim.value for claim in (self.ramp, self.us, self.erp) if claim.value is not None]
        return any(value != known[0] for value in known)


def compare(
    row: ItemRow,
    ramp: RampObject,
    document: BookedDocument | None,
    agreed_at: datetime | None,
) -> list[Comparison]:
    """The questions that somebody asks who doubts.

    :param agreed_at: when the ERP was last seen to hold the document over the item's amount
    """
    item = row.item
    return [
        Comparison(
            "Status",
            "text",
            ramp=_ramp_status(item, ramp),
            us=Claim(text=row.look.label),
            erp=_erp_status(item, document),
            compare=False,
            disagrees=is_booked_otherwise(item),
        ),
        Comparison(
            "Amount",
            "money",
            ramp=Claim(ramp.amount),
            us=Claim(item.money),
            erp=_in_erp(item, _signed(item, document.total) if document else None, agreed_at),
        ),
        Comparison(
            "Accounting date",
            "date",
            ramp=Claim(item.accounting_date),
            us=Claim(document.posting_date if document else item.accounting_date),
            erp=_in_erp(item, document.posting_date if document else None, None),
        ),
        Comparison(
            "Document number",
            "text",
            ramp=_number_in_ramp(item),
            us=_number(item.erp_number),
            erp=_number(item.erp_number, seen_at=agreed_at),
        ),
        Comparison(
            "As of",
            "time",
            ramp=Claim(item.acked_at or item.snapshot_at),
            us=Claim(item.state_at),
            erp=Claim(agreed_at or item.posted_at),
            compare=False,
        ),
    ]


@dataclass(frozen=True, slots=True)
class Sum:
    """One of the amounts that ought to be the same."""

    label: str
    money: Money
    differs: bool = False


def amounts(
    item: SyncItem,
    ramp: RampObject,
    document: BookedDocument | None,
    agreed_at: datetime | None,
) -> list[Sum]:
    """Header, lines, document and the ERP, each held against the item's own amount."""
    known = [line.money for line in ramp.lines if line.money is not None]
    same = [money for money in known if money.currency == item.currency]
    found: list[tuple[str, Money | None]] = [("Header in Ramp", ramp.amount)]
    if known and len(same) == len(ramp.lines):
        total = sum(same, Money.zero(item.currency, item.exponent))
        found.append((f"{len(same)} line{'s' if len(same) > 1 else ''} in Ramp", total))
    if document:
        found.append(("Document", _signed(item, document.total)))
    if agreed_at:
        found.append((f"{item.connection.erp_name}, read back", item.money))
    return [Sum(label, money, money != item.money) for label, money in found if money is not None]


def is_booked_otherwise(item: SyncItem) -> bool:
    """Whether the ERP was seen to hold something else than we sent."""
    return item.state == ItemState.MISMATCH and item.error_code == findings.BOOKED_OTHERWISE


def _in_erp(item: SyncItem, value: Any, agreed_at: datetime | None) -> Claim:
    """What the ERP holds: seen there, or else what it must hold by what it accepted."""
    if not item.erp_id or value is None or is_booked_otherwise(item):
        return Claim()
    if agreed_at:
        return Claim(value, seen_at=agreed_at)
    return Claim(value, note="as sent")


def _signed(item: SyncItem, total: Money) -> Money:
    """A document has no sign, so it takes the item's."""
    return -total if item.amount_minor < 0 else total


def _number(number: str, *, seen_at: datetime | None = None) -> Claim:
    return Claim(number or None, number, seen_at=seen_at if number else None)


def _number_in_ramp(item: SyncItem) -> Claim:
    if item.object_type == _SILENT:
        return Claim(text="Keeps none")
    return _number(item.erp_number if item.acked_at else "")


def _ramp_status(item: SyncItem, ramp: RampObject) -> Claim:
    if item.object_type == _SILENT:
        return Claim(text="No sync state", note="Ramp keeps none of vendor credits")
    if item.acked_at:
        return Claim(text="Synced", note="it confirmed our report")
    text = _RAMP_STATUS.get(ramp.sync_status) or spoken(ramp.sync_status) or "Not read yet"
    if item.failure_telling == SyncItem.Telling.TOLD:
        return Claim(text=text, note="shows our error text")
    return Claim(text=text, note=ramp.status.lower())


def _erp_status(item: SyncItem, document: BookedDocument | None) -> Claim:
    if is_booked_otherwise(item):
        return Claim(text="Not as we booked it", note="found by the comparison")
    if item.erp_id and document is None:
        return Claim(text="Settled", note="by a document that is there already")
    if item.erp_id:
        return Claim(text="Booked")
    if item.state == ItemState.POSTING:
        return Claim(text="Not known", note="sent, no answer yet")
    if item.state == ItemState.REVIEW:
        return Claim(text="Not known", note="it cannot be asked")
    return Claim(text="No document")
