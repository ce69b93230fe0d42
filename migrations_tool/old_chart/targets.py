"""The ERP's records that can take the place of an old one."""

import operator
from collections.abc import Collection
from functools import reduce
from typing import Any

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Concat

from connections.mapping_book.suggestions import Candidate
from connections.models import (
    Connection,
    CustomField,
    FieldOption,
    LedgerAccount,
    TaxCode,
    Vendor,
)
from migrations_tool.models import OldRecord

Kind = OldRecord.Kind
FOUND = 20
"""Shown of a search."""


def usable(connection: Connection, kind: str, field_erp_id: str = "") -> QuerySet[Any]:
    """Those that can be posted to now.

    :param field_erp_id: of options: the ERP's id of their field
    """
    rows = every(connection, kind, field_erp_id).filter(is_active=True, gone_at=None)
    if kind == Kind.ACCOUNT:
        return rows.filter(is_postable=True)
    if kind == Kind.VENDOR:
        return rows.filter(merged_into="")
    return rows


def every(connection: Connection, kind: str, field_erp_id: str = "") -> QuerySet[Any]:
    """All of a kind, those that are closed too."""
    rows: QuerySet[Any]
    match kind:
        case Kind.ACCOUNT:
            rows = LedgerAccount.objects.filter(connection=connection)
        case Kind.FIELD:
            rows = CustomField.objects.filter(connection=connection)
        case Kind.OPTION:
            rows = FieldOption.objects.filter(connection=connection, field__erp_id=field_erp_id)
        case Kind.VENDOR:
            rows = Vendor.objects.filter(connection=connection)
        case Kind.TAX_CODE:
            rows = TaxCode.objects.filter(connection=connection)
        case _:
            raise ValueError(f"Nothing takes the place of a {kind}.")
    return rows


def candidates(connection: Connection, kind: str, field_erp_id: str = "") -> list[Candidate]:
    """All usable ones of a kind, in a fixed order. For a worker, not for a page."""
    rows = usable(connection, kind, field_erp_id).order_by("code", "name", "pk")
    return [Candidate(*one) for one in rows.values_list("erp_id", "name", "code")]


def find(connection: Connection, kind: str, text: str, field_erp_id: str = "") -> list[Candidate]:
    """Usable ones whose code and name have all these words; the first of them all without any."""
    rows = usable(connection, kind, field_erp_id)
    if words := text.split():
        said = Concat("code", Value(" "), "name")
        rows = rows.alias(said=said).filter(
            reduce(operator.and_, (Q(said__icontains=word) for word in words))
        )
    rows = rows.order_by("code", "name", "pk")[:FOUND]
    return [Candidate(*one) for one in rows.values_list("erp_id", "name", "code")]


def one(
    connection: Connection, kind: str, *, erp_id: str = "", code: str = "", field_erp_id: str = ""
) -> Candidate | None:
    """The usable record of an id, or the only one of a code; None if there is none, or several."""
    rows = usable(connection, kind, field_erp_id)
    rows = rows.filter(erp_id=erp_id) if erp_id else rows.filter(code=code)
    found = list(rows.values_list("erp_id", "name", "code")[:2])
    return Candidate(*found[0]) if len(found) == 1 else None


def still_usable(
    connection: Connection, kind: str, wanted: Collection[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Of these (field's ERP id, ERP id), those that can be posted to."""
    ids = {erp_id for _, erp_id in wanted}
    if kind != Kind.OPTION:
        rows = usable(connection, kind).filter(erp_id__in=ids)
        return {("", erp_id) for erp_id in rows.values_list("erp_id", flat=True)}
    rows = FieldOption.objects.filter(
        connection=connection,
        is_active=True,
        gone_at=None,
        field__erp_id__in={field for field, _ in wanted},
        erp_id__in=ids,
    )
    return set(rows.annotate(of=F("field__erp_id")).values_list("of", "erp_id"))
