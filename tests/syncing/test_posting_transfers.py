"""Documents of what moves on the card's own account: transfers and cashback."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.mappings import MissingMapping
from syncing.cannot_post import NoAccountingDate, NothingToPost, TransferNotDue, UnexpectedSign
from tests import spend
from tests.syncing.posting_world import (
    BANK,
    CARD,
    CASHBACK,
    CURRENCIES,
    by_account,
    document,
    minor_units,
    with_profile,
)

AMOUNTS = st.integers(1, 10**12)
MAKE = {"transfer": spend.transfer, "cashback": spend.cashback}


@pytest.mark.parametrize(("kind", "counterpart"), [("transfer", BANK), ("cashback", CASHBACK)])
class TestBoth:
    @given(minor=AMOUNTS, currency=st.sampled_from(CURRENCIES))
    def test_lower_what_is_owed_on_the_card(
        self, kind: str, counterpart: str, minor: int, currency: str
    ) -> None:
        made = document(kind, MAKE[kind](minor, currency))

        card, other = made.lines
        assert (card.account, other.account) == (CARD, counterpart)
        assert minor_units(card.amount, currency) == minor
        assert made.total == 0

    def test_below_zero_are_held(self, kind: str, counterpart: str) -> None:
        """Ramp's contract does not say what it would mean."""
        with pytest.raises(UnexpectedSign, match=r"-1\.00 USD"):
            document(kind, MAKE[kind](-100))

    def test_of_nothing_make_no_entry(self, kind: str, counterpart: str) -> None:
        with pytest.raises(NothingToPost):
            document(kind, MAKE[kind](0))

    def test_without_a_date_are_held(self, kind: str, counterpart: str) -> None:
        with pytest.raises(NoAccountingDate):
            document(kind, MAKE[kind](created_at=None))

    def test_without_their_account_say_which_is_missing(self, kind: str, counterpart: str) -> None:
        bare = with_profile(bank_account="", cashback_account="")

        with pytest.raises(MissingMapping, match="account for") as missing:
            document(kind, MAKE[kind](), bare)

        assert missing.value.kind == "posting profile"


class TestTransfers:
    def test_leave_their_own_bank_account_if_the_profile_has_one(self) -> None:
        made = document("transfer", spend.transfer(100), with_profile(transfer_bank_account="1050"))

        assert by_account(made) == [(CARD, "1.00"), ("1050", "-1.00")]

    def test_that_came_back_are_held_for_a_person(self) -> None:
        with pytest.raises(TransferNotDue, match="returned"):
            document("transfer", spend.transfer(status="RETURNED_BY_RDFI"))

    def test_that_are_under_way_make_no_entry(self) -> None:
        with pytest.raises(TransferNotDue, match="submitted to fed"):
            document("transfer", spend.transfer(status="SUBMITTED_TO_FED"))
