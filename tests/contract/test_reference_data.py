"""What every adapter tells of the ERP's chart: whole, and what changed since."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from connections.erp.errors import ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import Master, MasterKind, Page
from tests.contract.charts import Chart, LedgerChart, TrytonChart
from tests.plugins.tryton import TrytonServer

_names = itertools.count(1)
ACCOUNT, VENDOR, VALUE = MasterKind.ACCOUNT, MasterKind.VENDOR, MasterKind.DIMENSION_VALUE
TAX_CODE = MasterKind.TAX_CODE


@pytest.fixture(scope="module", params=["ledger", "tryton"])
def chart(request: pytest.FixtureRequest) -> Iterator[Chart]:
    """Each adapter in turn."""
    if request.param == "ledger":
        yield LedgerChart()
        return
    made = TrytonChart(request.getfixturevalue("tryton_server"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def tryton(tryton_server: TrytonServer) -> Iterator[TrytonChart]:
    made = TrytonChart(tryton_server)
    yield made
    made.close()


@pytest.fixture
def erp(chart: Chart) -> ErpAdapter:
    return chart.adapter


def pages(erp: ErpAdapter, kind: MasterKind, cursor: str | None = None) -> list[Page]:
    return list(erp.changes(kind, cursor))


def read(erp: ErpAdapter, kind: MasterKind, cursor: str | None = None) -> dict[str, Master]:
    """By id."""
    return {item.id: item for page in pages(erp, kind, cursor) for item in page.items}


def coded(erp: ErpAdapter, kind: MasterKind, cursor: str | None = None) -> dict[str, Master]:
    """By code."""
    return {item.code: item for item in read(erp, kind, cursor).values()}


def cursor_of(erp: ErpAdapter, kind: MasterKind) -> str:
    return pages(erp, kind)[-1].cursor


def new_vendor(chart: Chart, **changes: str) -> str:
    details = {"email": "ap@acme.example", "country": "DE", "tax_id": "DE 123456789"}
    return chart.add_vendor(f"Acme {next(_names)}", **details | changes)


@pytest.mark.parametrize("kind", list(MasterKind))
class TestEachKind:
    def test_comes_whole(self, erp: ErpAdapter, kind: MasterKind) -> None:
        told = pages(erp, kind)

        assert [page.complete for page in told] == [False] * (len(told) - 1) + [True]
        assert all(page.snapshot for page in told)
        items = [item for page in told for item in page.items]
        assert items
        assert {item.kind for item in items} == {kind}
        assert len({item.id for item in items}) == len(items)
        assert all(item.name for item in items)

    def test_comes_by_changes_where_the_adapter_says_so(
        self, erp: ErpAdapter, kind: MasterKind
    ) -> None:
        told = pages(erp, kind, cursor_of(erp, kind) or "0")

        assert told[-1].complete
        is_delta = kind in erp.capabilities().delta
        assert {page.snapshot for page in told} == {not is_delta}


class TestAccounts:
    def test_that_are_new_are_told_by_a_delta(self, chart: Chart, erp: ErpAdapter) -> None:
        cursor = cursor_of(erp, ACCOUNT)

        chart.add_account("6810", "Fairs")

        fairs = coded(erp, ACCOUNT, cursor)["6810"]
        assert (fairs.name, fairs.active, fairs.postable) == ("Fairs", True, True)
        assert fairs.classification == "EXPENSE"

    def test_that_are_renamed_are_told_by_a_delta(self, chart: Chart, erp: ErpAdapter) -> None:
        cursor = cursor_of(erp, ACCOUNT)

        chart.rename_account("6300", "Meals & coffee")

        assert coded(erp, ACCOUNT, cursor)["6300"].name == "Meals & coffee"

    def test_that_are_closed_are_told_as_inactive(self, chart: Chart, erp: ErpAdapter) -> None:
        cursor = cursor_of(erp, ACCOUNT)

        chart.close_account("6400")

        assert not coded(erp, ACCOUNT, cursor)["6400"].active
        assert not coded(erp, ACCOUNT)["6400"].active


class TestDimensions:
    def test_values_that_are_renamed_are_told_by_a_delta(
        self, chart: Chart, erp: ErpAdapter
    ) -> None:
        cursor = cursor_of(erp, VALUE)

        chart.rename_value("OPS", "Operations & logistics")

        told = coded(erp, VALUE, cursor)["OPS"]
        assert told.name == "Operations & logistics"
        assert told.parent in read(erp, MasterKind.DIMENSION)


class TestVendors:
    def test_carry_what_people_know_them_by(self, chart: Chart, erp: ErpAdapter) -> None:
        made = new_vendor(chart)

        vendor = read(erp, VENDOR)[made]

        assert vendor.extra["email"] == "ap@acme.example"
        assert vendor.extra["country"] == "DE"
        assert vendor.extra["tax_id"] == "DE 123456789"
        assert "merged_into" not in vendor.extra

    def test_do_not_show_their_tax_id_where_they_are_printed(
        self, chart: Chart, erp: ErpAdapter
    ) -> None:
        made = new_vendor(chart)

        assert "123456789" not in repr(read(erp, VENDOR)[made])

    def test_with_another_email_are_told_by_a_delta(self, chart: Chart, erp: ErpAdapter) -> None:
        vendor = new_vendor(chart)
        cursor = cursor_of(erp, VENDOR)

        chart.change_email(vendor, "new@acme.example")

        assert read(erp, VENDOR, cursor)[vendor].extra["email"] == "new@acme.example"

    def test_that_were_merged_name_their_heir(self, chart: Chart, erp: ErpAdapter) -> None:
        twin, heir = new_vendor(chart), new_vendor(chart)
        cursor = cursor_of(erp, VENDOR)

        chart.merge(twin, into=heir)

        told = read(erp, VENDOR, cursor)[twin]
        assert (told.extra["merged_into"], told.active) == (heir, False)
        assert read(erp, VENDOR)[twin].extra["merged_into"] == heir


class TestCompanies:
    def test_are_those_that_can_be_posted_into(self, erp: ErpAdapter) -> None:
        (company,) = read(erp, MasterKind.ENTITY).values()

        assert (company.currency, company.active) == ("USD", True)


class TestTaxes:
    def test_are_a_percentage_with_its_account(self, erp: ErpAdapter) -> None:
        tax = {tax.name: tax for tax in read(erp, TAX_CODE).values()}["Tax 10%"]

        assert (Decimal(tax.extra["rate"]), tax.parent) == (Decimal("0.1"), "")
        assert tax.extra["account"] in read(erp, ACCOUNT)

    def test_or_several_at_once_with_their_parts(self, erp: ErpAdapter) -> None:
        known = read(erp, TAX_CODE)
        whole = {tax.name: tax for tax in known.values()}["Sales tax Denver"]

        parts = [known[part] for part in whole.extra["parts"].split(",")]
        assert [Decimal(part.extra["rate"]) for part in parts] == [
            Decimal("0.029"),
            Decimal("0.0481"),
        ]
        assert {part.parent for part in parts} == {whole.id}
        assert "rate" not in whole.extra


class TestAListThatBreaksOff:
    @pytest.mark.matrix("M5")
    def test_says_so_and_calls_no_page_the_last(self, chart: Chart, erp: ErpAdapter) -> None:
        with chart.break_off_after(2):
            told = erp.changes(VENDOR, None)
            first, second = next(told), next(told)
            with pytest.raises(ErpError):
                next(told)

        assert (first.complete, second.complete) == (False, False)
        assert first.items
        assert second.items


class TestTaxesOfTryton:
    @pytest.fixture
    def new_tax(self, tryton: TrytonChart) -> Any:
        """Make a tax like the one of ten percent."""
        admin = tryton.admin
        (like,) = admin.read(
            "account.tax",
            [["name", "=", "Tax 10%"]],
            ["company", "type", "rate", "invoice_account", "credit_note_account"],
        )
        like.pop("id")

        def make(**changes: Any) -> str:
            name = f"Tax {next(_names)}"
            values = {**like, "name": name, "description": name, **changes}
            (made,) = admin.call("model.account.tax.create", [values], write=True)
            return str(made)

        return make

    def test_of_sales_alone_are_left_out(self, tryton: TrytonChart) -> None:
        assert "Collected on sales 10%" not in {
            tax.name for tax in read(tryton.adapter, TAX_CODE).values()
        }

    def test_whose_time_has_passed_are_inactive(self, tryton: TrytonChart, new_tax: Any) -> None:
        today = tryton.admin.call("model.ir.date.today")
        last = new_tax(end_date=today)
        past = new_tax(end_date=today.replace(year=today.year - 1))
        future = new_tax(start_date=today.replace(year=today.year + 1))

        known = read(tryton.adapter, TAX_CODE)

        assert (known[last].active, known[past].active, known[future].active) == (
            True, False, False,
        )  # fmt: skip

    def test_of_a_fixed_amount_have_neither_rate_nor_parts(
        self, tryton: TrytonChart, new_tax: Any
    ) -> None:
        fixed = new_tax(type="fixed", rate=None, amount=Decimal(3))
        whole = new_tax(type="none", rate=None, invoice_account=None, credit_note_account=None)
        new_tax(parent=int(whole))
        new_tax(parent=int(whole), type="fixed", rate=None, amount=Decimal(3))

        known = read(tryton.adapter, TAX_CODE)

        assert (dict(known[fixed].extra), dict(known[whole].extra)) == ({}, {})

    def test_of_several_levels_are_told_by_what_they_levy(
        self, tryton: TrytonChart, new_tax: Any
    ) -> None:
        none = {
            "type": "none",
            "rate": None,
            "invoice_account": None,
            "credit_note_account": None,
        }
        whole = new_tax(**none)
        middle = new_tax(parent=int(whole), **none)
        deep, flat = new_tax(parent=int(middle)), new_tax(parent=int(whole))
        closed = new_tax(parent=int(whole), active=False)

        known = read(tryton.adapter, TAX_CODE)

        assert set(known[whole].extra["parts"].split(",")) == {deep, flat}
        assert not known[closed].active
