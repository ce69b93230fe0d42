"""Reads of connections and their reference data."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection as database
from django.db.models import F, Q

from connections.models import (
    Connection,
    Entity,
    FieldOption,
    LedgerAccount,
    ReferenceKind,
    Vendor,
    VendorCreation,
)


def customer_choices(*, text: str = "", at_most: int | None = None) -> list[tuple[str, str]]:
    """Slug and name of the customers that are not closed, by name; those that contain a text."""
    open_ones = Connection.objects.exclude(stage=Connection.Stage.CLOSED)
    if text:
        open_ones = open_ones.filter(Q(name__icontains=text) | Q(slug__icontains=text))
    return list(open_ones.order_by("name", "slug").values_list("slug", "name")[:at_most])


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


@dataclass(frozen=True, slots=True)
class ReferenceCount:
    """How much of one kind the ERP wants Ramp to have, and how much of that Ramp has."""

    kind: str
    wanted: int
    in_ramp: int
    refused: int

    @property
    def label(self) -> str:
        return PLURALS[self.kind]


PLURALS: Mapping[str, str] = {
    ReferenceKind.ACCOUNT: "GL accounts",
    ReferenceKind.FIELD: "Fields",
    ReferenceKind.OPTION: "Field options",
    ReferenceKind.VENDOR: "Vendors",
    ReferenceKind.TAX_RATE: "Tax rates",
    ReferenceKind.TAX_CODE: "Tax codes",
}

REFERENCE_TABLES: Mapping[str, str] = {
    ReferenceKind.ACCOUNT: "connections_ledgeraccount",
    ReferenceKind.FIELD: "connections_customfield",
    ReferenceKind.OPTION: "connections_fieldoption",
    ReferenceKind.VENDOR: "connections_vendor",
    ReferenceKind.TAX_RATE: "connections_taxrate",
    ReferenceKind.TAX_CODE: "connections_taxcode",
}
"""The table of each kind, in the order in which pages show them."""

_IN_USE = "r.is_active AND r.gone_at IS NULL"
WANTED: Mapping[str, str] = {
    **dict.fromkeys(REFERENCE_TABLES, f"({_IN_USE})"),
    ReferenceKind.ACCOUNT: f"({_IN_USE} AND r.is_postable)",
    ReferenceKind.VENDOR: f"({_IN_USE} AND r.merged_into = '')",
}
"""What is to be in Ramp, as a condition on a row `r`."""


def reference_counts(connection_id: uuid.UUID) -> list[ReferenceCount]:
    """What the ERP has and how much of it Ramp has, kind by kind. One query."""
    each = " UNION ALL ".join(
        f"""
        SELECT '{kind}', count(*) FILTER (WHERE {WANTED[kind]}),
            count(*) FILTER (WHERE {WANTED[kind]} AND r.ramp_id IS NOT NULL
                AND r.ramp_is_active),
            count(*) FILTER (WHERE r.refusal <> '')
        FROM {table} r WHERE r.connection_id = %(connection)s
        """  # noqa: S608  constants of this program
        for kind, table in REFERENCE_TABLES.items()
    )
    with database.cursor() as cursor:
        cursor.execute(each, {"connection": connection_id})
        return [ReferenceCount(*row) for row in cursor.fetchall()]
