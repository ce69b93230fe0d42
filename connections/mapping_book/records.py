"""The ERP's records that can be mapped to: searched, suggested from, and named."""

import operator
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import Any

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Concat, Upper

from connections.mapping_book.changes import ONLY_COMPANY
from connections.mapping_book.suggestions import Candidate, Coding, folded
from connections.mapping_book.targets import ANY_CLASS, PURPOSES
from connections.models import (
    Connection,
    ErpEntity,
    FieldOption,
    LedgerAccount,
    MappingChange,
    MappingKind,
    TaxCode,
    Vendor,
)

FOUND = 20
MOST = 10_000
"""Accounts or options that are suggested from. Vendors are looked up by their first word."""
PER_VENDOR = 30

Where = tuple[str, str]
"""A kind, and of field options the field's id."""


def find(
    connection: Connection, kind: str, text: str, *, field: str = "", purpose: str = ""
) -> list[Candidate]:
    """Records of a kind that can be posted to, by the start of their code or name, or a word of it.

    :param purpose: of a posting account: those of a fitting class only
    """
    text = " ".join(text.split())
    if kind == MappingKind.ENTITY:
        return _companies(connection, text)
    rows = _usable(connection, kind, field)
    if kind == MappingKind.PROFILE and purpose in PURPOSES:
        rows = rows.filter(classification__in=PURPOSES[purpose][1] | ANY_CLASS)
    if text and kind == MappingKind.VENDOR:
        rows = _vendors_called(rows, text)
    elif text:
        said = Concat("code", Value(" "), "name")
        rows = rows.alias(said=said).filter(
            reduce(operator.and_, (Q(said__icontains=word) for word in text.split()))
        )
    order = ("name", "pk") if kind == MappingKind.VENDOR else ("code", "name", "pk")
    return [_candidate(one) for one in rows.order_by(*order)[:FOUND]]


def candidates(connection: Connection, where: Where, codings: Sequence[Coding]) -> list[Candidate]:
    """What codings of one kind may mean: all records, or of vendors those with a like name."""
    kind, field = where
    if kind == MappingKind.ENTITY:
        return _companies(connection, "")
    if kind == MappingKind.PROFILE:
        return []
    rows = _usable(connection, kind, field)
    if kind == MappingKind.VENDOR:
        starts = sorted({_first_word(one.name) for one in codings if one.name} - {""})
        if not starts:
            return []
        rows = rows.alias(upper=Upper("name")).filter(
            reduce(operator.or_, (Q(upper__startswith=start) for start in starts))
        )
        return [_candidate(one) for one in rows.order_by("name", "pk")[: PER_VENDOR * len(starts)]]
    return [_candidate(one) for one in rows.order_by("code", "name", "pk")[:MOST]]


def earlier(connection: Connection, names: Collection[str]) -> Mapping[Where, Mapping[str, str]]:
    """What codings of these names were mapped to before, by folded name; the last one counts."""
    before = MappingChange.objects.filter(revision__connection=connection, ramp_name__in=names)
    lines = before.exclude(after="").order_by("revision__number", "pk")
    found: dict[Where, dict[str, str]] = defaultdict(dict)
    for kind, field, name, after in lines.values_list("kind", "field_erp_id", "ramp_name", "after"):
        found[kind, field][folded(name)] = after
    return found


def named(
    connection: Connection, wanted: Collection[tuple[str, str, str]]
) -> dict[tuple[str, str, str], Candidate]:
    """The records behind (kind, field, ERP id), closed ones too. A query per kind that occurs."""
    found: dict[tuple[str, str, str], Candidate] = {}
    for where in sorted({(kind, field) for kind, field, _ in wanted}):
        ids = {erp_id for kind, field, erp_id in wanted if (kind, field) == where and erp_id}
        for one in _all_of(connection, *where, ids):
            found[(*where, one.erp_id)] = one
    for kind, field, erp_id in wanted:
        if erp_id == ONLY_COMPANY:
            found[kind, field, erp_id] = only_company(connection)
    return found


def like(
    connection: Connection,
    where: Where,
    *,
    ids: Collection[str] = (),
    codes: Collection[str] = (),
    names: Collection[str] = (),
) -> list[Candidate]:
    """Usable records with one of these ids, codes or names in any case; by code and name."""
    fits = Q(erp_id__in=ids) | Q(code__in=codes) | Q(upper__in=[name.upper() for name in names])
    rows = _usable(connection, *where).alias(upper=Upper("name")).filter(fits)
    return [_candidate(one) for one in rows.order_by("code", "name", "pk")]


def only_company(connection: Connection) -> Candidate:
    """What entities are mapped to where the ERP lists no companies."""
    return Candidate(ONLY_COMPANY, f"The only company in {connection.erp_name}")


def _all_of(connection: Connection, kind: str, field: str, ids: Collection[str]) -> list[Candidate]:
    if kind == MappingKind.ENTITY:
        rows = ErpEntity.objects.filter(connection=connection, erp_id__in=ids)
        return [Candidate(one.erp_id, one.name) for one in rows]
    return [_candidate(one) for one in _rows(connection, kind, field).filter(erp_id__in=ids)]


def _rows(connection: Connection, kind: str, field: str) -> Any:
    match kind:
        case MappingKind.VENDOR:
            return Vendor.objects.filter(connection=connection)
        case MappingKind.TAX_CODE:
            return TaxCode.objects.filter(connection=connection)
        case MappingKind.FIELD_OPTION:
            return FieldOption.objects.filter(connection=connection, field__erp_id=field)
        case _:
            return LedgerAccount.objects.filter(connection=connection)


def _usable(connection: Connection, kind: str, field: str) -> Any:
    rows: QuerySet[Any] = _rows(connection, kind, field)
    rows = rows.filter(is_active=True, gone_at=None)
    if kind in (MappingKind.GL_ACCOUNT, MappingKind.PROFILE):
        rows = rows.filter(is_postable=True)
    if kind == MappingKind.VENDOR:
        rows = rows.filter(merged_into="")
    return rows


def _vendors_called(rows: QuerySet[Any], text: str) -> Any:
    """As the indexes can: by the start of the name, or the whole id."""
    upper = text.upper()
    return rows.alias(upper=Upper("name")).filter(Q(upper__startswith=upper) | Q(erp_id=text))


def _first_word(name: str) -> str:
    """Of two letters at least, as the ERP's name may begin with it."""
    words = [word for word in name.upper().split() if len(word) > 1]
    return words[0] if words else ""


def _candidate(row: LedgerAccount) -> Candidate:
    return Candidate(row.erp_id, row.name, row.code, getattr(row, "classification", ""))


def _companies(connection: Connection, text: str) -> list[Candidate]:
    rows = ErpEntity.objects.filter(connection=connection, is_active=True)
    found = rows.filter(name__icontains=text).order_by("name", "pk")[:FOUND]
    companies = [Candidate(one.erp_id, one.name) for one in found]
    return companies or ([only_company(connection)] if not text else [])
