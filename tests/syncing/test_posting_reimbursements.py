"""Documents of reimbursements: both directions, any currency, to the minor unit or none."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import DocKind
from connections.mappings import MissingMapping
from syncing.cannot_post import (
    LinesDoNotAddUp,
    NoAccountingDate,
    NoCoding,
    NothingToPost,
    UnexpectedSign,
    UnknownValue,
)
from tests import spend
from tests.syncing.posting_world import (
    CURRENCIES,
    PAYBACK,
    TENANT,
    by_account,
    document,
    minor_units,
    with_profile,
)

AMOUNTS = st.integers(1, 10**11)
PARTS = st.lists(st.integers(1, 10**9), min_size=1, max_size=12)


class TestBalance:
    @given(PARTS, st.sampled_from(CURRENCIES))
    def test_each_line_is_debited_and_the_whole_credited(
        self, parts: list[int], currency: str
    ) -> None:
        lines = [spend.line(part, currency, spend.account("6300")) for part in parts]

        made = document(
            "reimbursement", spend.reimbursement(sum(parts), currency, line_items=lines)
        )

        assert made.total == 0
        assert [minor_units(one.amount, currency) for one in made.lines[:-1]] == parts
        assert minor_units(made.lines[-1].amount, currency) == -sum(parts)
        assert made.lines[-1].account == PAYBACK

    @given(AMOUNTS, PARTS, st.sampled_from([("USD", "JPY"), ("JPY", "EUR"), ("KWD", "USD")]))
    def test_lines_in_what_was_spent_share_what_is_paid(
        self, minor: int, parts: list[int], currencies: tuple[str, str]
    ) -> None:
        """Gotcha 30."""
        own, theirs = currencies
        lines = [spend.line(part, theirs, spend.account("6300")) for part in parts]

        made = document("reimbursement", spend.reimbursement(minor, own, line_items=lines))

        assert made.total == 0
        assert made.currency == own
        shares = [minor_units(one.amount, own) for one in made.lines[:-1]]
        assert sum(shares) == minor
        for share, part in zip(shares, parts, strict=True):
            assert abs(share - Decimal(minor) * part / sum(parts)) < 1

    @given(PARTS, st.sampled_from(CURRENCIES))
    def test_what_is_paid_back_turns_every_sign(self, parts: list[int], currency: str) -> None:
        lines = [spend.line(part, currency, spend.account("6300")) for part in parts]
        body = spend.reimbursement(sum(parts), currency, line_items=lines)

        out = document("reimbursement", body)
        back = document("reimbursement", body | {"direction": "USER_TO_BUSINESS"})

        assert [one.amount for one in back.lines] == [-one.amount for one in out.lines]

    def test_a_refund_turns_every_sign_too(self) -> None:
        """An airline gives the employee money back that the business had reimbursed."""
        refunded = document("reimbursement", spend.reimbursement(-7755))

        assert by_account(refunded) == [("6300", "-77.55"), (PAYBACK, "77.55")]

    def test_what_is_paid_back_counts_as_the_business_gets_it(self) -> None:
        """The employee pays 90 euros, the business gets 99 dollars."""
        body = spend.reimbursement(
            9000,
            "EUR",
            direction="USER_TO_BUSINESS",
            payee_amount=spend.amount(9900, "USD"),
            line_items=[spend.line(9000, "EUR", spend.account("6300"))],
        )

        made = document("reimbursement", body)

        assert made.currency == "USD"
        assert by_account(made) == [("6300", "-99.00"), (PAYBACK, "99.00")]

    @pytest.mark.parametrize(("kind", "words"), [("MILEAGE", "Mileage"), ("PER_DIEM", "Per diem")])
    def test_mileage_and_per_diem_are_expenses_like_any_other(self, kind: str, words: str) -> None:
        body = spend.reimbursement(2345, type=kind, merchant=None, distance=35.5, memo="")

        made = document("reimbursement", body)

        assert by_account(made) == [("6300", "23.45"), (PAYBACK, "-23.45")]
        assert made.memo == f"{words} · Ada Byron"


class TestContent:
    def test_is_a_journal_named_for_the_object(self) -> None:
        body = spend.reimbursement()

        made = document("reimbursement", body)

        assert made.kind is DocKind.JOURNAL
        assert made.ref.full == f"ramp-{TENANT}-journal-{body['id']}"
        assert made.entity == "erp-1"

    def test_is_dated_by_the_accounting_date_else_the_expense(self) -> None:
        dated = spend.reimbursement(accounting_date="2026-11-08T00:00:00+00:00")

        assert str(document("reimbursement", dated).posting_date) == "2026-11-08"
        assert str(document("reimbursement", spend.reimbursement()).posting_date) == "2026-11-05"

    def test_what_the_body_is_coded_with_holds_for_its_lines(self) -> None:
        department = spend.selection("OTHER", "ENG", field="department")
        body = spend.reimbursement(accounting_field_selections=[department])

        assert document("reimbursement", body).lines[0].dimensions == {"department": "ENG"}

    def test_codings_that_live_in_ramp_only_are_not_posted(self) -> None:
        ramp_only = spend.selection("NON_ERP", "x", field="mood")
        body = spend.reimbursement(accounting_field_selections=[ramp_only])

        assert document("reimbursement", body).lines[0].dimensions == {}


class TestRefusals:
    def test_without_an_account_for_reimbursements_it_says_which(self) -> None:
        with pytest.raises(MissingMapping) as missing:
            document("reimbursement", spend.reimbursement(), with_profile(reimbursement_account=""))

        assert missing.value.kind == "posting profile"
        assert missing.value.name == "account for reimbursements"

    @given(st.text(max_size=20).filter(lambda w: w not in ("BUSINESS_TO_USER", "USER_TO_BUSINESS")))
    def test_in_a_direction_nobody_knows_it_is_held(self, direction: str) -> None:
        with pytest.raises(UnknownValue, match="direction"):
            document("reimbursement", spend.reimbursement(direction=direction))

    def test_paid_back_below_zero_is_held_for_it_could_mean_either(self) -> None:
        with pytest.raises(UnexpectedSign):
            document("reimbursement", spend.reimbursement(-100, direction="USER_TO_BUSINESS"))

    def test_of_nothing_makes_no_entry(self) -> None:
        with pytest.raises(NothingToPost):
            document("reimbursement", spend.reimbursement(0))

    def test_with_lines_that_do_not_add_up_it_is_held_with_the_difference(self) -> None:
        body = spend.reimbursement(1000, line_items=[spend.line(900, "USD", spend.account("6300"))])

        with pytest.raises(LinesDoNotAddUp, match=r"difference of 1\.00 USD"):
            document("reimbursement", body)

    def test_without_coding_it_is_held_unless_there_is_a_fallback(self) -> None:
        body = spend.reimbursement(line_items=[spend.line(9000)])

        with pytest.raises(NoCoding):
            document("reimbursement", body)
        made = document("reimbursement", body, with_profile(fallback_expense_account="6400"))
        assert made.lines[0].account == "6400"

    def test_without_any_date_it_is_held(self) -> None:
        with pytest.raises(NoAccountingDate):
            document("reimbursement", spend.reimbursement(transaction_date=None))
