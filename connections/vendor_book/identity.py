"""Who one vendor is (R-33): merchants, Ramp's vendors, accounting vendor, the ERP's record."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db.models import Manager, Q

from connections.models import (
    Connection,
    Mapping,
    MappingKind,
    RampVendor,
    SeparateVendors,
    Vendor,
    VendorChange,
    VendorCreation,
    VendorLink,
)

SHOWN = 30


@dataclass(frozen=True, slots=True)
class Identity:
    """One vendor on both sides. At least one of the ERP's and Ramp's is known."""

    erp: Vendor | None
    ramp: Sequence[RampVendor]
    """Linked to the ERP's; or the one that was asked for, linked to nobody."""
    creations: Sequence[VendorCreation]
    """Merchants that became it, or are about to."""
    mappings: Sequence[Mapping]
    """Codings that people have led to it, for all entities or for one."""

    @property
    def name(self) -> str:
        return self.erp.name if self.erp else self.ramp[0].name

    @property
    def key(self) -> str:
        """What its page is found by."""
        return self.erp.erp_id if self.erp else str(self.ramp[0].ramp_id)


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a vendor's history."""

    at: datetime
    actor: str
    """Empty: rampbridge."""
    what: str
    why: str = ""


def find(connection: Connection, key: str) -> Identity | None:
    """By the ERP's id, or by Ramp's id of a vendor of its own. Five statements at most."""
    erp = Vendor.objects.filter(connection=connection, erp_id=key[:100]).first()
    asked = None if erp else _of_ramp(connection, key)
    if erp is None and asked is None:
        return None
    if asked is not None and asked.linked_erp_id:
        erp = Vendor.objects.filter(connection=connection, erp_id=asked.linked_erp_id).first()
    ramp = [asked] if asked and not erp else _linked(connection, erp)
    merchants = {one.merchant_id for one in ramp if one.merchant_id}
    made = Q(merchant_id__in=merchants) | (Q(erp_id=erp.erp_id) if erp else Q(pk=None))
    creations = VendorCreation.objects.filter(made, connection=connection).order_by("name", "pk")
    mappings = (
        Mapping.objects.filter(
            connection=connection, kind=MappingKind.VENDOR, erp_id=erp.erp_id
        ).select_related("entity")
        if erp
        else Mapping.objects.none()
    )
    return Identity(
        erp, ramp, list(creations[:SHOWN]), list(mappings.order_by("ramp_name", "pk")[:SHOWN])
    )


def history(connection: Connection, identity: Identity) -> list[Told]:
    """Who linked, decided and kept apart, the newest first. Three statements."""
    told = [*_links(connection, identity)]
    if identity.erp:
        told += [*_changes(connection, identity.erp), *_kept(connection, identity.erp)]
    return sorted(told, key=lambda one: one.at, reverse=True)[:SHOWN]


def _of_ramp(connection: Connection, key: str) -> RampVendor | None:
    try:
        ramp_id = uuid.UUID(key)
    except ValueError:
        return None
    return RampVendor.objects.filter(connection=connection, ramp_id=ramp_id).first()


def _linked(connection: Connection, erp: Vendor | None) -> list[RampVendor]:
    if erp is None:
        return []
    found = RampVendor.objects.filter(connection=connection, linked_erp_id=erp.erp_id)
    return list(found.exclude(linked_erp_id="").order_by("-spend_minor", "pk")[:SHOWN])


def _links(connection: Connection, identity: Identity) -> Sequence[Told]:
    of = Q(ramp_vendor__in=[one.pk for one in identity.ramp])
    if identity.erp:
        of |= Q(erp_id=identity.erp.erp_id)
    events = _events("VendorLinkEvent").filter(of, connection=connection)
    words = {
        VendorLink.State.WANTED: "wished the link to {}",
        VendorLink.State.DONE: "Ramp linked it to {}",
        VendorLink.State.REFUSED: "the link to {} was refused",
    }
    return [
        Told(
            at=event.pgh_created_at,
            actor="" if event.state == VendorLink.State.DONE else event.actor,
            what=words[VendorLink.State(event.state)].format(event.erp_id),
            why=event.refusal or event.evidence,
        )
        for event in events.order_by("-pgh_id")[:SHOWN]
    ]


def _changes(connection: Connection, erp: Vendor) -> Sequence[Told]:
    events = _events("VendorChangeEvent").filter(connection=connection, vendor_erp_id=erp.erp_id)
    words = {
        VendorChange.State.FOUND: ("", "found another {}: {} instead of {}"),
        VendorChange.State.CHECKED: ("checked_by", "checked the new {}: {} instead of {}"),
        VendorChange.State.ACCEPTED: ("decided_by", "accepted the new {}: {} instead of {}"),
        VendorChange.State.REJECTED: ("decided_by", "rejected the new {}: {} instead of {}"),
    }
    told = []
    for event in events.order_by("-pgh_id")[:SHOWN]:
        who, what = words[VendorChange.State(event.state)]
        field = event.get_field_display().lower()
        told.append(
            Told(
                at=event.pgh_created_at,
                actor=getattr(event, who) if who else "",
                what=what.format(field, event.after or "none", event.before or "none"),
                why=event.reason,
            )
        )
    return told


def _kept(connection: Connection, erp: Vendor) -> Sequence[Told]:
    kept = SeparateVendors.objects.filter(connection=connection).filter(
        Q(first_erp_id=erp.erp_id) | Q(second_erp_id=erp.erp_id)
    )
    return [
        Told(
            at=one.decided_at,
            actor=one.actor,
            what=f"said that it is not {_other(one, erp)}",
            why=one.reason,
        )
        for one in kept.order_by("-decided_at", "pk")[:SHOWN]
    ]


def _events(model: str) -> Manager[Any]:
    """The history that the database keeps by itself, whoever writes."""
    events: Manager[Any] = apps.get_model("connections", model).objects
    return events


def _other(kept: SeparateVendors, erp: Vendor) -> str:
    return kept.second_erp_id if kept.first_erp_id == erp.erp_id else kept.first_erp_id
