"""Reads of connections and their reference data."""

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from django.db import connection as database
from django.db.models import F, Q

from connections.models import (
    Connection,
    ReferenceKind,
    VendorCreation,
)


def customer_choices(*, text: str = "", at_most: int | None = None) -> list[tuple[str, str]]:
    """Slug and name of the customers that are not closed, by name; those that contain a text."""
    open_ones = Connection.objects.exclude(stage=Connection.Stage.CLOSED)
    if text:
        open_ones = open_ones.filter(Q(name__icontains=text) | Q(slug__icontains=text))
    return list(open_ones.order_by("name", "slug").values_list("slug", "name")[:at_most])


@dataclass(frozen=True, slots=True)
class DocumentNames:
    """What the ERP calls the records that a document names by id."""

    accounts: Mapping[str, str]
    vendors: Mapping[str, str]
    options: Mapping[tuple[str, str], tuple[str, str]]
    """By field and option: both names."""


def document_names(
    connection_id: uuid.UUID,
    *,
    accounts: Collection[str],
    vendors: Collection[str],
    options: Collection[tuple[str, str]],
) -> DocumentNames:
    """The names of everything that a document names. One query."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            SELECT 'account', erp_id, '', trim(code || ' ' || name), ''
            FROM connections_ledgeraccount
            WHERE connection_id = %(connection)s AND erp_id = ANY(%(accounts)s)
            UNION ALL
            SELECT 'vendor', erp_id, '', name, '' FROM connections_vendor
            WHERE connection_id = %(connection)s AND erp_id = ANY(%(vendors)s)
            UNION ALL
            SELECT 'option', f.erp_id, o.erp_id, f.name, trim(o.code || ' ' || o.name)
            FROM connections_fieldoption o JOIN connections_customfield f ON f.id = o.field_id
            WHERE o.connection_id = %(connection)s AND o.erp_id = ANY(%(options)s)
            """,
            {
                "connection": connection_id,
                "accounts": list(accounts),
                "vendors": list(vendors),
                "options": [option for _, option in options],
            },
        )
        found = cursor.fetchall()
    return DocumentNames(
        accounts={one: name for kind, one, _, name, _ in found if kind == "account"},
        vendors={one: name for kind, one, _, name, _ in found if kind == "vendor"},
        options={
            (field, option): (field_name, name)
            for kind, field, option, field_name, name in found
            if kind == "option"
        },
    )


UNFINISHED_VENDOR = Q(due_at__isnull=False) | ~Q(error_title="")


def unfinished_vendors(connection_id: uuid.UUID, *, limit: int = 20) -> list[VendorCreation]:
    """Vendors that are being created, or whose creation waits for a person; those first."""
    unfinished = VendorCreation.objects.filter(UNFINISHED_VENDOR, connection_id=connection_id)
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
