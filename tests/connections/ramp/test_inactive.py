"""No call about an inactive connection can reach the active one (R-95)."""

import inspect
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.chart import Chart
from connections.ramp.client import RampClient
from connections.ramp.inactive import AnswersForAnother, InactiveChart, NamesAnother

Build = Callable[..., RampClient]
INACTIVE = UUID("9f8b2c1e-1111-4a4a-8b8b-00000000000f")
ANOTHER = UUID("9f8b2c1e-2222-4a4a-8b8b-00000000000f")
OPTION = "accounting/field-options"
VALUES: Mapping[str, Any] = {
    "ramp_id": uuid4(),
    "field_ramp_id": uuid4(),
    "gl_accounts": [{"id": "1", "name": "Travel", "classification": "EXPENSE"}],
    "vendors": [{"id": "1", "name": "Uline"}],
    "options": [{"id": "1", "name": "One"}],
    "tax_rates": [{"id": "1", "name": "Tax", "rate": "0.1", "accounting_gl_account_id": "x"}],
    "tax_codes": [{"id": "1", "name": "Tax"}],
    "name": "Tax",
    "display_name": "",
}
METHODS = sorted(
    name
    for name, member in inspect.getmembers(InactiveChart)
    if not name.startswith("_") and inspect.isfunction(member)
)


class Line:
    """Remembers what was sent over it."""

    def __init__(self, ramp_that: Build) -> None:
        self.sent: list[httpx.Request] = []
        self.answer = httpx.Response(204)
        self.client = ramp_that(self._take)
        self.chart = self.client.for_inactive(INACTIVE)

    def _take(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        return self.answer


@pytest.fixture
def line(ramp_that: Build) -> Line:
    return Line(ramp_that)


def call(chart: Chart, name: str) -> None:
    """The method with something for each argument, and whatever it yields."""
    method = getattr(chart, name)
    wanted = inspect.signature(method).parameters.values()
    arguments = {
        one.name: VALUES[one.name]
        for one in wanted
        if one.kind is not inspect.Parameter.VAR_KEYWORD
    }
    with suppress(errors.SchemaSurprise):  # the answer is empty; what was sent counts
        list(method(**arguments) or ())


@pytest.mark.parametrize("name", METHODS)
def test_every_method_sends_one_request_that_names_the_connection(line: Line, name: str) -> None:
    call(line.chart, name)

    (request,) = line.sent
    if request.method == "GET":
        assert request.url.params.get_list("accounting_connection_id") == [str(INACTIVE)]
    elif name == "update_field_option":
        assert request.method == "PATCH"
        assert OPTION in request.url.path, "the one call whose schema has no such key"
    else:
        assert json.loads(request.content)["accounting_connection_id"] == str(INACTIVE)


@pytest.mark.parametrize("name", [one for one in METHODS if one != "update_field_option"])
def test_a_method_that_forgets_the_connection_sends_nothing(line: Line, name: str) -> None:
    line.chart._scope = {}  # as if it had been written without it

    with pytest.raises(NamesAnother, match="would change or read the active one"):
        call(line.chart, name)

    assert line.sent == []


class _WithANewMethod(InactiveChart):
    def upload_projects(self, body: Mapping[str, object] | bytes | None) -> None:
        """Added later, by somebody who has not heard of the rule."""
        self._api.call("POST", "accounting/projects", body=body)

    def put_projects(self) -> None:
        self._api.call("PUT", "accounting/projects", body={})

    def delete_everything(self) -> None:
        self._api.call("DELETE", "accounting/connection")

    def list_projects(self, **params: object) -> None:
        self._api.call("GET", "accounting/projects", params=params)

    def put_option_of_another_sort(self) -> None:
        self._api.call("PATCH", f"{OPTION}/{uuid4()}/rules", body={})

    def delete_option(self) -> None:
        self._api.call("DELETE", f"{OPTION}/{uuid4()}")

    def in_its_own_way(self) -> None:
        request = self._api._http.build_request("POST", f"{self._api.base_url}/developer/v1/x")
        self._api._send(request, changes=True)


class TestWhateverMethodSomebodyAddsLater:
    @pytest.fixture
    def chart(self, line: Line) -> _WithANewMethod:
        return _WithANewMethod(line.client._api, INACTIVE)

    @pytest.mark.parametrize(
        "body",
        [
            None,
            {},
            {"projects": []},
            {"accounting_connection_id": None},
            {"accounting_connection_id": str(ANOTHER)},
            {"accounting_connection_id": [str(INACTIVE)]},
            {"projects": [{"accounting_connection_id": str(INACTIVE)}]},
            b"",
            b"not json",
            b"[]",
            b'{"accounting_connection_id"',
        ],
    )
    def test_a_body_without_the_connection_is_refused(
        self, line: Line, chart: _WithANewMethod, body: Mapping[str, object] | bytes | None
    ) -> None:
        with pytest.raises(NamesAnother):
            chart.upload_projects(body)

        assert line.sent == []

    @pytest.mark.parametrize(
        "name",
        [
            "put_projects",
            "delete_everything",
            "list_projects",
            "put_option_of_another_sort",
            "delete_option",
            "in_its_own_way",
        ],
    )
    def test_nor_does_another_sort_of_request_get_out(
        self, line: Line, chart: _WithANewMethod, name: str
    ) -> None:
        with pytest.raises(NamesAnother):
            getattr(chart, name)()

        assert line.sent == []

    def test_a_list_that_names_two_connections_is_refused(
        self, line: Line, chart: _WithANewMethod
    ) -> None:
        with pytest.raises(NamesAnother):
            chart.list_projects(accounting_connection_id=ANOTHER)

        assert line.sent == []

    def test_what_names_it_goes_out(self, line: Line, chart: _WithANewMethod) -> None:
        chart.upload_projects({"accounting_connection_id": str(INACTIVE), "projects": []})

        assert len(line.sent) == 1


class TestAnswersAboutAnotherConnection:
    """Ramp ignores what it does not know: then it has answered about the active one."""

    @pytest.mark.parametrize("where", ["top", "row"])
    def test_end_the_work(self, line: Line, where: str) -> None:
        row = {"ramp_id": str(uuid4()), "id": "1", "name": "Uline"}
        named = {"accounting_connection_id": str(ANOTHER)}
        document = {"vendors": [row | named]} if where == "row" else {"vendors": [row], **named}
        line.answer = httpx.Response(201, json=document)

        with pytest.raises(AnswersForAnother, match=str(ANOTHER)):
            line.chart.upload_vendors([{"id": "1", "name": "Uline"}])

    def test_are_no_matter_where_ours_is_named(self, line: Line) -> None:
        row = {
            "ramp_id": str(uuid4()),
            "id": "1",
            "name": f'"accounting_connection_id": "{ANOTHER}"',
        }
        line.answer = httpx.Response(
            201, json={"vendors": [row], "accounting_connection_id": str(INACTIVE).upper()}
        )

        assert len(line.chart.upload_vendors([{"id": "1", "name": "Uline"}]).rows) == 1


def test_the_active_connections_chart_is_of_another_type(line: Line) -> None:
    assert isinstance(line.chart, InactiveChart)
    assert not isinstance(line.client, InactiveChart)


def test_counts_its_own_calls(line: Line) -> None:
    call(line.chart, "gl_accounts")

    assert (line.chart.calls, line.client.calls) == (1, 0)
