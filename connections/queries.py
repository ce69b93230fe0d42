"""Reads of connections and their reference data."""

import uuid
from collections.abc import Collection, Mapping

from django.db.models import Count, F, Q

from connections.models import (
    Connection,
    CustomField,
    Entity,
    FieldOption,
    LedgerAccount,
    Vendor,
    VendorCreation,
)


def customer_choices() -> list[tuple[str, str]]:
    """Slug and name of every customer that is not closed, by name."""
    open_ones = Connection.objects.exclude(stage=Connection.Stage.CLOSED)
    return list(open_ones.order_by("name", "slug").values_list("slug", "name"))


def account_names(connection_id: uuid.UUID, erp_ids: Collection[str]) -> Mapping[str, str]:
    """Code and name per ERP id; ids that are not known are left out."""
    accounts = LedgerAccount.objects.filter(connection_id=connection_id, erp_id__in=erp_ids)
    return {account.erp_id: str(account) for account in accounts}


def vendor_names(connection_id: uuid.UUID, erp_ids: Collection[str]) -> Mapping[str, str]:
    """Name per ERP id of a vendor."""
    vendors = Vendor.objects.filter(connection_id=connection_id, erp_id__in=erp_ids)
    return {vendor.erp_id: vendor.name for vendor in vendors}


def option_names(
    connection_id: uuid.UUID, pairs: Collection[tuple[str, str]]
) -> Mapping[tuple[str, str], tuple[str, str]]:
    """Names of (field, option) per their ERP ids. One query."""
    options = FieldOption.objects.filter(
        connection_id=connection_id, erp_id__in={option for _, option in pairs}
    ).select_related("field")
    return {(o.field.erp_id, o.erp_id): (o.field.name, str(o)) for o in options}


def entity_name(connection_id: uuid.UUID, ramp_id: uuid.UUID | None) -> str:
    """The name of a Ramp entity, or nothing."""
    if ramp_id is None:
        return ""
    found = Entity.objects.filter(connection_id=connection_id, ramp_id=ramp_id)
    return found.values_list("name", flat=True).first() or ""


def unfinished_vendors(connection_id: uuid.UUID, *, limit: int = 20) -> list[VendorCreation]:
    """Vendors that are being created, or whose creation waits for a person; those first."""
    unfinished = VendorCreation.objects.filter(connection_id=connection_id).filter(
        Q(due_at__isnull=False) | ~Q(error_title="")
    )
    return list(unfinished.order_by(F("due_at").desc(nulls_first=True), "created_at")[:limit])


def reference_counts(connection_id: uuid.UUID) -> list[tuple[str, int, int]]:
    """What the ERP has and how much of it Ramp has: (kind, active in the ERP, uploaded)."""
    counts = []
    for title, model in (
        ("GL accounts", LedgerAccount),
        ("Fields", CustomField),
        ("Field options", FieldOption),
        ("Vendors", Vendor),
    ):
        active = model.objects.filter(connection_id=connection_id, is_active=True)
        found = active.aggregate(all=Count("pk"), uploaded=Count("ramp_id"))
        counts.append((title, found["all"], found["uploaded"]))
    return counts
