"""Every text a customer can read, held to what its category promises (R-73 to R-75)."""

import inspect
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from connections.erp.errors import CATEGORY, Category, Code, ErpError, Outcome
from connections.erp.records import DocKind, MasterKind
from connections.erp.refusals import refusal
from connections.mappings import MissingMapping
from connections.ramp import errors as ramp
from connections.ramp.spend import Bill, Transfer
from rampbridge.lib.money import Money
from syncing import cannot_post, classifier
from syncing.cannot_post import CannotPost
from syncing.classifier import (
    ErrorCategory,
    Origin,
    SyncFailure,
    classify,
    classify_ramp,
    text_for_customer,
)
from syncing.decisions import payment_action, transfer_action
from syncing.error_catalogue import ERP_RULES
from tests import spend

ERP = "Tryton"
CONTACT = "support@integrator.example"
REFERENCE = "RB-7K3Q"
AT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)

USD = Money(1000, "USD", 2)
RETURNED = Transfer.read(spend.transfer(status="RETURNED_BY_RDFI"))
PAID_IN_CASH = Bill.read(
    spend.paid(spend.bill(), spend.payment(11000, method="PAID_MANUALLY", manual="CASH"))
)
CANNOT_POST: list[CannotPost] = [
    cannot_post.NoCoding(1, 2),
    cannot_post.LinesDoNotAddUp(USD, USD),
    cannot_post.LinesInSeveralCurrencies(["EUR", "GBP"]),
    cannot_post.NothingToPost(),
    cannot_post.NoAccountingDate(),
    cannot_post.CreditsDoNotFit(USD, USD),
    cannot_post.PaymentBelowBill(USD, USD),
    cannot_post.UnexpectedSign("transfer", -USD),
    cannot_post.UnknownValue("direction", "SIDE_WAYS"),
    cannot_post.TransferNotDue(transfer_action(RETURNED)[1]),
    cannot_post.PaymentNotDue(payment_action(PAID_IN_CASH)[1]),
    cannot_post.BillNotNamed(),
    cannot_post.NoMerchant(),
    cannot_post.CardDoesNotFitBill(USD, USD),
    cannot_post.CardPaysSeveral(),
    cannot_post.PaysUnknownBill(),
    cannot_post.TaxDoesNotFit(USD, USD, "10 %"),
    cannot_post.TaxBelowZero("Reverse charge"),
]
MISSING = [
    MissingMapping("GL account", "7777", "Old costs"),
    MissingMapping("Department", "d-9"),
    MissingMapping("vendor", "v-9"),
    MissingMapping("entity", "e-9"),
    MissingMapping("posting profile", "e-9"),
    MissingMapping("tax code", "t-9", "Old VAT", why="is no longer active"),
]
OWN = [
    classifier.poisonous(5),
    classifier.unexpected(KeyError("amount")),
    classifier.unreadable("amount: field required"),
    classifier.without_answer(8),
    classifier.no_credentials("Harbor has no ERP credentials yet."),
    classifier.attempts_spent(
        classify(refusal(Code.CONFLICT, erp=ERP), erp_name=ERP),
        8,
    ),
]
ALL = [
    *(classify(refusal(code, erp=ERP), erp_name=ERP) for code in Code),
    *(classify(error, erp_name=ERP) for error in CANNOT_POST),
    *(classify(error, erp_name=ERP) for error in MISSING),
    *OWN,
]


def said(failure: SyncFailure) -> str:
    return text_for_customer(
        failure, reference=REFERENCE, contact=CONTACT, next_try_at=AT, attempt=2, budget=8
    )


def ramp_errors() -> list[ramp.RampError]:
    """One of each class in the client's error tree."""
    extras: dict[str, dict[str, Any]] = {
        "RampRateLimited": {"retry_after": timedelta(seconds=7)},
        "ScopeMissing": {"scopes": ["accounting:write"]},
        "NotReadyForSync": {"ids": []},
    }
    classes = [
        one
        for _, one in inspect.getmembers(ramp, inspect.isclass)
        if issubclass(one, ramp.RampError)
    ]
    return [one("Something is wrong.", **extras.get(one.__name__, {})) for one in classes]


@pytest.mark.parametrize("failure", ALL, ids=lambda failure: failure.code)
class TestEveryText:
    def test_is_made_of_sentences(self, failure: SyncFailure) -> None:
        text = said(failure)

        assert text == text.strip()
        assert text[0].isupper()
        assert text.endswith(".")
        assert "  " not in text
        assert "{" not in text
        assert "None" not in text

    def test_says_what_to_do_as_its_category_promises(self, failure: SyncFailure) -> None:
        """INV12."""
        match failure.category:
            case ErrorCategory.USER_ACTIONABLE:
                assert failure.fix, "a customer is told what to do"
                assert failure.fix in said(failure)
                assert CONTACT not in said(failure)
            case ErrorCategory.TRANSIENT:
                assert "at 14:30 UTC (attempt 2 of 8). Nothing to do." in said(failure)
                with pytest.raises(ValueError, match="time of its next attempt"):
                    text_for_customer(failure, reference=REFERENCE, contact=CONTACT)
            case ErrorCategory.NEEDS_INTEGRATOR:
                assert f"Contact {CONTACT} and quote {REFERENCE}." in said(failure)

    def test_speaks_neither_code_nor_python(self, failure: SyncFailure) -> None:
        for word in ("Error", "Exception", "null", "uuid", "JSON", "HTTP", "successfully", "_"):
            assert word not in said(failure).replace(CONTACT, "")

    def test_fits_the_columns_it_is_kept_in(self, failure: SyncFailure) -> None:
        assert len(failure.title) <= 300
        assert len(failure.fix) <= 500
        assert len(failure.code) <= 60


class TestErpErrors:
    @pytest.mark.matrix("X14")
    def test_every_code_has_a_rule_of_the_category_the_port_gives_it(self) -> None:
        """Matrix X14. The port and the classifier must not contradict each other."""
        same = {
            Category.USER: ErrorCategory.USER_ACTIONABLE,
            Category.TRANSIENT: ErrorCategory.TRANSIENT,
            Category.INTEGRATOR: ErrorCategory.NEEDS_INTEGRATOR,
        }

        assert set(ERP_RULES) == set(Code)
        for code, rule in ERP_RULES.items():
            assert rule.category is same[CATEGORY[code]], code

    def test_what_is_unknown_is_ours_and_never_transient_by_default(self) -> None:
        failure = classify(refusal(Code.UNKNOWN, erp=ERP), erp_name=ERP)

        assert failure.category is ErrorCategory.NEEDS_INTEGRATOR

    def test_names_the_customers_erp_in_the_fix(self) -> None:
        failure = classify(refusal(Code.PERIOD_CLOSED, erp=ERP), erp_name="Tryton of Harbor")

        assert "Reopen the period in Tryton of Harbor" in failure.fix

    def test_does_not_send_anybody_to_change_the_day_of_a_payment(self) -> None:
        """F-18: the day of a bill can be changed in Ramp, the day the money left cannot."""
        closed = refusal(Code.PERIOD_CLOSED, erp=ERP)

        bill = classify(closed, erp_name=ERP, kind=DocKind.BILL)
        payment = classify(closed, erp_name=ERP, kind=DocKind.BILL_PAYMENT)

        assert "change the accounting date in Ramp" in bill.fix
        assert "Reopen the period in Tryton" in payment.fix
        assert "cannot be changed in Ramp" in payment.fix

    def test_keeps_what_the_erp_said_for_support_only(self) -> None:
        error = ErpError(
            Code.UNKNOWN, "Tryton answered oddly.", "", erp_code="6210", erp_message="boom",
            reference="t-1",
        )  # fmt: skip

        failure = classify(error, erp_name=ERP)

        assert failure.detail == "6210 boom (reference t-1)"
        assert "boom" not in said(failure)

    def test_items_with_the_same_inactive_account_share_a_cause(self) -> None:
        blamed = refusal(
            Code.ACCOUNT_INACTIVE,
            erp=ERP,
            what="Account 6999",
            subject=(MasterKind.ACCOUNT, "6999"),
        )

        assert classify(blamed, erp_name=ERP).blocked_by == "erp.account_inactive:6999"

    def test_items_of_two_months_do_not_share_a_closed_period(self) -> None:
        error = refusal(Code.PERIOD_CLOSED, erp=ERP)
        causes = {
            classify(error, erp_name=ERP, posting_date=date(2026, month, 5)).blocked_by
            for month in (9, 10, 10)
        }

        assert causes == {"erp.period_closed:2026-09", "erp.period_closed:2026-10"}

    @pytest.mark.matrix("X15", "X16", "X17")
    @pytest.mark.parametrize("code", [Code.RATE_LIMITED, Code.ERP_UNAVAILABLE, Code.AUTH_EXPIRED])
    def test_what_would_hit_every_document_stops_the_connection(self, code: Code) -> None:
        """Matrix X15, X16, X17."""
        assert classify(refusal(code, erp=ERP), erp_name=ERP).stops_connection

    @pytest.mark.parametrize("outcome", list(Outcome))
    def test_only_the_outcome_says_whether_it_may_be_booked(self, outcome: Outcome) -> None:
        """Rule 8."""
        error = refusal(Code.UNKNOWN, erp=ERP, outcome=outcome)

        assert classifier.is_unknown_outcome(error) is (outcome is Outcome.UNKNOWN)


class TestOwnRefusals:
    def test_every_reason_why_nothing_is_posted_is_in_this_lint(self) -> None:
        classes = {
            one
            for _, one in inspect.getmembers(cannot_post, inspect.isclass)
            if issubclass(one, CannotPost) and one is not CannotPost
        }

        assert {type(error) for error in CANNOT_POST} == classes

    @pytest.mark.parametrize("error", CANNOT_POST, ids=lambda error: error.code)
    def test_without_a_fix_it_is_ours(self, error: CannotPost) -> None:
        failure = classify(error, erp_name=ERP)

        assert (failure.category is ErrorCategory.USER_ACTIONABLE) == bool(error.fix)
        assert failure.origin is Origin.DATA

    def test_a_missing_mapping_is_a_cause_that_a_mapping_mends(self) -> None:
        failure = classify(MissingMapping("GL account", "7777", "Old costs"), erp_name=ERP)

        assert failure.title == "Tryton has no GL account called Old costs."
        assert failure.blocked_by == "mapping.GL account:7777"

    def test_a_cause_is_no_longer_than_it_is_kept(self) -> None:
        """A longer one would never be found again, and be taken for mended each time."""
        failure = classify(MissingMapping("GL account", "x" * 500), erp_name=ERP)

        assert len(failure.blocked_by) == classifier.LONGEST_CAUSE


class TestRampErrors:
    @pytest.mark.parametrize("error", ramp_errors(), ids=lambda error: type(error).__name__)
    def test_every_error_of_the_client_has_a_judgement(self, error: ramp.RampError) -> None:
        failure = classify_ramp(error)

        assert failure.origin is Origin.RAMP
        assert failure.title.endswith(".")
        assert len(failure.code) <= 60
        if failure.category is ErrorCategory.USER_ACTIONABLE:
            assert failure.fix.endswith(".")
        if failure.category is ErrorCategory.TRANSIENT:
            assert not failure.stops_connection, "time alone lifts it"

    @pytest.mark.parametrize(
        "error",
        [ramp.RampUnreachable("reset"), ramp.OutcomeUnknown("504")],
        ids=lambda error: type(error).__name__,
    )
    def test_silence_is_transient(self, error: ramp.RampError) -> None:
        assert classify_ramp(error).category is ErrorCategory.TRANSIENT

    def test_a_429_waits_as_long_as_ramp_says(self) -> None:
        failure = classify_ramp(ramp.RampRateLimited("slow", retry_after=timedelta(seconds=7)))

        assert failure.retry_after == 7

    @pytest.mark.matrix("T5")
    def test_a_missing_scope_is_named(self) -> None:
        """Matrix T5."""
        failure = classify_ramp(ramp.ScopeMissing("no", scopes=["accounting:write"]))

        assert "accounting:write" in failure.title

    def test_what_we_do_not_know_is_ours(self) -> None:
        failure = classify_ramp(ramp.Forbidden("no", code="DEVELOPER_9999"))

        assert failure.category is ErrorCategory.NEEDS_INTEGRATOR
        assert failure.code == "ramp.developer_9999"
