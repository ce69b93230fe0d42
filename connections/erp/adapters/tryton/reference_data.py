"""Accounts, vendors, departments, taxes of a Tryton company: whole lists, or what changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections.erp.adapters.tryton.models import INACTIVE_TOO, Records
from connections.erp.adapters.tryton.taxes import taxes
from connections.erp.records import Master, MasterKind, Page

PAGE_SIZE = 500
STAMPS = ("create_date", "write_date")
OVERLAP = timedelta(seconds=60)
"""Changes become visible when their transaction commits, later than the moment they carry."""

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a kind of reference data lives."""

    model: str
    fields: Sequence[str]
    master: Callable[[Row], Master]
    domain: Sequence[Any] = ()
    details: Sequence[str] = ()
    """Lists of records that belong to one: a change of theirs is a change of its."""
    of_company: bool = True


def changes(records: Records, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
    """Pages of one kind, by id. The cursor is the moment of the newest change seen.

    Taxes and companies are few, and parts of them change without a trace: always whole lists.

    An account that becomes inactive because its end date has come does not count as changed, nor
    does a vendor whose only e-mail was deleted: both are seen in the next full list.
    """
    if kind in WHOLE:
        items = WHOLE[kind](records)
        yield Page(items=items, cursor="", complete=True, snapshot=True)
        return
    if kind.value.startswith("dimension") and not records.catalogue.company().dimensions:
        yield Page(items=(), cursor=cursor or "", complete=True, snapshot=True)
        return
    source = SOURCES[kind]
    company = records.catalogue.company()
    domain = [*source.domain, *_changed_since(cursor, source.details)]
    if source.of_company:
        domain.append(["company", "=", company.id])
    stamps = [f"{detail}.{stamp}" for detail in source.details for stamp in STAMPS]
    newest = cursor or ""
    last_id = 0
    began_at = asked_at = time.monotonic()
    while True:
        rows = records.rpc.read(
            source.model,
            [*domain, ["id", ">", last_id]],
            [*source.fields, *STAMPS, *stamps],
            limit=PAGE_SIZE,
            order=[["id", "ASC"]],
            context={**INACTIVE_TOO, "company": company.id},
        )
        newest = max([newest, *(_newest(row, source).isoformat() for row in rows)])
        complete = len(rows) < PAGE_SIZE
        yield Page(
            items=[source.master(row) for row in rows],
            # A walk that breaks off starts again: only its last page moves on.
            cursor=_so_far(newest, cursor, asked_at - began_at) if complete else cursor or "",
            complete=complete,
            snapshot=not cursor,
        )
        if complete:
            return
        last_id = rows[-1]["id"]
        asked_at = time.monotonic()


def _so_far(newest: str, cursor: str | None, seconds: float) -> str:
    """How far a walk of so many seconds has read for certain.

    What changed on its first pages meanwhile may be older than what its last page shows.
    """
    if not newest or not seconds:
        return newest
    certain = datetime.fromisoformat(newest) - timedelta(seconds=seconds)
    return max(cursor or "", certain.isoformat())


def _changed_since(cursor: str | None, details: Sequence[str]) -> list[Any]:
    if not cursor:
        return []
    since = datetime.fromisoformat(cursor) - OVERLAP
    return [["OR", *(_touched(prefix, since) for prefix in ("", *(f"{one}." for one in details)))]]


def _touched(prefix: str, since: datetime) -> list[Any]:
    written = [[f"{prefix}write_date", ">=", since]]
    created = [[f"{prefix}write_date", "=", None], [f"{prefix}create_date", ">=", since]]
    if prefix:  # conditions on a list of records may each be met by another one: be generous
        created = [[f"{prefix}create_date", ">=", since]]
    return ["OR", written, created]


def _newest(row: Row, source: Source) -> datetime:
    details = [_changed_at(one) for detail in source.details for one in row[f"{detail}."]]
    return max([_changed_at(row), *details])


def _changed_at(row: Row) -> datetime:
    changed_at: datetime = row["write_date"] or row["create_date"]
    return changed_at


def _account(row: Row) -> Master:
    return Master(
        kind=MasterKind.ACCOUNT,
        id=str(row["id"]),
        name=row["name"],
        code=row["code"] or "",
        active=row["active"] and not row["closed"],
        parent=str(row["parent"] or ""),
        classification=_classification(row["type."]),
        postable=row["type."] is not None and not row["closed"],
        currency=row["currency."]["code"] if row["currency."] else "",
        updated_at=_changed_at(row),
    )


def _classification(account_type: Row | None) -> str:
    if account_type is None:
        return ""
    path = [part.strip().casefold() for part in account_type["rec_name"].split("\\")]
    if account_type["statement"] == "income":
        is_revenue = account_type["revenue"] or "revenues" in path or "revenue" in path
        return "REVENUE" if is_revenue else "EXPENSE"
    if account_type["assets"] or "assets" in path:
        return "ASSET"
    return "EQUITY" if any(part.startswith("equity") for part in path) else "LIABILITY"


def _vendor(row: Row) -> Master:
    return Master(
        kind=MasterKind.VENDOR,
        id=str(row["id"]),
        name=row["name"] or "",
        code=row["code"] or "",
        active=row["active"],
        updated_at=_changed_at(row),
        extra={key: value for key, value in _vendor_details(row) if value},
    )


def _vendor_details(row: Row) -> Iterator[tuple[str, str]]:
    yield "merged_into", str(row["replaced_by"] or "")
    # What a merger deactivates stays the old vendor's: it says who that was.
    shown = [one for one in row["contact_mechanisms."] if one["active"] or not row["active"]]
    yield "email", _first(one["value"] for one in shown if one["type"] == "email")
    countries = [one["country."] for one in row["addresses."] if one["country."]]
    yield "country", _first(country["code"] for country in countries)
    known = [one for one in row["identifiers."] if one["active"] or not row["active"]]
    known.sort(key=lambda one: one["type"] is None)  # one that says what it is comes first
    yield "tax_id", _first(one["code"] for one in known)


def _first(values: Iterable[str | None]) -> str:
    return next((value for value in values if value), "")


def _dimension(row: Row) -> Master:
    return Master(
        kind=MasterKind.DIMENSION,
        id=str(row["id"]),
        name=row["name"],
        code=row["code"] or "",
        active=row["active"],
        updated_at=_changed_at(row),
    )


def _dimension_value(row: Row) -> Master:
    return Master(
        kind=MasterKind.DIMENSION_VALUE,
        id=str(row["id"]),
        name=row["name"],
        code=row["code"] or "",
        active=row["active"],
        parent=str(row["root"] or ""),
        updated_at=_changed_at(row),
    )


def _companies(records: Records) -> Sequence[Master]:
    """The one company that our user works in: we post nowhere else."""
    company = records.catalogue.company()
    rows = records.rpc.read(
        "company.company", [["id", "=", company.id]], ["party.rec_name", "currency.code"]
    )
    return [
        Master(
            kind=MasterKind.ENTITY,
            id=str(row["id"]),
            name=row["party."]["rec_name"],
            currency=row["currency."]["code"],
        )
        for row in rows
    ]


SOURCES: Mapping[MasterKind, Source] = {
    MasterKind.ACCOUNT: Source(
        "account.account",
        (
            "name",
            "code",
            "active",
            "closed",
            "parent",
            "currency.code",
            "type.rec_name",
            "type.statement",
            "type.assets",
            "type.revenue",
        ),
        _account,
    ),
    MasterKind.VENDOR: Source(
        "party.party",
        (
            *("name", "code", "active", "replaced_by", "addresses.country.code"),
            *(f"contact_mechanisms.{field}" for field in ("type", "value", "active")),
            *(f"identifiers.{field}" for field in ("type", "code", "active")),
        ),
        _vendor,
        details=("addresses", "contact_mechanisms", "identifiers"),
        of_company=False,
    ),
    MasterKind.DIMENSION: Source(
        "analytic_account.account",
        ("name", "code", "active"),
        _dimension,
        domain=(("type", "=", "root"),),
    ),
    MasterKind.DIMENSION_VALUE: Source(
        "analytic_account.account",
        ("name", "code", "active", "root"),
        _dimension_value,
        domain=(("type", "=", "normal"),),
    ),
}
WHOLE: Mapping[MasterKind, Callable[[Records], Sequence[Master]]] = {
    MasterKind.TAX_CODE: taxes,
    MasterKind.ENTITY: _companies,
}
