"""What accountants do to a chart, in memory and in a real Tryton."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Protocol

import httpx
import pytest

from connections.erp.adapters import in_memory
from connections.erp.adapters.tryton import reference_data
from connections.erp.adapters.tryton.adapter import TrytonErp
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.port import ErpAdapter
from connections.erp.records import Master, MasterKind
from connections.management import tryton_changes
from tests.plugins.tryton import TrytonServer

PAGE = 5


class Chart(Protocol):
    """One ERP's chart, and an adapter that reads it."""

    @property
    def adapter(self) -> ErpAdapter: ...

    def add_account(self, code: str, name: str) -> None: ...

    def rename_account(self, code: str, name: str) -> None: ...

    def close_account(self, code: str) -> None: ...

    def rename_value(self, code: str, name: str) -> None: ...

    def add_vendor(self, name: str, *, email: str, country: str, tax_id: str) -> str: ...

    def change_email(self, vendor: str, email: str) -> None: ...

    def merge(self, vendor: str, into: str) -> None: ...

    def break_off_after(self, pages: int) -> Any:
        """A context in which lists come in small pages and break off after some."""
        ...


class LedgerChart:
    """The ERP in memory."""

    def __init__(self) -> None:
        self.adapter = in_memory.InMemoryErp()
        put = self.adapter.books.put
        for number in range(250):
            put(Master(MasterKind.VENDOR, f"V{number}", f"Vendor {number}"))
        put(Master(MasterKind.TAX_CODE, "1", "Tax 10%", extra={"rate": "0.1", "account": "2100"}))
        put(Master(MasterKind.TAX_CODE, "2", "Sales tax Denver", extra={"parts": "3,4"}))
        for erp_id, rate in (("3", "0.029"), ("4", "0.0481")):
            extra = {"rate": rate, "account": "2100"}
            put(Master(MasterKind.TAX_CODE, erp_id, f"Part {erp_id}", parent="2", extra=extra))

    def add_account(self, code: str, name: str) -> None:
        self.adapter.books.put(
            Master(MasterKind.ACCOUNT, code, name, code=code, classification="EXPENSE")
        )

    def rename_account(self, code: str, name: str) -> None:
        self._change(MasterKind.ACCOUNT, code, name=name)

    def close_account(self, code: str) -> None:
        self.adapter.books.deactivate(MasterKind.ACCOUNT, code)

    def rename_value(self, code: str, name: str) -> None:
        self._change(MasterKind.DIMENSION_VALUE, code, name=name)

    def add_vendor(self, name: str, **details: str) -> str:
        return self.adapter.books.put(Master(MasterKind.VENDOR, name, name, extra=details)).id

    def change_email(self, vendor: str, email: str) -> None:
        old = self.adapter.books.masters[MasterKind.VENDOR, vendor]
        self._change(MasterKind.VENDOR, vendor, extra={**old.extra, "email": email})

    def merge(self, vendor: str, into: str) -> None:
        self.adapter.books.merge(vendor, into)

    @contextmanager
    def break_off_after(self, pages: int) -> Iterator[None]:
        self.adapter.faults.break_off_after = pages
        yield
        self.adapter.faults.break_off_after = None

    def _change(self, kind: MasterKind, erp_id: str, **changes: Any) -> None:
        books = self.adapter.books
        books.put(replace(books.masters[kind, erp_id], **changes))


class TrytonChart:
    """A real Tryton, as its administrator works in it."""

    def __init__(self, server: TrytonServer) -> None:
        self.http = httpx.Client(base_url=server.url, timeout=TIMEOUT)
        self.adapter = TrytonErp(Account(**server.settings("chart")), self.http)
        self.admin = TrytonRpc(Account(**server.admin_settings("chart")), self.http)

    def add_account(self, code: str, name: str) -> None:
        (like,) = self.admin.read("account.account", [["code", "=", "6600"]],
                                  ["type", "parent", "company"])  # fmt: skip
        like.pop("id")
        self._call("account.account", "create", [{**like, "code": code, "name": name}])

    def rename_account(self, code: str, name: str) -> None:
        self._write("account.account", "code", code, {"name": name})

    def close_account(self, code: str) -> None:
        self._write("account.account", "code", code, {"closed": True})

    def rename_value(self, code: str, name: str) -> None:
        self._write("analytic_account.account", "code", code, {"name": name})

    def add_vendor(self, name: str, *, email: str, country: str, tax_id: str) -> str:
        (land,) = self.admin.read("country.country", [["code", "=", country]], [])
        values = {
            "name": name,
            "addresses": [["create", [{"country": land["id"]}]]],
            "contact_mechanisms": [["create", [{"type": "email", "value": email}]]],
            "identifiers": [["create", [{"code": tax_id}]]],
        }
        (made,) = self._call("party.party", "create", [values])
        return str(made)

    def change_email(self, vendor: str, email: str) -> None:
        self._write("party.contact_mechanism", "party", int(vendor), {"value": email})

    def merge(self, vendor: str, into: str) -> None:
        tryton_changes.replace_party(self.admin, int(vendor), int(into))

    @contextmanager
    def break_off_after(self, pages: int) -> Iterator[None]:
        left = pages

        def break_off(request: httpx.Request) -> None:
            nonlocal left
            if b".search_read" in request.content and b'"id",">"' in request.content:
                left -= 1
                if left < 0:
                    raise httpx.ReadError("the line broke", request=request)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reference_data, "PAGE_SIZE", PAGE)
            self.http.event_hooks = {"request": [break_off]}
            yield
            self.http.event_hooks = {}

    def close(self) -> None:
        self.http.close()

    def _write(self, model: str, field: str, value: Any, changes: dict[str, Any]) -> None:
        rows = self.admin.read(model, [[field, "=", value]], [])
        self._call(model, "write", [row["id"] for row in rows], changes)

    def _call(self, model: str, method: str, *arguments: Any) -> Any:
        return self.admin.call(f"model.{model}.{method}", *arguments, write=True)
