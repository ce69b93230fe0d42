"""Documents of card transactions: they balance to the minor unit, or none is made."""

import json
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import DocKind, Document
from connections.mappings import EntityTarget, MappingSet, MissingMapping, Profile, Target
from connections.ramp.schemas import Transaction
from rampbridge.lib.money import MINOR_UNITS
from syncing.cannot_post import (
    LinesDoNotAddUp,
    LinesInSeveralCurrencies,
    NoAccountingDate,
    NoCoding,
    NothingToPost,
)
from syncing.posting import document_for
from tests.syncing.world import CARD, ENTITY, coding, mapping_set, transaction_body

TENANT = "harbor"
AMOUNTS = st.integers(min_value=-(10**12), max_value=10**12).filter(bool)


def document(body: dict[str, Any], mappings: MappingSet | None = None) -> Document:
    """The document of a transaction, by way of its JSON text as in production."""
    return document_for(
        "transaction", json.dumps(body), mappings=mappings or mapping_set(), tenant=TENANT
    )


def line(minor: int, currency: str = "USD", account: str | None = "6200") -> dict[str, Any]:
    """A line whose amount is in the given currency."""
    return {
        "amount": {
            "amount": minor,
            "currency_code": currency,
            "minor_unit_conversion_rate": 10 ** MINOR_UNITS[currency],
        },
        "accounting_field_selections": [coding(account)] if account else [],
    }


def settled(minor: int, currency: str, *lines: dict[str, Any]) -> dict[str, Any]:
    """A transaction settled in a currency, with the given lines."""
    return transaction_body(
        currency_code=currency,
        entity_amount={"value": minor, "currency": currency},
        line_items=list(lines),
    )


def minor_units(amount: Decimal, currency: str) -> Decimal:
    return amount.scaleb(MINOR_UNITS[currency])


class TestBalance:
    @given(AMOUNTS, st.sampled_from(["USD", "JPY", "KWD", "EUR"]))
    def test_a_purchase_or_refund_balances_in_its_currency(self, minor: int, currency: str) -> None:
        made = document(settled(minor, currency, line(minor, currency)))

        assert made.total == 0
        (card,) = [one for one in made.lines if one.account == CARD]
        assert minor_units(card.amount, currency) == -minor

    @given(
        st.lists(AMOUNTS, min_size=1, max_size=12).filter(sum),
        st.sampled_from(["USD", "JPY", "KWD"]),
    )
    def test_a_split_keeps_each_line_to_the_minor_unit(
        self, parts: list[int], currency: str
    ) -> None:
        made = document(settled(sum(parts), currency, *(line(part, currency) for part in parts)))

        assert made.total == 0
        assert [minor_units(one.amount, currency) for one in made.lines[:-1]] == parts

    @given(
        AMOUNTS,
        st.lists(st.integers(min_value=1, max_value=10**9), min_size=1, max_size=12),
        st.sampled_from([("USD", "JPY"), ("JPY", "EUR"), ("KWD", "USD")]),
    )
    def test_lines_in_the_merchants_currency_share_the_header_exactly(
        self, minor: int, foreign: list[int], currencies: tuple[str, str]
    ) -> None:
        """Contract C9: seen live, lines carry what the merchant charged."""
        own, theirs = currencies
        made = document(settled(minor, own, *(line(part, theirs) for part in foreign)))

        assert made.total == 0
        assert made.currency == own
        shares = [minor_units(one.amount, own) for one in made.lines[:-1]]
        assert sum(shares) == minor
        for share, part in zip(shares, foreign, strict=True):
            assert abs(share - Decimal(minor) * part / sum(foreign)) < 1

    def test_the_converted_amount_counts_where_ramp_says_it(self) -> None:
        part = line(999, "EUR") | {"converted_amount": line(1100)["amount"]}

        made = document(settled(1100, "USD", part))

        assert [one.amount for one in made.lines] == [Decimal("11.00"), Decimal("-11.00")]

    def test_a_refund_turns_the_signs_of_its_purchase(self) -> None:
        purchase = document(settled(1001, "USD", line(3, "EUR"), line(4, "EUR")))
        refund = document(settled(-1001, "USD", line(3, "EUR"), line(4, "EUR")))

        assert [one.amount for one in refund.lines] == [-one.amount for one in purchase.lines]

    def test_a_transaction_without_lines_is_one_line(self) -> None:
        body = transaction_body(1234, line_items=[], accounting_field_selections=[coding("6300")])

        made = document(body)

        assert [(one.account, str(one.amount)) for one in made.lines] == [
            ("6300", "12.34"),
            (CARD, "-12.34"),
        ]

    def test_a_single_line_without_an_amount_takes_the_whole(self) -> None:
        part = line(1) | {"amount": None}

        made = document(settled(500, "USD", part))

        assert str(made.lines[0].amount) == "5.00"


class TestRefusals:
    def test_zero_makes_no_entry(self) -> None:
        with pytest.raises(NothingToPost):
            document(settled(0, "USD", line(0)))

    @pytest.mark.matrix("X23")
    @given(st.integers(1, 10**6), st.integers(1, 10**6))
    def test_lines_that_do_not_add_up_are_held_with_the_difference(
        self, minor: int, excess: int
    ) -> None:
        """Matrix X23."""
        with pytest.raises(LinesDoNotAddUp, match=str(excess % 10)):
            document(settled(minor, "USD", line(minor + excess)))

    def test_says_how_much_is_missing(self) -> None:
        with pytest.raises(LinesDoNotAddUp) as refusal:
            document(settled(1000, "USD", line(600), line(300)))

        assert "9.00 USD" in refusal.value.title
        assert "difference of 1.00 USD" in refusal.value.title
        assert refusal.value.fix == "", "Ramp lets nobody make such a split, so it is ours"

    def test_lines_in_two_foreign_currencies_have_no_proportion(self) -> None:
        with pytest.raises(LinesInSeveralCurrencies) as refusal:
            document(settled(1000, "USD", line(600, "EUR"), line(300, "GBP")))

        assert "EUR and GBP" in refusal.value.title

    def test_foreign_lines_that_cancel_out_have_no_proportion(self) -> None:
        with pytest.raises(LinesDoNotAddUp):
            document(settled(1000, "USD", line(300, "EUR"), line(-300, "EUR")))

    def test_a_line_without_amount_among_others_is_held(self) -> None:
        with pytest.raises(LinesDoNotAddUp):
            document(settled(1000, "USD", line(600), line(400) | {"amount": None}))

    def test_a_line_without_coding_says_which(self) -> None:
        with pytest.raises(NoCoding) as refusal:
            document(settled(1000, "USD", line(600), line(400, account=None)))

        assert refusal.value.title == "Line 2 of 2 has no GL account."

    def test_without_any_date_it_is_held(self) -> None:
        body = transaction_body(accounting_date=None, user_transaction_time=None)

        with pytest.raises(NoAccountingDate):
            document(body)

    def test_an_account_the_erp_does_not_have_is_named(self) -> None:
        with pytest.raises(MissingMapping) as missing:
            document(transaction_body(account="7777"))

        assert (missing.value.kind, missing.value.value) == ("GL account", "7777")

    def test_an_entity_nobody_has_mapped_stops_its_items(self) -> None:
        with pytest.raises(MissingMapping, match="entity"):
            document(transaction_body(entity_id=str(uuid.uuid4())))

    def test_an_object_of_another_type_makes_no_document(self) -> None:
        with pytest.raises(ValueError, match="statement"):
            document_for("statement", "{}", mappings=mapping_set(), tenant=TENANT)


class TestContent:
    def test_names_the_ramp_object_the_same_way_for_ever(self) -> None:
        body = transaction_body()

        assert document(body).ref == document(body | {"memo": "another"}).ref
        assert document(body).ref.full == f"ramp-{TENANT}-journal-{body['id']}"
        assert document(body).kind is DocKind.JOURNAL

    def test_survives_being_frozen_as_json(self) -> None:
        made = document(settled(1001, "USD", line(3, "EUR"), line(4, "EUR")))

        assert Document.from_json(json.loads(json.dumps(made.to_json()))) == made

    def test_posts_on_the_accounting_date_in_utc(self) -> None:
        late = transaction_body(accounting_date="2026-11-05T23:30:00-05:00")

        assert document(late).posting_date.isoformat() == "2026-11-06"

    def test_posts_on_the_day_of_purchase_if_ramp_says_no_other(self) -> None:
        assert document(transaction_body(accounting_date=None)).posting_date.day == 4

    def test_a_line_inherits_what_it_leaves_out_from_the_body(self) -> None:
        body = transaction_body(account=None, accounting_field_selections=[coding("6400")])

        assert document(body).lines[0].account == "6400"

    def test_a_field_that_lives_in_ramp_only_is_not_posted(self) -> None:
        ramp_only = coding("6300") | {"type": "NON_ERP", "category_info": None}
        body = transaction_body(account=None, accounting_field_selections=[ramp_only])

        with pytest.raises(NoCoding):
            document(body)

    def test_carries_dimensions_by_our_own_field_ids(self) -> None:
        selection = coding("ENG") | {
            "type": "OTHER",
            "category_info": {"external_id": "department", "name": "Department", "type": "OTHER"},
        }
        body = transaction_body(accounting_field_selections=[selection])

        made = document(body)

        assert made.lines[0].dimensions == {"department": "ENG"}
        assert made.lines[1].dimensions == {}, "the card's side carries none"

    def test_a_line_without_coding_goes_to_the_fallback_account_if_there_is_one(self) -> None:
        mappings = MappingSet(
            entities={str(ENTITY): EntityTarget("Harbor", "", is_mapped=True)},
            profiles={"": Profile(card_liability_account=CARD, fallback_expense_account="6999")},
        )

        assert document(transaction_body(account=None), mappings).lines[0].account == "6999"

    def test_an_entity_with_its_own_profile_uses_its_own_card_account(self) -> None:
        mappings = MappingSet(
            accounts={"6200": Target("6200", "Software")},
            entities={str(ENTITY): EntityTarget("Harbor", "erp-2", is_mapped=True)},
            profiles={"": Profile(CARD), str(ENTITY): Profile("2160")},
        )

        made = document(transaction_body(), mappings)

        assert made.lines[-1].account == "2160"
        assert made.entity == "erp-2"

    def test_reads_money_digit_by_digit(self) -> None:
        """A float on the way would make 1.1 of it 1.100000000000000088."""
        body = transaction_body(line_items=[], accounting_field_selections=[coding("6200")])
        text = json.dumps(body).replace('"amount": 12.34', '"amount": 1234567890.11')

        made = document_for("transaction", text, mappings=mapping_set(), tenant=TENANT)

        assert str(made.lines[0].amount) == "1234567890.11"
        assert Transaction.parse(text).money.minor == 123456789011
