"""Taxes and inventory items of a connection: what goes out, and what may come back."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle

Build = Callable[..., RampClient]
SEAT = "9f8b2c1e-1111-4a4a-8b8b-00000000000f"
RATE = {
    "ramp_id": "9f8b2c1e-1111-4a4a-8b8b-000000000001",
    "id": "vat",
    "name": "VAT",
    "rate": "0.2",
    "accounting_gl_account_id": "9f8b2c1e-1111-4a4a-8b8b-000000000002",
    "accounting_connection_id": SEAT,
}
CODE = {
    "ramp_id": "9f8b2c1e-1111-4a4a-8b8b-000000000003",
    "id": "full",
    "name": "Full",
    "is_active": True,
    "tax_rate_ids": ["vat"],
    "accounting_connection_id": SEAT,
}
NOT_FOUND = {
    "error_v2": {
        "error_code": "DEVELOPER_7002",
        "message": "Tax code not found",
        "additional_info": {},
        "notes": "",
        "error_id": "e",
    }
}


def page(*rows: dict[str, Any]) -> dict[str, Any]:
    return {"data": list(rows), "page": {"next": None}}


def answering(body: Any, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    content = json.dumps(body).encode()
    return lambda _: httpx.Response(status, content=content, headers={"x-trace-id": "t-1"})


class TestTaxes:
    @pytest.fixture
    def account(self, ramp: RampClient) -> UUID:
        """Ramp's id of a GL account."""
        ramp.create_connection(remote_provider_name="rampbridge")
        taken = ramp.upload_gl_accounts([{"id": "2", "name": "VAT", "classification": "LIABILITY"}])
        return taken.rows[0].ramp_id

    def test_go_up_in_their_order(self, ramp: RampClient, account: UUID) -> None:
        rates = ramp.upload_tax_rates(
            [
                {
                    "id": "vat",
                    "name": "VAT",
                    "rate": "0.055",
                    "accounting_gl_account_id": str(account),
                }
            ]
        )
        field = ramp.create_tax_code_field(name="Tax", display_name="VAT")
        codes = ramp.upload_tax_codes([{"id": "half", "name": "Half", "tax_rate_ids": ["vat"]}])

        assert rates.trace_id
        assert (rates.rows[0].rate, rates.rows[0].accounting_gl_account_id) == (
            Decimal("0.055"),
            account,
        )
        assert (field.name, field.display_name) == ("Tax", "VAT")
        assert codes.rows[0].tax_rate_ids == ("vat",)
        assert [one.id for one in ramp.tax_rates()] == ["vat"]
        assert [one.id for one in ramp.tax_codes(is_active=True)] == ["half"]

    def test_are_changed_and_deleted(self, ramp: RampClient, account: UUID) -> None:
        described = {"name": "x", "rate": "0.1", "accounting_gl_account_id": str(account)}
        rate, _ = ramp.upload_tax_rates(
            [{"id": "a", **described}, {"id": "b", **described}]  # type: ignore[typeddict-item]
        ).rows
        ramp.create_tax_code_field(name="Tax")
        (code,) = ramp.upload_tax_codes([{"id": "c", "name": "c", "tax_rate_ids": ["a"]}]).rows

        assert ramp.update_tax_rate(rate.ramp_id, rate="0.2").rate == Decimal("0.2")
        assert ramp.update_tax_code(code.ramp_id, tax_rate_ids=["b"]).tax_rate_ids == ("b",)
        assert ramp.update_tax_code_field(display_name="Taxes").display_name == "Taxes"
        ramp.delete_tax_rate(rate.ramp_id)
        ramp.delete_tax_code(code.ramp_id)
        ramp.delete_tax_code_field()

        assert [one.id for one in ramp.tax_rates()] == ["b"]
        assert [one.is_active for one in ramp.tax_codes()] == [False]
        assert ramp.tax_code_field() is None

    def test_that_come_too_early_are_refused(self, ramp: RampClient, account: UUID) -> None:
        with pytest.raises(errors.InvalidRequest) as refused:
            ramp.upload_tax_codes([{"id": "full", "name": "Full"}])

        assert refused.value.trace_id


class TestInventoryItems:
    def test_are_a_field_and_its_options(self, ramp: RampClient) -> None:
        ramp.create_connection(remote_provider_name="rampbridge")
        assert ramp.inventory_item() is None

        field = ramp.create_inventory_item(name="Item")
        (beans,) = ramp.upload_inventory_item_options([{"id": "1", "name": "Beans"}]).rows
        ramp.delete_inventory_item_option(beans.ramp_id)
        gone = [one.is_active for one in ramp.inventory_item_options()]
        again = ramp.update_inventory_item_option(beans.ramp_id, name="Green", reactivate=True)

        assert ramp.inventory_item() == field
        assert gone == [False]
        assert (again.name, again.is_active, again.gl_account_id) == ("Green", True, None)
        assert ramp.update_inventory_item(display_name="Goods").display_name == "Goods"
        ramp.delete_inventory_item()
        assert ramp.inventory_item() is None


class TestABadRow:
    def test_is_named_with_its_field(
        self, ramp: RampClient, sim: Simulator, business: BusinessHandle
    ) -> None:
        business.upload_chart()
        sim.fault("bad_row", row_id="v2", field="name", message="Too long.")

        with pytest.raises(errors.InvalidRequest) as refused:
            ramp.upload_vendors([{"id": "v1", "name": "A"}, {"id": "v2", "name": "B"}])

        assert refused.value.fields == {"vendors": {"1": {"name": ["Too long."]}}}
        assert refused.value.trace_id


class TestTheOneField:
    """`None` stands for "there is none", and for nothing else."""

    @pytest.mark.parametrize(
        "answer",
        [answering(NOT_FOUND, 404), answering({}), answering(None)],
        ids=["404", "empty object", "null"],
    )
    def test_is_none_if_there_is_none(self, ramp_that: Build, answer: Any) -> None:
        assert ramp_that(answer).tax_code_field() is None

    def test_is_not_none_where_the_path_is_unknown(self, ramp_that: Build) -> None:
        page_of_the_web = httpx.Response(404, html="<h1>Not Found</h1>")

        with pytest.raises(errors.NoSuchEndpoint):
            ramp_that(lambda _: page_of_the_web).tax_code_field()

    def test_is_not_none_where_the_token_is_unknown(self, ramp_that: Build) -> None:
        body = {"error_v2": {**NOT_FOUND["error_v2"], "message": "Access token x not found"}}

        with pytest.raises(errors.RampUnauthorised):
            ramp_that(answering(body, 404)).tax_code_field()

    @pytest.mark.parametrize("body", [[], "", 0, False, {"name": "Tax"}], ids=repr)
    def test_is_not_none_where_the_answer_is_nonsense(self, ramp_that: Build, body: Any) -> None:
        with pytest.raises(errors.SchemaSurprise) as surprise:
            ramp_that(answering(body)).tax_code_field()

        assert surprise.value.trace_id == "t-1"

    def test_is_not_none_where_a_web_page_comes(self, ramp_that: Build) -> None:
        with pytest.raises(errors.SchemaSurprise):
            ramp_that(lambda _: httpx.Response(200, html="<h1>Ramp</h1>")).tax_code_field()


class TestSurprises:
    @pytest.mark.parametrize("missing", ["ramp_id", "name", "rate"])
    def test_a_rate_without_its_facts(self, ramp_that: Build, missing: str) -> None:
        row = {key: value for key, value in RATE.items() if key != missing}

        with pytest.raises(errors.SchemaSurprise, match=missing):
            list(ramp_that(answering(page(row))).tax_rates())

    @pytest.mark.parametrize("rate", ["20 %", "NaN", "Infinity", None, {}, 0.1234567890123456789])
    def test_a_rate_that_is_no_exact_number(self, ramp_that: Build, rate: Any) -> None:
        text = f'{{"data": [{_with_rate(rate)}], "page": null}}'

        def answer(_: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=text)

        if isinstance(rate, float):  # the digits of JSON are kept, whatever a float makes of them
            (row,) = ramp_that(answer).tax_rates()
            assert row.rate == Decimal("0.12345678901234568")
            return
        with pytest.raises(errors.SchemaSurprise, match="rate"):
            list(ramp_that(answer).tax_rates())

    def test_keys_that_nobody_foresaw_are_ignored(self, ramp_that: Build) -> None:
        row = CODE | {"entity_remote_ids": None, "visibility": "SHADED", "code": "F"}

        (code,) = ramp_that(answering(page(row))).tax_codes()

        assert code.tax_rate_ids == ("vat",)

    def test_a_list_that_is_null_is_empty(self, ramp_that: Build) -> None:
        (code,) = ramp_that(answering(page(CODE | {"tax_rate_ids": None}))).tax_codes()

        assert code.tax_rate_ids == ()

    @pytest.mark.parametrize("body", [{}, [], {"tax_rates": None}, {"tax_rates": [{}]}], ids=repr)
    def test_an_upload_that_was_taken_and_not_told_of(self, ramp_that: Build, body: Any) -> None:
        """No `InvalidRequest`: that would say that nothing was stored."""
        with pytest.raises(errors.SchemaSurprise) as surprise:
            ramp_that(answering(body, 201)).upload_tax_rates([])

        assert surprise.value.trace_id == "t-1"

    def test_an_upload_whose_answer_is_lost(self, ramp_that: Build) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            ramp_that(answering({}, 504)).upload_tax_codes([])

    def test_a_body_has_the_keys_of_the_schema_and_no_others(self, ramp_that: Build) -> None:
        bodies: list[bytes] = []

        def answer(request: httpx.Request) -> httpx.Response:
            bodies.append(request.content)
            return (
                httpx.Response(204)
                if request.method == "DELETE"
                else httpx.Response(200, json=RATE | {"tax_rates": [], "options": []})
            )

        ramp = ramp_that(answer)
        ramp.update_tax_rate(uuid4(), rate="0.2")
        ramp.create_tax_code_field(name="Tax")
        ramp.upload_tax_codes([{"id": "a", "name": "A", "tax_rate_ids": []}])
        ramp.delete_tax_code_field()

        assert bodies == [
            b'{"rate":"0.2"}',
            b'{"name":"Tax"}',
            b'{"options":[{"id":"a","name":"A","tax_rate_ids":[]}]}',
            b"{}",
        ]


def _with_rate(rate: Any) -> str:
    return httpx.Response(200, json=RATE | {"rate": rate}).text
