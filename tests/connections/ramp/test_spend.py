"""Reading reimbursements, bills, transfers, cashbacks, vendor credits, statements and receipts."""

import json
from typing import Any

import pytest

from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import Schema
from connections.ramp.spend import (
    Bill,
    Cashback,
    Receipt,
    Reimbursement,
    Statement,
    Transfer,
    VendorCredit,
)
from rampbridge.lib.money import Money
from tests import spend

WHOLE: list[tuple[type[Schema], spend.Body]] = [
    (Reimbursement, spend.reimbursement()),
    (Bill, spend.paid(spend.bill())),
    (Transfer, spend.transfer()),
    (Cashback, spend.cashback()),
    (VendorCredit, spend.vendor_credit()),
]
BARE: list[tuple[type[Schema], set[str]]] = [
    (Reimbursement, {"id", "amount", "currency"}),
    (Bill, {"id", "amount"}),
    (Transfer, {"id", "amount"}),
    (Cashback, {"id", "amount"}),
    (VendorCredit, {"id", "total_amount"}),
]


def by_name(value: object) -> str:
    return value.__name__ if isinstance(value, type) else ""


@pytest.mark.parametrize(("model", "body"), WHOLE, ids=by_name)
class TestAny:
    def test_keeps_words_it_does_not_know(self, model: type[Schema], body: spend.Body) -> None:
        body = body | {"sync_status": "HALF_SYNCED", "status": "NEW", "brand_new_key": 1}

        read = model.parse(json.dumps(body))

        for name in {"sync_status", "status"} & set(model.model_fields):
            assert getattr(read, name) == body[name]

    def test_says_what_is_wrong_without_its_value(
        self, model: type[Schema], body: spend.Body
    ) -> None:
        with pytest.raises(SchemaSurprise, match=f"{model.__name__}: id") as surprise:
            model.parse(json.dumps(body | {"id": "s3cret"}))

        assert "s3cret" not in str(surprise.value)


@pytest.mark.parametrize(("model", "needed"), BARE, ids=by_name)
def test_needs_no_more_than_what_it_is_and_how_much(model: type[Schema], needed: set[str]) -> None:
    body = next(body for one, body in WHOLE if one is model)
    everything_else: dict[str, Any] = dict.fromkeys(body.keys() - needed)

    model.parse(json.dumps({key: body[key] for key in needed} | everything_else))
    model.parse(json.dumps({key: body[key] for key in needed}))


class TestMoney:
    def test_of_a_reimbursement_is_exact_though_ramp_writes_a_number(self) -> None:
        text = json.dumps(spend.reimbursement()).replace('"amount": 90.0,', '"amount": 90.10,', 1)

        assert Reimbursement.parse(text).money == Money(9010, "USD", 2)

    def test_with_more_digits_than_its_currency_is_refused(self) -> None:
        with pytest.raises(SchemaSurprise, match="more digits"):
            Reimbursement.parse(json.dumps(spend.reimbursement() | {"amount": 90.123}))

    def test_of_yen_has_no_decimals(self) -> None:
        assert Bill.parse(json.dumps(spend.bill(1500, "JPY"))).money == Money(1500, "JPY", 0)

    def test_goes_by_ramps_own_factor(self) -> None:
        body = spend.transfer(amount=spend.amount(1500) | {"minor_unit_conversion_rate": 1000})

        assert Transfer.parse(json.dumps(body)).money == Money(1500, "USD", 3)


class TestParts:
    def test_lines_of_a_bill_are_expenses_and_then_goods(self) -> None:
        body = spend.bill(line_items=[spend.line(1)], inventory_line_items=[spend.line(2)])

        assert [line.money for line in Bill.parse(json.dumps(body)).lines] == [
            Money(1, "USD", 2),
            Money(2, "USD", 2),
        ]

    def test_a_line_of_a_bill_inherits_codings_of_its_body(self) -> None:
        body = spend.bill(line_items=[spend.line(11000, "USD", spend.account("6200"))])

        read = Bill.parse(json.dumps(body))

        assert [one.external_id for one in read.codings(read.lines[0])] == ["6200", "acme"]

    def test_a_day_stays_the_day_that_ramp_wrote(self) -> None:
        body = spend.reimbursement(transaction_date="2026-11-05T23:59:00-08:00")

        assert str(Reimbursement.parse(json.dumps(body)).transaction_date) == "2026-11-05"

    def test_a_payment_says_how_it_was_made(self) -> None:
        details = {"transaction_ids": ["t-1"], "spend_limit_id": "s"}
        body = spend.paid(spend.bill(), spend.payment(1, method="CARD", details=details))

        payment = Bill.parse(json.dumps(body)).payment

        assert payment is not None
        assert payment.details is not None
        assert (payment.payment_method, payment.details.transaction_ids) == ("CARD", ("t-1",))

    def test_a_statement_is_read_by_its_sections(self) -> None:
        sums = {
            name: spend.amount(minor)
            for name, minor in (
                ("opening_balance", 0),
                ("charges", 900),
                ("credits", 100),
                ("payments", 300),
                ("ending_balance", 500),
            )
        }
        body = {
            "id": spend.cashback()["id"],
            "start_date": "2026-10-01T00:00:00",
            "end_date": "2026-11-01T00:00:00+00:00",
            "balance_sections": [{"id": "s", "entity_id": str(spend.ENTITY), **sums}],
            "statement_lines": [{"id": None, "type": "NEW_KIND", "created_at": None}],
        }

        read = Statement.parse(json.dumps(body))

        assert read.balance_sections[0].ending_balance.money == Money(500, "USD", 2)
        assert read.statement_lines[0].type == "NEW_KIND"
        assert read.start_date.tzinfo is not None

    def test_a_receipt_has_an_address(self) -> None:
        body = {"id": spend.cashback()["id"], "receipt_url": "https://files.test/r.png"}

        assert Receipt.parse(json.dumps(body)).receipt_url == "https://files.test/r.png"
