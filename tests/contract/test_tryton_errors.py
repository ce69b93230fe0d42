"""Every row of the table of Tryton's errors, provoked in a real Tryton: plainly and by the add-on.

The adapter's own look before it leaps is left out here, so that Tryton itself has to refuse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import psycopg
import pytest

from connections.erp.adapters.tryton.catalogue import Catalogue
from connections.erp.adapters.tryton.errors import complaint_from_refusal, error_from
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.errors import Category, Code, ErpError, Outcome
from tests.plugins.tryton import TrytonServer

Values = dict[str, Any]
TODAY = datetime.now(UTC).date()
LAST_FEBRUARY = date(TODAY.year - 1, 2, 10)


class Bench:
    """Tryton without an adapter in between."""

    def __init__(self, server: TrytonServer, http: httpx.Client) -> None:
        self.rpc = TrytonRpc(Account(**server.settings("bridge")), http)
        self.admin = TrytonRpc(Account(**server.admin_settings("bridge")), http)
        self.company = Catalogue(self.rpc).company()
        self.accounts = {
            row["code"]: row["id"] for row in self.rpc.read("account.account", [], ["code"])
        }
        self._count = 0

    def period(self, day: date) -> int:
        domain = [["start_date", "<=", day], ["end_date", ">=", day]]
        period: int = self.rpc.read("account.period", domain, [])[0]["id"]
        return period

    def move(
        self, *, account: int | None = None, credit: str = "1.00", day: date = TODAY, **changes: Any
    ) -> Values:
        lines = [
            {"account": account or self.accounts["6100"], "debit": Decimal("1.00"), "credit": 0},
            {"account": self.accounts["2150"], "debit": 0, "credit": Decimal(credit)},
        ]
        return {
            "company": self.company.id,
            "journal": self.company.journals["general"],
            "period": changes.get("period") or self.period(day),
            "date": day,
            "lines": [["create", lines]],
        } | changes

    def party(self, **values: Any) -> int:
        party = {"name": "Supplier", "addresses": [["create", [{}]]], **values}
        made: int = self.rpc.call("model.party.party.create", [party])[0]
        return made

    def bill(self, *, party: int | None = None, amount: str = "1.00", **changes: Any) -> Values:
        party = party or self.party()
        address = self.rpc.read("party.party", [["id", "=", party]], ["addresses"])
        line = {
            "type": "line",
            "account": self.accounts["6200"],
            "quantity": 1,
            "unit_price": Decimal(amount),
            "currency": self.company.currency.id,
            "company": self.company.id,
            "invoice_type": "in",
        }
        return {
            "type": "in",
            "company": self.company.id,
            "currency": self.company.currency.id,
            "party": party,
            "invoice_address": address[0]["addresses"][0] if address else None,
            "invoice_date": TODAY,
            "accounting_date": TODAY,
            "account": self.accounts["2.1.1"],
            "journal": self.company.journals["expense"],
            "lines": [["create", [line]]],
        } | changes

    def plain(self, model: str, values: Values) -> None:
        """Create and post, as without our add-on."""
        (made,) = self.rpc.call(f"model.{model}.create", [values], write=True)
        self.rpc.call(f"model.{model}.post", [made], write=True)

    def bridge(self, model: str, values: Values) -> None:
        """Create and post by our add-on."""
        self._count += 1
        document = {
            "ref": f"bench-{self._count}",
            "fingerprint": "",
            "values": values,
            "total": Decimal("1.00"),
        }
        (answer,) = self.rpc.call(f"model.{model}.bridge_post", [document], write=True)
        if "refused" in answer:
            raise error_from(complaint_from_refusal(answer["refused"]), write=True)


@pytest.fixture(scope="module")
def bench(tryton_server: TrytonServer) -> Iterator[Bench]:
    with httpx.Client(base_url=tryton_server.url, timeout=TIMEOUT) as http:
        yield Bench(tryton_server, http)


@pytest.fixture(params=["plain", "bridge"])
def post(bench: Bench, request: pytest.FixtureRequest) -> Callable[[str, Values], None]:
    """Both ways to post."""
    way: Callable[[str, Values], None] = getattr(bench, request.param)
    return way


@contextmanager
def refused(code: Code, category: Category, said: str = "") -> Iterator[None]:
    """Something that Tryton refuses, certainly, in words that have not changed."""
    with pytest.raises(ErpError) as caught:
        yield
    error = caught.value
    assert (error.code, error.category) == (code, category)
    assert error.outcome == Outcome.NOT_POSTED
    assert said in error.erp_message


MOVE, INVOICE = "account.move", "account.invoice"


class TestPeriods:
    @pytest.fixture
    def closed(self, bench: Bench) -> Iterator[date]:
        period = bench.period(LAST_FEBRUARY)
        bench.admin.call("model.account.period.close", [period])
        yield LAST_FEBRUARY
        bench.admin.call("model.account.period.reopen", [period])

    def test_bill_in_a_closed_period(
        self, bench: Bench, post: Callable[[str, Values], None], closed: date
    ) -> None:
        bill = bench.bill(invoice_date=closed, accounting_date=closed)

        with refused(Code.PERIOD_CLOSED, Category.USER, "you must reopen the period"):
            post(INVOICE, bill)

    def test_bill_without_a_fiscal_year(
        self, bench: Bench, post: Callable[[str, Values], None]
    ) -> None:
        day = date(2001, 1, 1)

        with refused(Code.PERIOD_CLOSED, Category.USER, "you must create a period"):
            post(INVOICE, bench.bill(invoice_date=day, accounting_date=day))

    def test_journal_in_a_closed_period(
        self, bench: Bench, post: Callable[[str, Values], None], closed: date
    ) -> None:
        with refused(Code.PERIOD_CLOSED, Category.USER):
            post(MOVE, bench.move(day=closed))

    def test_journal_whose_journal_is_closed(
        self, bench: Bench, post: Callable[[str, Values], None]
    ) -> None:
        day = date(TODAY.year - 1, 3, 10)
        bench.plain(MOVE, bench.move(day=day))
        domain = [["period", "=", bench.period(day)]]
        journals = [row["id"] for row in bench.admin.read("account.journal.period", domain, [])]
        bench.admin.call("model.account.journal.period.close", journals)
        try:
            with refused(Code.PERIOD_CLOSED, Category.USER, "closed journal-period"):
                post(MOVE, bench.move(day=day))
        finally:
            bench.admin.call("model.account.journal.period.reopen", journals)


class TestAccounts:
    def test_closed(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        account = bench.accounts["6600"]
        bench.admin.call("model.account.account.write", [account], {"closed": True})
        try:
            with refused(Code.ACCOUNT_INACTIVE, Category.USER, "6600 - Professional fees"):
                post(MOVE, bench.move(account=account))
        finally:
            bench.admin.call("model.account.account.write", [account], {"closed": False})

    def test_ended(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        account = bench.accounts["6500"]
        yesterday = date(TODAY.year - 1, 1, 1)
        bench.admin.call("model.account.account.write", [account], {"end_date": yesterday})
        try:
            with refused(Code.ACCOUNT_INACTIVE, Category.USER, "6500 - Advertising"):
                post(MOVE, bench.move(account=account))
        finally:
            bench.admin.call("model.account.account.write", [account], {"end_date": None})

    def test_heading(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        with refused(Code.ACCOUNT_INACTIVE, Category.USER, "1.0.0 - Assets"):
            post(MOVE, bench.move(account=bench.accounts["1.0.0"]))

    def test_unknown(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR, "does not exist"):
            post(MOVE, bench.move(account=999999))

    def test_control_account_without_a_vendor(
        self, bench: Bench, post: Callable[[str, Values], None]
    ) -> None:
        with refused(Code.VENDOR_MISSING, Category.USER, 'required for field "Party"'):
            post(MOVE, bench.move(account=bench.accounts["2.1.1"]))


class TestContent:
    def test_unbalanced(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        with refused(Code.UNBALANCED, Category.INTEGRATOR, "you must balance"):
            post(MOVE, bench.move(credit="0.50"))

    def test_without_lines(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR, "fill in its lines"):
            post(MOVE, bench.move(lines=[]))

    def test_too_many_decimals(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR, "number of digits"):
            post(MOVE, bench.move(credit="1.005"))

    def test_line_breaks_in_a_description(
        self, bench: Bench, post: Callable[[str, Values], None]
    ) -> None:
        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR, "invalid chars"):
            post(MOVE, bench.move(description="two\nlines"))


class TestVendors:
    def test_unknown(self, bench: Bench, post: Callable[[str, Values], None]) -> None:
        with refused(Code.VENDOR_MISSING, Category.USER):
            post(INVOICE, bench.bill() | {"party": 999999})

    def test_supplier_number_that_is_taken(
        self, bench: Bench, post: Callable[[str, Values], None]
    ) -> None:
        party = bench.party()
        bench.plain(INVOICE, bench.bill(party=party, reference="F-1"))

        with refused(Code.DUPLICATE_NUMBER, Category.USER, "is similar to"):
            post(INVOICE, bench.bill(party=party, reference="F-1"))

    def test_code_that_is_taken(self, bench: Bench) -> None:
        bench.party(code="only-one")

        with refused(Code.REF_REUSED, Category.INTEGRATOR, "must be unique"):
            bench.party(code="only-one")

    def test_external_reference_that_is_taken(self, bench: Bench) -> None:
        bench.party(external_ref="only-one")

        with refused(Code.REF_REUSED, Category.INTEGRATOR, "must be unique"):
            bench.party(external_ref="only-one")


class TestTheServer:
    def test_record_that_somebody_else_has_changed(self, bench: Bench) -> None:
        party = bench.party()
        seen = bench.rpc.call("model.party.party.read", [party], ["name"])
        bench.rpc.call("model.party.party.write", [party], {"name": "Changed"})
        stale = {"_timestamp": {f"party.party,{party}": "1.0"}}

        assert seen
        with refused(Code.CONFLICT, Category.TRANSIENT, "modified in the meanwhile"):
            bench.rpc.call("model.party.party.write", [party], {"name": "Mine"}, context=stale)

    def test_sequence_that_somebody_else_holds(
        self, bench: Bench, tryton_server: TrytonServer
    ) -> None:
        holder = _database(tryton_server)
        with holder:
            holder.execute("SELECT id FROM ir_sequence_strict FOR UPDATE")

            with refused(Code.ERP_UNAVAILABLE, Category.TRANSIENT, "could not obtain lock"):
                bench.bridge(MOVE, bench.move())
            holder.rollback()

    def test_unknown_model(self, bench: Bench) -> None:
        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR):
            bench.rpc.call("model.no.such.model.read", [1], ["name"])

    def test_unknown_field(self, bench: Bench) -> None:
        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR):
            bench.rpc.read("party.party", [], ["no_such_field"])

    def test_unknown_method(self, bench: Bench) -> None:
        with refused(Code.FORBIDDEN, Category.USER):
            bench.rpc.call("model.party.party.no_such_method")

    def test_something_that_our_user_may_not_do(self, bench: Bench) -> None:
        with refused(Code.FORBIDDEN, Category.USER, "not allowed"):
            bench.rpc.call("model.res.user.create", [{"name": "Mallory", "login": "mallory"}])

    def test_posted_entry_that_is_to_be_changed(self, bench: Bench) -> None:
        bench.plain(MOVE, bench.move())
        posted = bench.rpc.read(MOVE, [["state", "=", "posted"]], [], limit=1)[0]["id"]

        with refused(Code.REJECTED_PAYLOAD, Category.INTEGRATOR, "cannot modify posted move"):
            bench.rpc.call("model.account.move.write", [posted], {"date": LAST_FEBRUARY})

    def test_session_that_has_ended_is_renewed(
        self, bench: Bench, tryton_server: TrytonServer
    ) -> None:
        first = bench.rpc.session()
        with _database(tryton_server) as database:
            database.execute("DELETE FROM ir_session")

        assert bench.rpc.read("party.party", [["id", "=", 1]], ["name"])

        assert bench.rpc.session() != first

    def test_wrong_password(self, bench: Bench, tryton_server: TrytonServer) -> None:
        settings = tryton_server.settings("yen") | {"password": "wrong"}
        with httpx.Client(base_url=tryton_server.url, timeout=TIMEOUT) as http:
            rpc = TrytonRpc(Account(**settings), http)

            with refused(Code.AUTH_EXPIRED, Category.USER):
                rpc.session()


def _database(server: TrytonServer) -> psycopg.Connection:
    libpq = server.tryton.databases.libpq
    return psycopg.connect(
        host=libpq["PGHOST"], user=libpq["PGUSER"], dbname=server.database("bridge")
    )
