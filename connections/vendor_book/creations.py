"""Merchants that may be a vendor of the ERP already: a person says whether they are (R-42)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import CharField, F
from django.db.models.functions import Cast, Now

from connections import audit
from connections.models import Connection, Vendor, VendorCreation
from connections.models.match_key import MatchKey

SHOWN = 20
UNDECIDED = ("vendor.looks_alike", "vendor.several")
"""What the classifier calls creations that only a person can let go on."""


class NotUndecided(Exception):
    """Somebody has decided it, or it went on by itself. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Question:
    """A merchant, and the vendors of the ERP that it may be."""

    creation: VendorCreation
    vendors: Sequence[Vendor]


def questions(connection: Connection) -> list[Question]:
    """Merchants that wait for a person's word, the longest first. Two statements."""
    waiting = list(
        VendorCreation.objects.filter(
            connection=connection, step=VendorCreation.Step.WANTED, due_at=None
        )
        .filter(error_code__in=UNDECIDED)
        .annotate(key=Cast(MatchKey(F("name")), CharField()))
        .order_by("created_at", "pk")[:SHOWN]
    )
    if not waiting:
        return []
    alike: dict[str, list[Vendor]] = defaultdict(list)
    wanted = Vendor.objects.filter(
        connection=connection,
        is_active=True,
        gone_at=None,
        merged_into="",
        match_key__in={one.key for one in waiting},
    )
    for vendor in wanted.exclude(match_key="").order_by("name", "pk"):
        alike[vendor.match_key].append(vendor)
    return [Question(one, alike[one.key][:SHOWN]) for one in waiting]


def use(creation: VendorCreation, vendor: Vendor, *, actor: str) -> None:
    """The merchant is this vendor of the ERP: upload that one, and code who waits with it.

    :raises NotUndecided: if nobody needs to decide any more, or the ERP no longer posts to it
    """
    if vendor.merged_into or vendor.gone_at is not None or not vendor.is_active:
        raise NotUndecided(f"{vendor.name} is not active in the ERP any more. Choose another one.")
    said = f"Said that {creation.name} is the ERP's vendor {vendor.name}."
    _go_on(creation, actor, said, step=VendorCreation.Step.IN_ERP, erp_id=vendor.erp_id)


def create_own(creation: VendorCreation, *, actor: str) -> None:
    """The merchant is none of them: create a vendor of its own.

    :raises NotUndecided: if nobody needs to decide any more
    """
    said = f"Said that {creation.name} becomes a vendor of its own."
    _go_on(creation, actor, said, is_own=True)


@transaction.atomic
def _go_on(creation: VendorCreation, actor: str, said: str, **facts: object) -> None:
    undecided = VendorCreation.objects.filter(
        pk=creation.pk, due_at=None, step=VendorCreation.Step.WANTED, error_code__in=UNDECIDED
    )
    cleared = dict.fromkeys(
        ("error_category", "error_code", "error_title", "error_fix", "error_detail"), ""
    )
    if not undecided.update(decided_by=actor, due_at=Now(), attempts=0, **cleared, **facts):
        raise NotUndecided("Somebody has decided this already, or it went on by itself.")
    audit.record(
        actor,
        "vendors.create",
        said,
        connection_id=creation.connection_id,
        subject="merchant",
        subject_id=creation.merchant_id,
    )
