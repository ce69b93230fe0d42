from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import (
    AccountingConnection,
    FieldOption,
    LineItem,
    MintedToken,
    Selection,
    Transaction,
    Webhook,
)
from rampbridge.lib.money import Money

ID = "9f8b2c1e-1111-4a4a-8b8b-000000000001"
BARE = {"id": ID, "amount": 90.0, "currency_code": "USD"}


def selection(type_: str, external_id: str, field: str = "", **more: Any) -> dict[str, Any]:
    info = {"id": "f", "external_id": field, "name": field, "type": type_}
    return {"id": "o", "external_id": external_id, "category_info": info, **more}


class TestMoney:
    def test_entity_amount_is_preferred(self) -> None:
        bought = Transaction.read(
            BARE | {"amount": 12.0, "entity_amount": {"value": 1099, "currency": "USD"}}
        )

        assert bought.money == Money(1099, "USD", 2)

    @pytest.mark.parametrize("text", ["0.1", "1234567.89", "90.0", "-12.34", "90071992547409.91"])
    def test_the_legacy_number_keeps_every_digit(self, text: str) -> None:
        bought = Transaction.parse(f'{{"id": "{ID}", "amount": {text}, "currency_code": "USD"}}')

        assert str(bought.money) == f"{float(text):.2f} USD"

    def test_digits_that_a_float_would_lose_are_kept(self) -> None:
        text = "9007199254740993.01"

        bought = Transaction.parse(f'{{"id": "{ID}", "amount": {text}, "currency_code": "USD"}}')

        assert str(bought.money) == f"{text} USD"

    def test_a_float_that_has_lost_digits_is_refused(self) -> None:
        with pytest.raises(SchemaSurprise, match="lost digits"):
            Transaction.read(BARE | {"amount": 9007199254740993.01})

    @given(st.integers(-(10**13), 10**13))
    def test_a_float_that_has_not_is_fine(self, cents: int) -> None:
        money = Money(cents, "USD", 2)

        assert Transaction.read(BARE | {"amount": float(money.decimal)}).money == money

    def test_ramps_factor_is_used(self) -> None:
        yen = BARE | {"amount": 1200, "currency_code": "JPY"}

        assert str(Transaction.read(yen).money) == "1200 JPY"
        assert str(Transaction.read(yen | {"minor_unit_conversion_rate": 1}).money) == "1200 JPY"

    @pytest.mark.parametrize(
        "fault",
        [
            {"amount": 12.345},
            {"amount": None},
            {"currency_code": "XXX"},
            {"currency_code": None},
            {"minor_unit_conversion_rate": 50},
            {"line_items": [{"amount": {"amount": 1, "currency_code": "XXX"}}]},
            {"line_items": [{"amount": {"amount": 1.5, "currency_code": "USD"}}]},
            {"entity_amount": {"value": 2**70, "currency": "USD"}},
        ],
    )
    def test_what_is_no_money_is_found_on_reading(self, fault: dict[str, Any]) -> None:
        with pytest.raises(SchemaSurprise):
            Transaction.read(BARE | fault)

    def test_a_line_is_in_the_cards_currency(self) -> None:
        euro = {"amount": 1000, "currency_code": "EUR", "minor_unit_conversion_rate": 100}
        dollar = {"amount": 1100, "currency_code": "USD", "minor_unit_conversion_rate": 100}

        converted = LineItem.read({"amount": euro, "converted_amount": dollar})
        only_amount = LineItem.read({"amount": dollar, "converted_amount": None})

        assert converted.money == only_amount.money == Money(1100, "USD", 2)
        assert LineItem.read({"amount": None, "converted_amount": None}).money is None

    def test_the_merchants_own_amount_is_told(self) -> None:
        euro = {"amount": 1000, "currency_code": "EUR"}

        abroad = Transaction.read(BARE | {"original_transaction_amount": euro})

        assert str(abroad.original_money) == "10.00 EUR"
        assert Transaction.read(BARE).original_money is None


class TestTransaction:
    def test_words_newer_than_this_program_are_kept(self) -> None:
        bought = Transaction.read(BARE | {"state": "TELEPORTED", "sync_status": "ALMOST"})

        assert (bought.state, bought.sync_status) == ("TELEPORTED", "ALMOST")

    def test_null_is_as_good_as_absent(self) -> None:
        nulls = dict.fromkeys(set(Transaction.model_fields) - {"id", "amount", "currency_code"})

        bought = Transaction.read(nulls | BARE)

        assert bought == Transaction.read(BARE)

    def test_times_without_an_offset_are_utc(self) -> None:
        bought = Transaction.read(BARE | {"accounting_date": "2026-03-04T05:06:07"})

        assert bought.accounting_date == datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

    def test_says_who_bought(self) -> None:
        holder = {"first_name": "Ada", "last_name": None, "department_name": "Engineering"}

        holder_read = Transaction.read(BARE | {"card_holder": holder}).card_holder

        assert holder_read is not None
        assert holder_read.name == "Ada"

    def test_reasons_name_the_place_and_not_the_value(self) -> None:
        faulty = deepcopy(BARE) | {"line_items": [{"amount": {"amount": "canary"}}]}

        with pytest.raises(SchemaSurprise) as caught:
            Transaction.read(faulty)

        assert "line_items.0.amount.amount" in str(caught.value)
        assert "canary" not in str(caught.value)
        assert isinstance(caught.value.__cause__, ValidationError)
        assert "canary" not in str(caught.value.__cause__)

    @pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "<h1>Oops</h1>", '{"a": 1e400'])
    def test_what_is_not_json_is_a_surprise(self, text: str) -> None:
        with pytest.raises(SchemaSurprise, match="not JSON"):
            Transaction.parse(text)


class TestCodings:
    def test_the_type_of_the_field_counts_first(self) -> None:
        both = Selection.read(selection("GL_ACCOUNT", "6100", "Category", type="OTHER"))
        old = Selection.read({"external_id": "6100", "type": "GL_ACCOUNT"})

        assert (both.type, both.field_external_id) == ("GL_ACCOUNT", "Category")
        assert (old.type, old.field_external_id) == ("GL_ACCOUNT", "")

    def test_fields_that_live_in_ramp_only_are_told_apart(self) -> None:
        assert not Selection.read(selection("NON_ERP", "x")).is_for_erp
        assert Selection.read(selection("OTHER", "ENG", "department")).is_for_erp

    def test_a_line_inherits_what_it_does_not_say_itself(self) -> None:
        body = [
            selection("MERCHANT", "V1", "Merchant"),
            selection("OTHER", "ENG", "department"),
            selection("OTHER", "P1", "project"),
        ]
        line = [
            selection("GL_ACCOUNT", "6100", "Category"),
            selection("OTHER", "SAL", "department"),
        ]
        bought = Transaction.read(
            BARE
            | {
                "accounting_field_selections": body,
                "line_items": [{"accounting_field_selections": line}],
            }
        )

        codings = bought.codings(bought.line_items[0])

        assert [coding.external_id for coding in codings] == ["6100", "SAL", "V1", "P1"]


class TestOthers:
    @pytest.mark.parametrize(
        ("facts", "is_live"),
        [
            ({"is_active": True, "status": "UNLINKED"}, True),
            ({"is_active": False, "status": "linked"}, False),
            ({"status": "LINKED"}, True),
            ({"status": "linked"}, True),
            ({"status": "unlinked"}, False),
            ({}, False),
        ],
    )
    def test_a_connection_is_live_if_it_says_so(
        self, facts: dict[str, object], is_live: bool
    ) -> None:
        assert AccountingConnection.read({"id": ID, **facts}).is_live is is_live

    def test_a_hidden_option_cannot_be_chosen(self) -> None:
        facts = {"ramp_id": ID, "id": "ENG", "value": "Engineering", "is_active": True}

        assert FieldOption.read(facts).is_selectable
        assert not FieldOption.read(facts | {"visibility": "HIDDEN"}).is_selectable
        assert not FieldOption.read(facts | {"is_active": False}).is_selectable

    def test_secrets_are_not_shown(self) -> None:
        webhook = Webhook.read({"id": "1", "secret": "ramp_sec_canary", "status": "ACTIVE"})
        token = MintedToken.read({"access_token": "tok_canary", "expires_in": 1})

        assert webhook.is_active
        assert "canary" not in repr(webhook) + repr(token)


@pytest.mark.parametrize(
    ("stated", "read"),
    [
        (["r1", "r2"], ("r1", "r2")),
        ([{"id": "r1"}, {"url": "no id"}, None, 7], ("r1",)),
        (None, ()),
        ("r1", ()),
    ],
)
def test_receipts_of_any_form_do_not_stop_the_spend(stated: object, read: object) -> None:
    bought = Transaction.read(BARE | {"receipts": stated})

    assert bought.receipts == read
