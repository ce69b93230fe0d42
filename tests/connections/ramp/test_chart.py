"""The chart of a connection in Ramp: of the active one, and of one that is not active yet."""

import inspect
import json
from collections.abc import Callable
from uuid import UUID, uuid4

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.chart import Chart
from connections.ramp.client import RampClient

Build = Callable[..., RampClient]
INACTIVE = UUID("9f8b2c1e-1111-4a4a-8b8b-00000000000f")


@pytest.fixture(autouse=True)
def _seat(ramp: RampClient) -> None:
    ramp.create_connection(remote_provider_name="rampbridge")


class TestGLAccounts:
    def test_are_uploaded_changed_deleted_and_restored(self, ramp: RampClient) -> None:
        travel, meals = ramp.upload_gl_accounts(
            [
                {"id": "a1", "name": "Travel", "classification": "EXPENSE", "code": "6100"},
                {"id": "a2", "name": "Meals", "classification": "EXPENSE"},
            ]
        ).rows

        renamed = ramp.update_gl_account(travel.ramp_id, name="Trips", code="6101")
        ramp.delete_gl_account(meals.ramp_id)

        assert (renamed.name, renamed.code, renamed.id) == ("Trips", "6101", "a1")
        assert [one.id for one in ramp.gl_accounts(is_active=False)] == ["a2"]
        assert [one.id for one in ramp.gl_accounts(is_active=True)] == ["a1"]
        assert ramp.update_gl_account(meals.ramp_id, reactivate=True).is_active
        assert ramp.gl_account(meals.ramp_id).name == "Meals"
        assert {one.id for one in ramp.gl_accounts()} == {"a1", "a2"}

    def test_those_that_ramp_has_spoil_the_batch(self, ramp: RampClient) -> None:
        ramp.upload_gl_accounts([{"id": "a1", "name": "Travel", "classification": "EXPENSE"}])

        with pytest.raises(errors.InvalidRequest):
            ramp.upload_gl_accounts(
                [
                    {"id": "a1", "name": "Travel", "classification": "EXPENSE"},
                    {"id": "a2", "name": "Meals", "classification": "EXPENSE"},
                ]
            )

        assert [one.id for one in ramp.gl_accounts()] == ["a1"]

    def test_more_than_a_page_are_listed(self, ramp: RampClient) -> None:
        ramp.upload_gl_accounts(
            [{"id": f"a{n}", "name": f"A{n}", "classification": "EXPENSE"} for n in range(150)]
        )

        assert len(list(ramp.gl_accounts())) == 150


class TestVendors:
    def test_are_uploaded_changed_deleted_and_restored(self, ramp: RampClient) -> None:
        (vendor,) = ramp.upload_vendors([{"id": "v1", "name": "Staples", "code": "STA"}]).rows

        renamed = ramp.update_vendor(vendor.ramp_id, name="Staples Inc")
        ramp.delete_vendor(vendor.ramp_id)

        assert renamed.name == "Staples Inc"
        assert not ramp.vendor(vendor.ramp_id).is_active
        assert ramp.update_vendor(vendor.ramp_id, reactivate=True).is_active
        assert [one.id for one in ramp.vendors(remote_id="v1")] == ["v1"]


class TestFields:
    def test_are_created_changed_and_deleted(self, ramp: RampClient) -> None:
        field = ramp.create_field(
            id="department", name="Department", input_type="SINGLE_CHOICE", is_splittable=True
        )

        changed = ramp.update_field(field.ramp_id, name="Team")
        ramp.delete_field(field.ramp_id)

        assert field.is_splittable
        assert changed.name == "Team"
        assert not ramp.field(field.ramp_id).is_active
        again = ramp.create_field(id="department", name="X", input_type="SINGLE_CHOICE")
        assert (again.ramp_id, again.name, again.is_active) == (field.ramp_id, "Team", True)
        assert [one.id for one in ramp.fields()] == ["department"]

    def test_options_are_uploaded_changed_hidden_and_deleted(self, ramp: RampClient) -> None:
        field = ramp.create_field(id="department", name="Department", input_type="SINGLE_CHOICE")
        engineering, sales = ramp.upload_field_options(
            field.ramp_id,
            [{"id": "ENG", "value": "Engineering"}, {"id": "SAL", "value": "Sales", "code": "S"}],
        ).rows

        hidden = ramp.update_field_option(engineering.ramp_id, visibility="HIDDEN")
        ramp.delete_field_option(sales.ramp_id)

        assert hidden.is_active
        assert not hidden.is_selectable
        assert not ramp.field_option(sales.ramp_id).is_active
        assert ramp.update_field_option(sales.ramp_id, reactivate=True).is_selectable
        assert {one.id for one in ramp.field_options(field.ramp_id)} == {"ENG", "SAL"}


class TestInactive:
    def test_is_loaded_without_touching_the_active_one(self, ramp: RampClient) -> None:
        target = ramp.create_connection(remote_provider_name="rampbridge 2", is_active=False)
        chart = ramp.for_inactive(target.id)

        (account,) = chart.upload_gl_accounts(
            [{"id": "a1", "name": "Travel", "classification": "EXPENSE"}]
        ).rows
        chart.update_gl_account(account.ramp_id, name="Trips")
        field = chart.create_field(id="department", name="Team", input_type="SINGLE_CHOICE")
        (option,) = chart.upload_field_options(field.ramp_id, [{"id": "E", "value": "Eng"}]).rows
        chart.update_field_option(option.ramp_id, value="Engineering")

        assert not target.is_live
        assert [one.name for one in chart.gl_accounts()] == ["Trips"]
        assert [one.value for one in chart.field_options(field.ramp_id)] == ["Engineering"]
        assert list(ramp.gl_accounts()) == []
        assert list(ramp.fields()) == []
        assert account.accounting_connection_id == target.id

    def test_every_call_names_the_connection(self, ramp_that: Build) -> None:
        """However many methods the chart gets: this calls them all."""
        arguments = {
            "ramp_id": uuid4(),
            "field_ramp_id": uuid4(),
            "gl_accounts": [],
            "vendors": [],
            "options": [],
            "tax_rates": [],
            "tax_codes": [],
            "name": "Tax",
            "display_name": "",
        }
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(204)

        chart = ramp_that(answer).for_inactive(INACTIVE)
        methods = [name for name in dir(Chart) if not name.startswith("_")]
        for name in methods:
            method = getattr(chart, name)
            wanted = {
                parameter.name: arguments[parameter.name]
                for parameter in inspect.signature(method).parameters.values()
                if parameter.kind is not inspect.Parameter.VAR_KEYWORD
            }
            try:
                outcome = method(**wanted)
                list(outcome or ())
            except errors.SchemaSurprise:
                pass  # the answer is empty; what was sent counts

        silent = [request for request in sent if _names(request) != str(INACTIVE)]
        assert len(sent) == len(methods) == 20 + 12 + 8
        assert [(request.method, "field-options" in request.url.path) for request in silent] == [
            ("PATCH", True)  # has no such key; its option names the connection
        ]

    def test_offers_nothing_that_would_reach_the_active_connection(self) -> None:
        assert not hasattr(Chart, "post_syncs")
        assert not hasattr(Chart, "delete_connection")


def _names(request: httpx.Request) -> object:
    if request.method == "GET":
        return request.url.params.get("accounting_connection_id")
    return json.loads(request.content).get("accounting_connection_id")
