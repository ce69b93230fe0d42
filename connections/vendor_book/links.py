"""Wishes that vendors of Ramp be linked to vendors of the ERP (R-34): one, or many at once.

A wish is a row. What cannot be wished is a row too, refused and with the reason, so that whoever
confirmed twenty-three links finds twenty-three outcomes.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import cached_property

from connections import audit
from connections.models import Connection, RampVendor, Vendor, VendorLink
from connections.vendor_book.candidates import MOST_AT_ONCE, face_of
from connections.vendor_book.evidence import Face, compare

State = VendorLink.State


class TooMany(Exception):
    """More were chosen than one confirmation takes. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Pair:
    """One vendor of Ramp, by our key, and the ERP's id of what it is to be linked to."""

    ramp_vendor: int
    erp_id: str

    def __str__(self) -> str:
        return f"{self.ramp_vendor}:{self.erp_id}"

    @classmethod
    def parse(cls, text: str) -> "Pair | None":
        """Read what `str` wrote; None for anything else."""
        key, separator, erp_id = text.partition(":")
        if not (separator and erp_id and key.isdecimal() and len(key) < 19):
            return None
        return cls(int(key), erp_id[:100])


@dataclass(frozen=True)
class Proposal:
    """A link as somebody sees it before confirming: both sides, and what speaks for it."""

    pair: Pair
    ramp: RampVendor | None
    erp: Vendor | None

    @cached_property
    def evidence(self) -> str:
        """What speaks for it; nothing if only a person says so."""
        if self.ramp is None or self.erp is None:
            return ""
        match = compare(face_of(self.ramp), face_of_erp(self.erp))
        return match.words if match else ""

    @property
    def waits_for_upload(self) -> bool:
        """Whether Ramp has to be given the ERP's vendor first."""
        return self.erp is not None and self.erp.ramp_id is None

    @property
    def obstacle(self) -> str:
        """Why it cannot be made now, and what to do; nothing if it can."""
        if self.ramp is None or not self.ramp.is_active:
            return "Ramp no longer has this vendor. Nothing to do."
        if self.erp is None:
            return "The ERP has no vendor with this id. Choose another one."
        if self.erp.merged_into:
            return "It was merged into another vendor in the ERP. Choose that one."
        if not self.erp.is_active or self.erp.gone_at is not None:
            return "It is inactive in the ERP. Activate it there, or choose another one."
        if self.ramp.linked_erp_id == self.pair.erp_id:
            return "The two are linked already. Nothing to do."
        return ""


def proposals(connection: Connection, pairs: Sequence[Pair]) -> list[Proposal]:
    """Both sides of each pair, in their order. Two queries."""
    ramp = RampVendor.objects.filter(
        connection=connection, pk__in={pair.ramp_vendor for pair in pairs}
    ).in_bulk()
    found = Vendor.objects.filter(connection=connection, erp_id__in={one.erp_id for one in pairs})
    erp = {vendor.erp_id: vendor for vendor in found}
    return [Proposal(pair, ramp.get(pair.ramp_vendor), erp.get(pair.erp_id)) for pair in pairs]


@transaction.atomic
def want_links(
    connection: Connection, pairs: Sequence[Pair], *, actor: str, batch: uuid.UUID
) -> int:
    """Write down that the pairs be linked; a refused one with the reason. Returns the wishes.

    The same batch again changes nothing. A vendor whose link is wished already is linked to what
    was wished last. Ring `link_vendors` after the commit.

    :raises TooMany: if there are more than five hundred
    """
    if len(pairs) > MOST_AT_ONCE:
        raise TooMany(f"{len(pairs)} links at once are too many. Choose {MOST_AT_ONCE} at most.")
    by_vendor = {pair.ramp_vendor: pair for pair in pairs}
    # Whoever confirms the same again, or wishes otherwise for one of them, waits until we are done.
    keys = sorted(by_vendor)
    locked = RampVendor.objects.filter(connection=connection, pk__in=keys).order_by("pk")
    list(locked.select_for_update().values_list("pk", flat=True))
    if VendorLink.objects.filter(batch=batch).exists():
        return 0
    proposed = [one for one in proposals(connection, list(by_vendor.values())) if one.ramp]
    _withdraw(connection, [one.pair.ramp_vendor for one in proposed if not one.obstacle], actor)
    made = VendorLink.objects.bulk_create(_row(connection, one, actor, batch) for one in proposed)
    wanted = sum(link.state == State.WANTED for link in made)
    audit.record(
        actor,
        "vendors.link",
        f"Linked {wanted} of {len(pairs)} chosen vendors of Ramp to vendors of the ERP.",
        connection_id=connection.pk,
        subject="links",
        subject_id=batch,
    )
    return wanted


def want_heirs(connection: Connection, heirs: Mapping[int, str], *, why: str) -> int:
    """Wish that vendors of Ramp follow a merger in the ERP; only where nobody has wished before.

    :param heirs: the heir's ERP id by our key of the vendor
    """
    asked = VendorLink.objects.filter(connection=connection, ramp_vendor__in=list(heirs))
    standing = set(asked.filter(state=State.WANTED).values_list("ramp_vendor_id", flat=True))
    refused = set(asked.filter(state=State.REFUSED).values_list("ramp_vendor_id", "erp_id"))
    made = VendorLink.objects.bulk_create(
        [
            VendorLink(connection=connection, ramp_vendor_id=key, erp_id=heir, evidence=why)
            for key, heir in heirs.items()
            if key not in standing and (key, heir) not in refused
        ],
        ignore_conflicts=True,  # somebody else was faster
    )
    return len(made)


@transaction.atomic
def want_again(connection: Connection, *, batch: uuid.UUID, actor: str) -> int:
    """Try refused links of a batch once more, those whose obstacle is gone. Returns how many."""
    refused = VendorLink.objects.filter(connection=connection, batch=batch, state=State.REFUSED)
    links = {link.ramp_vendor_id: link for link in refused.select_for_update().order_by("pk")}
    pairs = [Pair(link.ramp_vendor_id, link.erp_id) for link in links.values()]
    free = [one.pair.ramp_vendor for one in proposals(connection, pairs) if not one.obstacle]
    standing = VendorLink.objects.filter(ramp_vendor__in=free, state=State.WANTED)
    taken = set(standing.values_list("ramp_vendor_id", flat=True))
    again = [links[key].pk for key in free if key not in taken]
    tried = VendorLink.objects.filter(pk__in=again).update(
        state=State.WANTED, actor=actor, attempts=0, refusal="", trace_id="", done_at=None
    )
    audit.record(
        actor,
        "vendors.link_again",
        f"Tried {tried} refused vendor links again.",
        connection_id=connection.pk,
        subject="links",
        subject_id=batch,
    )
    return tried


def face_of_erp(vendor: Vendor) -> Face:
    """What is compared of a vendor of the ERP."""
    return Face(
        name=vendor.name,
        match_key=vendor.match_key,
        code=vendor.code,
        email_domain=vendor.email_domain,
        country=vendor.country,
        tax_id_hint=vendor.tax_id_hint,
        bank_hint=vendor.bank_hint,
    )


def _withdraw(connection: Connection, vendors: Sequence[int], actor: str) -> None:
    """What was wished for them before and has not been done."""
    VendorLink.objects.filter(
        connection=connection, ramp_vendor__in=vendors, state=State.WANTED
    ).update(state=State.REFUSED, refusal=f"{actor} chose another vendor for it.")


def _row(connection: Connection, proposal: Proposal, actor: str, batch: uuid.UUID) -> VendorLink:
    return VendorLink(
        connection=connection,
        ramp_vendor=proposal.ramp,
        erp_id=proposal.pair.erp_id,
        evidence=(proposal.evidence or "chosen by hand")[:300],
        state=State.REFUSED if proposal.obstacle else State.WANTED,
        refusal=proposal.obstacle,
        actor=actor,
        batch=batch,
    )
