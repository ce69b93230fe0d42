"""What is due of a bill, its payment or a transfer: every row, and each word we do not know."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.ramp.spend import Bill, Transfer
from rampbridge.lib.money import Money
from syncing.cannot_post import CreditsDoNotFit
from syncing.decisions import Action, decide, owed, payment_action, transfer_action
from tests import spend

NOTHING, POST, CONFIRM = Action.NOTHING, Action.POST, Action.CONFIRM
WAIT, HOLD = Action.WAIT, Action.HOLD
SYNC_STATUSES = {"NOT_SYNCED", "BILL_SYNCED", "BILL_AND_PAYMENT_SYNCED"}
CARDS = ["CARD", "ONE_TIME_CARD", "ONE_TIME_CARD_DELIVERY", "AUTOMATIC_CARD_PAYMENT"]
BANK = ["ACH", "CHECK", "DOMESTIC_WIRE", "INTERNATIONAL", "LOCAL_BANK_TRANSFER", "RTP", "SWIFT"]
WORDS = st.text(max_size=30)


def bill(body: dict[str, Any]) -> Bill:
    """By way of its JSON text, as in production."""
    return Bill.parse(json.dumps(body))


def in_state(sync_status: str, status: str) -> Bill:
    body = spend.bill() if status == "OPEN" else spend.paid(spend.bill())
    return bill(body | {"sync_status": sync_status, "status": status})


def paid_by(method: str, **changes: Any) -> Bill:
    return bill(spend.paid(spend.bill(), spend.payment(11000, method=method, **changes)))


class TestTheTwoPhases:
    """R-55 and R-56, row by row."""

    @pytest.mark.parametrize(
        ("sync_status", "status", "of_bill", "of_payment"),
        [
            ("NOT_SYNCED", "OPEN", POST, NOTHING),
            ("NOT_SYNCED", "PAID", POST, POST),
            ("BILL_SYNCED", "OPEN", NOTHING, WAIT),
            ("BILL_SYNCED", "PAID", NOTHING, POST),
            ("BILL_AND_PAYMENT_SYNCED", "OPEN", NOTHING, NOTHING),
            ("BILL_AND_PAYMENT_SYNCED", "PAID", NOTHING, NOTHING),
        ],
    )
    def test_each_row(
        self, sync_status: str, status: str, of_bill: Action, of_payment: Action
    ) -> None:
        decision = decide(in_state(sync_status, status))

        assert (decision.bill, decision.payment) == (of_bill, of_payment)

    def test_an_archived_bill_needs_nothing(self) -> None:
        body = spend.paid(spend.bill()) | {"archived_at": "2026-11-08T00:00:00+00:00"}

        decision = decide(bill(body))

        assert (decision.bill, decision.payment) == (NOTHING, NOTHING)
        assert "archived" in decision.reason

    def test_a_bill_that_is_not_to_be_synced_needs_nothing(self) -> None:
        decision = decide(bill(spend.paid(spend.bill()) | {"enable_accounting_sync": False}))

        assert (decision.bill, decision.payment) == (NOTHING, NOTHING)

    def test_a_bill_that_does_not_say_whether_to_sync_it_is_synced(self) -> None:
        body = spend.bill()
        del body["enable_accounting_sync"]

        assert decide(bill(body)).bill is POST

    @given(WORDS.filter(lambda word: word not in SYNC_STATUSES), st.sampled_from(["OPEN", "PAID"]))
    def test_any_other_sync_status_is_held(self, word: str, status: str) -> None:
        decision = decide(in_state(word, status))

        assert (decision.bill, decision.payment) == (HOLD, HOLD)
        assert "sync status" in decision.reason

    @given(
        st.sampled_from(sorted(SYNC_STATUSES)), WORDS.filter(lambda w: w not in ("OPEN", "PAID"))
    )
    def test_any_other_status_is_held(self, sync_status: str, word: str) -> None:
        decision = decide(in_state(sync_status, word))

        assert (decision.bill, decision.payment) == (HOLD, HOLD)

    def test_says_which_word_it_does_not_know(self) -> None:
        assert "“partially paid”" in decide(in_state("BILL_SYNCED", "PARTIALLY_PAID")).reason

    def test_a_bill_is_posted_even_if_its_payment_is_held(self) -> None:
        body = spend.paid(spend.bill(), spend.payment(11000, method="BARTER"))

        decision = decide(bill(body))

        assert (decision.bill, decision.payment) == (POST, HOLD)
        assert "“barter”" in decision.reason


class TestThePayment:
    @pytest.mark.parametrize("method", CARDS)
    def test_by_card_is_confirmed_only(self, method: str) -> None:
        """Gotcha 13: the card transaction is booked by itself."""
        assert payment_action(paid_by(method))[0] is CONFIRM

    @pytest.mark.parametrize("method", BANK)
    def test_from_the_bank_is_posted(self, method: str) -> None:
        assert payment_action(paid_by(method)) == (POST, "")

    @pytest.mark.parametrize("method", ["UNSPECIFIED", "CRYPTO_WALLET_TRANSFER", ""])
    def test_by_a_way_without_an_account_is_held(self, method: str) -> None:
        assert payment_action(paid_by(method))[0] is HOLD

    @given(WORDS.filter(lambda w: w not in {*CARDS, *BANK, "PAID_MANUALLY", "VENDOR_CREDIT"}))
    def test_by_any_other_method_is_held(self, method: str) -> None:
        assert payment_action(paid_by(method))[0] is HOLD

    @pytest.mark.parametrize(
        ("how", "action"),
        [
            ("PAID_IN_ERP", CONFIRM),
            ("CHECK", POST),
            ("DIRECT_DEBIT", POST),
            ("DOMESTIC_WIRE_TRANSFER", POST),
            ("CROSS_BORDER_PAYMENT", POST),
            ("CASH", HOLD),
            ("NON_RAMP_CREDIT_CARD", HOLD),
            ("OTHER", HOLD),
            ("BARTER", HOLD),
            ("", HOLD),
        ],
    )
    def test_outside_ramp_depends_on_what_the_money_left(self, how: str, action: Action) -> None:
        assert payment_action(paid_by("PAID_MANUALLY", manual=how))[0] is action

    def test_that_ramp_does_not_show_is_held(self) -> None:
        body = spend.bill() | {"status": "PAID", "payment": None}

        assert payment_action(bill(body))[0] is HOLD


def with_credits(method: str, *credits_: dict[str, Any]) -> Bill:
    applied = [{"id": str(n), "amount": amount} for n, amount in enumerate(credits_)]
    body = spend.paid(spend.bill(10000), spend.payment(10000, method=method))
    return bill(body | {"applied_vendor_credits": applied})


class TestVendorCredits:
    @given(st.lists(st.integers(0, 5000), max_size=4).filter(lambda parts: sum(parts) < 10000))
    def test_lower_what_is_owed(self, parts: list[int]) -> None:
        one = with_credits("ACH", *map(spend.amount, parts))

        assert owed(one) == Money(10000 - sum(parts), "USD", 2)
        assert payment_action(one)[0] is POST

    @pytest.mark.parametrize("method", ["VENDOR_CREDIT", "ACH"])
    def test_that_settle_the_bill_leave_nothing_to_post(self, method: str) -> None:
        action, reason = payment_action(with_credits(method, spend.amount(10000)))

        assert action is CONFIRM
        assert "no money moved" in reason

    def test_that_do_not_settle_what_they_are_said_to_are_held_with_the_difference(self) -> None:
        action, reason = payment_action(with_credits("VENDOR_CREDIT", spend.amount(9000)))

        assert action is HOLD
        assert "10.00 USD" in reason

    @pytest.mark.parametrize("credit", [spend.amount(10001), spend.amount(100, "EUR")])
    def test_beyond_the_bill_or_in_another_currency_are_held(self, credit: dict[str, Any]) -> None:
        one = with_credits("ACH", credit)

        assert payment_action(one)[0] is HOLD
        with pytest.raises(CreditsDoNotFit):
            owed(one)

    def test_of_nothing_are_no_obstacle_in_any_currency(self) -> None:
        assert payment_action(with_credits("ACH", spend.amount(0, "EUR")))[0] is POST


class TestTransfers:
    @pytest.mark.parametrize(
        ("status", "action"),
        [
            ("COMPLETED", POST),
            ("ACH_CONFIRMED", WAIT),
            ("INITIATED", WAIT),
            ("NOT_ACKED", WAIT),
            ("PROCESSING_BY_ODFI", WAIT),
            ("SUBMITTED_TO_FED", WAIT),
            ("SUBMITTED_TO_RDFI", WAIT),
            ("UPLOADED", WAIT),
            ("RETURNED_BY_RDFI", HOLD),
            ("CANCELED", HOLD),
            ("ERROR", HOLD),
            ("NOT_ENOUGH_FUNDS", HOLD),
            ("REJECTED_BY_ODFI", HOLD),
            ("UNNECESSARY", HOLD),
        ],
    )
    def test_only_a_completed_one_is_posted(self, status: str, action: Action) -> None:
        one = Transfer.parse(json.dumps(spend.transfer(status=status)))

        assert transfer_action(one)[0] is action

    @given(WORDS.filter(lambda word: word != "COMPLETED"))
    def test_no_other_word_is_posted(self, status: str) -> None:
        one = Transfer.parse(json.dumps(spend.transfer(status=status)))

        assert transfer_action(one)[0] in (WAIT, HOLD)
