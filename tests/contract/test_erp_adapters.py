"""What every ERP adapter keeps to. Live against Tryton, with our add-on and without it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from connections.erp.errors import Category, Code, ErpError, Outcome
from connections.erp.port import ErpAdapter
from connections.erp.records import (
    DocKind,
    Document,
    Idempotency,
    Master,
    MasterKind,
    Posted,
    State,
    Vendor,
)
from tests.contract.erp_sides import Papers, Side, TrytonSide


@pytest.fixture
def last_january(side: Side) -> date:
    return date(side.today.year - 1, 1, 15)


def everything(erp: ErpAdapter, kind: MasterKind, cursor: str | None = None) -> list[Master]:
    return [item for page in erp.changes(kind, cursor) for item in page.items]


def refused(erp: ErpAdapter, doc: Document) -> ErpError:
    with pytest.raises(ErpError) as caught:
        erp.post(doc)
    return caught.value


def one_of(kind: DocKind, erp: ErpAdapter, papers: Papers) -> Document:
    match kind:
        case DocKind.JOURNAL:
            return papers.journal()
        case DocKind.BILL:
            return papers.bill()
        case DocKind.VENDOR_CREDIT:
            return papers.credit()
        case DocKind.BILL_PAYMENT:
            bill = papers.bill("110.00")
            erp.post(bill)
            return papers.payment(bill, "60.00")


TOTALS = {
    DocKind.JOURNAL: Decimal("12.34"),
    DocKind.BILL: Decimal("110.00"),
    DocKind.VENDOR_CREDIT: Decimal("10.00"),
    DocKind.BILL_PAYMENT: Decimal("60.00"),
}


@pytest.mark.parametrize("kind", list(DocKind))
class TestEachKindOfDocument:
    def test_is_booked_and_read_back(self, erp: ErpAdapter, papers: Papers, kind: DocKind) -> None:
        assert kind in erp.capabilities().documents
        doc = one_of(kind, erp, papers)

        posted = erp.post(doc)

        assert (posted.ref, posted.state, posted.fresh) == (doc.ref, State.POSTED, True)
        assert posted.number
        found = erp.find(doc.ref)
        assert found == replace(posted, fresh=False)
        assert found.total == TOTALS[kind]

    def test_is_booked_once_when_posted_twice(
        self, erp: ErpAdapter, papers: Papers, side: Side, kind: DocKind
    ) -> None:
        if not _safe_to_repeat(side):
            pytest.skip("class L: the engine looks up before it posts again")
        doc = one_of(kind, erp, papers)

        first, second = erp.post(doc), erp.post(doc)

        assert second == replace(first, fresh=False)
        assert side.count(doc.ref) == 1

    def test_is_found_when_its_answer_was_lost(
        self, erp: ErpAdapter, papers: Papers, side: Side, kind: DocKind
    ) -> None:
        doc = one_of(kind, erp, papers)
        side.lose_next_answer()

        error = refused(erp, doc)

        assert (error.code, error.outcome) == (Code.TIMEOUT, Outcome.UNKNOWN)
        found = erp.find(doc.ref)
        assert found is not None
        if _safe_to_repeat(side):
            assert erp.post(doc).state == State.POSTED
        assert side.count(doc.ref) == 1

    def test_is_not_there_when_its_request_was_lost(
        self, erp: ErpAdapter, papers: Papers, side: Side, kind: DocKind
    ) -> None:
        doc = one_of(kind, erp, papers)
        side.lose_next_request()

        error = refused(erp, doc)

        assert error.outcome == Outcome.UNKNOWN
        found = erp.find(doc.ref)
        assert found is None or found.state == State.DRAFT
        assert erp.post(doc).state == State.POSTED
        assert side.count(doc.ref) == 1

    def test_in_a_closed_period_is_refused_until_it_is_reopened(
        self, erp: ErpAdapter, papers: Papers, side: Side, kind: DocKind, last_january: date
    ) -> None:
        doc = replace(one_of(kind, erp, papers), posting_date=last_january)
        side.close_month(last_january)
        try:
            error = refused(erp, doc)
            assert [problem.code for problem in erp.check(doc)] == [Code.PERIOD_CLOSED]
        finally:
            side.open_month(last_january)

        assert (error.code, error.category) == (Code.PERIOD_CLOSED, Category.USER)
        assert error.outcome == Outcome.NOT_POSTED
        assert f"15 January {last_january.year}" in error.title
        assert erp.check(doc) == []
        assert erp.post(doc).state == State.POSTED

    def test_on_a_day_without_a_period_is_refused(
        self, erp: ErpAdapter, papers: Papers, side: Side, kind: DocKind
    ) -> None:
        if not isinstance(side, TrytonSide):
            pytest.skip("the ledger has no fiscal years")
        doc = replace(one_of(kind, erp, papers), posting_date=date(2001, 1, 1))

        assert refused(erp, doc).code == Code.PERIOD_CLOSED


def _safe_to_repeat(side: Side) -> bool:
    # Tryton without the add-on looks up by itself; the ledger of class L leaves it to the engine.
    return (
        isinstance(side, TrytonSide)
        or side.adapter.capabilities().idempotency == Idempotency.UNIQUE_KEY
    )


class TestReferences:
    def test_unknown_ones_are_not_found(self, erp: ErpAdapter, papers: Papers) -> None:
        assert erp.find(papers.ref(DocKind.JOURNAL)) is None
        assert erp.find(papers.ref(DocKind.BILL)) is None

    def test_one_with_other_content_is_refused(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        if not _safe_to_repeat(side):
            pytest.skip("class L: the engine looks up before it posts again")
        doc = papers.journal("5.00")
        erp.post(doc)

        error = refused(erp, replace(papers.journal("6.00"), ref=doc.ref))

        assert (error.code, error.category) == (Code.REF_REUSED, Category.INTEGRATOR)
        assert side.count(doc.ref) == 1

    def test_twins_at_the_same_moment_are_booked_once(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        if erp.capabilities().idempotency != Idempotency.UNIQUE_KEY:
            pytest.skip("needs a key that the ERP enforces")
        for _ in range(3):
            doc = papers.journal()

            with ThreadPoolExecutor(max_workers=4) as pool:
                answers = list(pool.map(lambda twin: _patiently(erp, twin), [doc] * 4))

            assert len({answer.erp_id for answer in answers}) == 1
            assert sum(answer.fresh for answer in answers) <= 1
            assert side.count(doc.ref) == 1

    def test_the_longest_that_fits_comes_back_whole(self, erp: ErpAdapter, papers: Papers) -> None:
        doc = papers.journal()
        filler = "x" * (erp.capabilities().ref_limit - len(doc.ref.full))
        doc = replace(doc, ref=replace(doc.ref, ramp_id=doc.ref.ramp_id + filler))

        posted = erp.post(doc)

        found = erp.find(doc.ref)
        assert found is not None
        assert found.erp_id == posted.erp_id


def _patiently(erp: ErpAdapter, doc: Document) -> Posted:
    """As the engine does: a transient refusal is tried again."""
    for _ in range(20):
        try:
            return erp.post(doc)
        except ErpError as error:
            if error.category != Category.TRANSIENT:
                raise
    raise AssertionError("refused twenty times")


class TestBatches:
    def test_are_answered_one_by_one_in_order(self, erp: ErpAdapter, papers: Papers) -> None:
        docs = [papers.journal(f"{amount}.00") for amount in range(1, 26)]

        answers = erp.post_many(docs)

        assert [answer.ref for answer in answers if isinstance(answer, Posted)] == [
            doc.ref for doc in docs
        ]

    def test_of_all_kinds_are_booked(self, erp: ErpAdapter, papers: Papers) -> None:
        docs = [papers.journal(), papers.bill(), papers.credit(), papers.journal()]

        answers = erp.post_many(docs)

        assert [getattr(answer, "state", answer) for answer in answers] == [State.POSTED] * 4

    def test_are_booked_but_for_what_is_bad(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        docs = [papers.journal() for _ in range(7)]
        docs[3] = papers.journal(account=side.heading)
        docs[5] = papers.journal("10.00", credit="9.00")

        answers = erp.post_many(docs)

        assert [
            answer.code if isinstance(answer, ErpError) else answer.state for answer in answers
        ] == [
            *[State.POSTED] * 3,
            Code.ACCOUNT_INACTIVE,
            State.POSTED,
            Code.UNBALANCED,
            State.POSTED,
        ]
        assert [side.count(doc.ref) for doc in docs] == [1, 1, 1, 0, 1, 0, 1]

    def test_may_be_empty(self, erp: ErpAdapter) -> None:
        assert list(erp.post_many([])) == []

    def test_are_safe_to_send_again(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        if not _safe_to_repeat(side):
            pytest.skip("class L: the engine looks up before it posts again")
        docs = [papers.journal() for _ in range(5)]
        side.lose_next_answer()
        first = erp.post_many(docs)
        assert Outcome.UNKNOWN in {getattr(answer, "outcome", None) for answer in first}

        again = erp.post_many([*docs, papers.journal()])

        assert [getattr(answer, "state", answer) for answer in again] == [State.POSTED] * 6
        assert [side.count(doc.ref) for doc in docs] == [1] * 5


class TestWhatIsRefused:
    def expect(
        self, error: ErpError, code: Code, category: Category, side: Side, doc: Document
    ) -> None:
        assert (error.code, error.category) == (code, category)
        assert error.outcome == Outcome.NOT_POSTED
        assert error.title.endswith(".")
        assert error.fix.endswith(".")
        assert side.count(doc.ref) == 0

    def test_an_inactive_account_until_it_is_active_again(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        doc = papers.journal(account="6999")
        side.set_account_active("6999", active=False)
        try:
            error = refused(erp, doc)
            checked = erp.check(doc)
        finally:
            side.set_account_active("6999", active=True)

        self.expect(error, Code.ACCOUNT_INACTIVE, Category.USER, side, doc)
        assert error.subject == (MasterKind.ACCOUNT, side.account("6999"))
        assert "Old projects" in error.title
        assert [problem.title for problem in checked] == [error.title]
        assert erp.check(doc) == []
        assert erp.post(doc).state == State.POSTED

    def test_a_heading(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.journal(account=side.heading)

        error = refused(erp, doc)

        self.expect(error, Code.ACCOUNT_INACTIVE, Category.USER, side, doc)

    def test_an_unknown_account(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.journal()
        doc = replace(doc, lines=(replace(doc.lines[0], account="999999"), doc.lines[1]))

        error = refused(erp, doc)

        self.expect(error, Code.REJECTED_PAYLOAD, Category.INTEGRATOR, side, doc)
        assert [problem.code for problem in erp.check(doc)] == [Code.REJECTED_PAYLOAD]

    def test_what_does_not_balance(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.journal("10.00", credit="9.00")

        error = refused(erp, doc)

        self.expect(error, Code.UNBALANCED, Category.INTEGRATOR, side, doc)
        assert [problem.code for problem in erp.check(doc)] == [Code.UNBALANCED]

    def test_what_has_no_lines(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.journal(lines=())

        error = refused(erp, doc)

        self.expect(error, Code.REJECTED_PAYLOAD, Category.INTEGRATOR, side, doc)

    def test_more_decimals_than_the_currency_has(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        doc = papers.journal("12.345")

        error = refused(erp, doc)

        self.expect(error, Code.REJECTED_PAYLOAD, Category.INTEGRATOR, side, doc)

    def test_a_control_account_without_a_vendor(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        doc = papers.journal(account=side.payable)

        error = refused(erp, doc)

        self.expect(error, Code.VENDOR_MISSING, Category.USER, side, doc)
        assert [problem.code for problem in erp.check(doc)] == [Code.VENDOR_MISSING]

    def test_an_unknown_vendor(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.bill(vendor="999999")

        error = refused(erp, doc)

        self.expect(error, Code.VENDOR_MISSING, Category.USER, side, doc)

    def test_an_inactive_vendor(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        vendor = papers.vendor()
        doc = papers.bill(vendor=vendor)
        side.set_vendor_active(vendor, active=False)

        error = refused(erp, doc)

        self.expect(error, Code.VENDOR_INACTIVE, Category.USER, side, doc)
        assert error.subject == (MasterKind.VENDOR, vendor)
        assert [problem.code for problem in erp.check(doc)] == [Code.VENDOR_INACTIVE]

    def test_a_supplier_number_that_is_taken(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        vendor = papers.vendor()
        erp.post(papers.bill(vendor=vendor, number="F-1"))
        doc = papers.bill(vendor=vendor, number="F-1")

        error = refused(erp, doc)

        self.expect(error, Code.DUPLICATE_NUMBER, Category.USER, side, doc)

    def test_a_payment_before_its_bill(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.payment(papers.bill(), "1.00")

        error = refused(erp, doc)

        self.expect(error, Code.BILL_NOT_POSTED, Category.TRANSIENT, side, doc)

    def test_a_payment_of_more_than_is_open(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        bill = papers.bill("100.00")
        erp.post(bill)
        erp.post(papers.payment(bill, "70.00"))
        doc = papers.payment(bill, "30.01")

        error = refused(erp, doc)

        self.expect(error, Code.OVERPAYMENT, Category.USER, side, doc)
        assert erp.post(papers.payment(bill, "30.00")).state == State.POSTED


class TestTakingBack:
    def test_books_the_opposite_once(self, erp: ErpAdapter, papers: Papers, side: Side) -> None:
        doc = papers.journal()
        erp.post(doc)

        first = erp.void(doc.ref, side.today, "Entered twice")
        second = erp.void(doc.ref, side.today, "Entered twice")

        assert (first.state, second.state) == (State.VOID, State.VOID)
        found = erp.find(doc.ref)
        assert found is not None
        assert found.state == State.VOID
        assert side.ledger_sum() == 0

    def test_of_what_is_not_there_is_refused(
        self, erp: ErpAdapter, papers: Papers, side: Side
    ) -> None:
        with pytest.raises(ErpError) as caught:
            erp.void(papers.ref(DocKind.JOURNAL), side.today, "Never was")

        assert caught.value.code == Code.REJECTED_PAYLOAD

    def test_in_a_closed_period_is_refused(
        self, erp: ErpAdapter, papers: Papers, side: Side, last_january: date
    ) -> None:
        doc = papers.journal()
        erp.post(doc)
        side.close_month(last_january)
        try:
            with pytest.raises(ErpError) as caught:
                erp.void(doc.ref, last_january, "Entered twice")
        finally:
            side.open_month(last_january)

        assert caught.value.code == Code.PERIOD_CLOSED
        found = erp.find(doc.ref)
        assert found is not None
        assert found.state == State.POSTED


class TestReferenceData:
    def test_holds_the_chart_of_accounts(self, erp: ErpAdapter, side: Side) -> None:
        accounts = {account.code: account for account in everything(erp, MasterKind.ACCOUNT)}

        travel = accounts["6100"]
        assert (travel.id, travel.name) == (side.account("6100"), "Travel")
        assert (travel.active, travel.postable, travel.classification) == (True, True, "EXPENSE")
        assert accounts["2150"].classification == "LIABILITY"
        assert accounts[side.bank].classification == "ASSET"
        assert not accounts[side.heading].postable

    def test_holds_departments_and_their_values(self, erp: ErpAdapter) -> None:
        (department,) = everything(erp, MasterKind.DIMENSION)
        values = everything(erp, MasterKind.DIMENSION_VALUE)

        assert department.name == "Department"
        assert {(value.code, value.name) for value in values} == {
            ("ENG", "Engineering"),
            ("SAL", "Sales"),
            ("OPS", "Operations"),
        }
        assert {value.parent for value in values} == {department.id}

    def test_shows_what_changed(self, erp: ErpAdapter, side: Side) -> None:
        cursor = list(erp.changes(MasterKind.ACCOUNT, None))[-1].cursor
        side.set_account_active("6600", active=False)
        try:
            changed = everything(erp, MasterKind.ACCOUNT, cursor)
        finally:
            side.set_account_active("6600", active=True)

        assert [account.active for account in changed if account.code == "6600"] == [False]

    def test_shows_inactive_vendors(self, erp: ErpAdapter, side: Side, papers: Papers) -> None:
        vendor = papers.vendor()
        side.set_vendor_active(vendor, active=False)

        vendors = {item.id: item for item in everything(erp, MasterKind.VENDOR)}

        assert not vendors[vendor].active


class TestVendors:
    def test_are_made_once(self, erp: ErpAdapter) -> None:
        vendor = Vendor(ref="v-1", name="Acme Cloud", email="ap@acme.example", tax_id="12-345")

        first, second = erp.upsert_vendor(vendor), erp.upsert_vendor(vendor)

        assert first.id == second.id
        assert first.name == "Acme Cloud"

    def test_made_by_twins_at_the_same_moment_are_one(self, erp: ErpAdapter) -> None:
        vendor = Vendor(ref="v-2", name="Twin Supplies")

        with ThreadPoolExecutor(max_workers=4) as pool:
            made = list(pool.map(erp.upsert_vendor, [vendor] * 4))

        assert len({master.id for master in made}) == 1


class TestChecks:
    def test_find_nothing_wrong_with_a_good_document(self, erp: ErpAdapter, papers: Papers) -> None:
        assert list(erp.check(papers.journal())) == []
        assert list(erp.check(papers.bill())) == []

    def test_find_an_inactive_department(self, erp: ErpAdapter, papers: Papers) -> None:
        (department,) = everything(erp, MasterKind.DIMENSION)
        doc = papers.journal()
        coded = replace(doc.lines[0], dimensions={department.id: "999999"})

        problems = erp.check(replace(doc, lines=(coded, doc.lines[1])))

        assert [problem.code for problem in problems] == [Code.DIMENSION_INACTIVE]

    def test_book_nothing(self, erp: ErpAdapter, papers: Papers) -> None:
        doc = papers.journal()

        erp.check(doc)

        assert erp.find(doc.ref) is None


class TestCapabilities:
    def test_tell_whether_the_erp_enforces_our_reference(
        self, erp: ErpAdapter, request: pytest.FixtureRequest
    ) -> None:
        enforces = {"ledger-unique", "tryton-bridge"}
        name = request.node.callspec.params["side"]

        is_unique = erp.capabilities().idempotency == Idempotency.UNIQUE_KEY

        assert is_unique == (name in enforces)


class TestHealth:
    def test_names_the_company(self, erp: ErpAdapter) -> None:
        health = erp.health()

        assert health.ok
        assert health.company
        assert health.problem is None

    def test_tells_how_far_the_books_are_closed(self, erp: ErpAdapter, side: Side) -> None:
        january = date(side.today.year - 1, 1, 15)
        if not isinstance(side, TrytonSide):
            pytest.skip("the ledger keeps single closed months")
        side.close_month(january)
        try:
            closed_until = erp.health().closed_until
        finally:
            side.open_month(january)

        assert closed_until == date(january.year, 1, 31)
        assert erp.health().closed_until is None


class TestTheLedger:
    def test_sums_to_zero_after_all_this(self, side: Side) -> None:
        assert side.ledger_sum() == 0
