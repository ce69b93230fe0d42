"""Accounts, vendors, departments and tax codes of a Tryton company, whole or what changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connections.erp.adapters.tryton.models import INACTIVE_TOO, Records
from connections.erp.records import Master, MasterKind, Page

PAGE_SIZE = 500
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


def changes(records: Records, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
    """Pages of one kind, by id. The cursor is the moment of the newest change seen.

    An account that becomes inactive because its end date has come does not count as changed:
    it is seen in the next full list.
    """
    if kind.value.startswith("dimension") and not records.catalogue.company().dimensions:
        yield Page(items=(), cursor=cursor or "", complete=True, snapshot=True)
        return
    source = SOURCES[kind]
    company = records.catalogue.company()
    domain = [*source.domain, *_changed_since(cursor)]
    newest = cursor or ""
    last_id = 0
    while True:
        rows = records.rpc.read(
            source.model,
            [*domain, ["id", ">", last_id]],
            [*source.fields, "create_date", "write_date"],
            limit=PAGE_SIZE,
            order=[["id", "ASC"]],
            context={**INACTIVE_TOO, "company": company.id},
        )
        newest = max([newest, *(_changed_at(row).isoformat() for row in rows)])
        complete = len(rows) < PAGE_SIZE
        yield Page(
            items=[source.master(row) for row in rows],
            # A walk that breaks off starts again: only its last page moves on.
            cursor=newest if complete else cursor or "",
            complete=complete,
            snapshot=not cursor,
        )
        if complete:
            return
        last_id = rows[-1]["id"]


def _changed_since(cursor: str | None) -> list[Any]:
    if not cursor:
        return []
    since = datetime.fromisoformat(cursor) - OVERLAP
    written = [["write_date", ">=", since]]
    created = [["write_date", "=", None], ["create_date", ">=", since]]
    return [["OR", written, created]]


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
    )


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


def _tax_code(row: Row) -> Master:
    return Master(
        kind=MasterKind.TAX_CODE,
        id=str(row["id"]),
        name=row["name"],
        active=row["active"],
        parent=str(row["parent"] or ""),
        updated_at=_changed_at(row),
        extra={"rate": str(row["rate"])} if row["rate"] is not None else {},
    )


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
    MasterKind.VENDOR: Source("party.party", ("name", "code", "active"), _vendor),
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
    MasterKind.TAX_CODE: Source("account.tax", ("name", "active", "parent", "rate"), _tax_code),
}
