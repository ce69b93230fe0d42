"""The lists of the client, against the pretend Ramp with a past of every kind."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from connections.clients import SCOPES
from connections.ramp import errors
from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.bodies import CodingSelection
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp_simulator.app import Simulator
from tests.connections.ramp.conftest import BASE_URL, Handler

Build = Callable[[Handler], RampClient]
OBJECTS = (
    "transaction",
    "reimbursement",
    "bill",
    "transfer",
    "cashback",
    "vendor_credit",
    "statement",
)


@pytest.fixture(scope="module")
def ramp() -> Iterator[RampClient]:
    """The client of a business with bills, claims and statements in dollars."""
    sim = Simulator.with_scenario("demo", rate_limit=False)
    business = sim.business("blue-mesa-solar")
    credentials = ClientCredentials(
        base_url=BASE_URL,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=SCOPES,
        store=MemoryTokenStore(),
        clock=lambda: datetime.now(UTC),
    )
    with httpx.Client(transport=httpx.WSGITransport(app=sim.wsgi)) as http:
        yield RampClient(base_url=BASE_URL, auth=credentials, http=http)
    sim.close()


def pages(ramp: RampClient, what: str, **params: Any) -> list[Page[Any]]:
    listing: Callable[..., Iterator[Page[Any]]] = getattr(ramp, f"{what}s")
    return list(listing(**params))


@pytest.mark.parametrize("what", OBJECTS)
class TestEveryList:
    def test_is_read_whole_and_without_a_surprise(self, ramp: RampClient, what: str) -> None:
        found = pages(ramp, what, page_size=2)

        assert sum(len(page.items) for page in found) > 0
        assert [page.malformed for page in found] == [[]] * len(found)
        assert found[-1].next_cursor is None

    def test_goes_on_where_it_was_left(self, ramp: RampClient, what: str) -> None:
        first, *rest = pages(ramp, what, page_size=2)

        again = pages(ramp, what, page_size=2, start=first.next_cursor) if rest else []

        assert [one.id for page in again for one in page.items] == [
            one.id for page in rest for one in page.items
        ]

    def test_each_object_comes_by_its_id_as_it_came(self, ramp: RampClient, what: str) -> None:
        listed = pages(ramp, what)[0].items[0]

        body = getattr(ramp, f"{what}_body")(listed.id)

        assert type(listed).parse(body).id == listed.id

    def test_one_that_is_not_there_is_not_found(self, ramp: RampClient, what: str) -> None:
        with pytest.raises(errors.NotFound):
            getattr(ramp, f"{what}_body")(uuid4())


class TestFilters:
    def test_what_employees_pay_back_is_asked_for(self, ramp: RampClient) -> None:
        (usual,) = {one.direction for page in ramp.reimbursements() for one in page.items}
        (asked,) = {
            one.direction
            for page in ramp.reimbursements(direction="USER_TO_BUSINESS")
            for one in page.items
        }

        assert (usual, asked) == ("BUSINESS_TO_USER", "USER_TO_BUSINESS")

    def test_ready_bills_are_asked_for(self, ramp: RampClient) -> None:
        ready = [one for page in ramp.bills(sync_ready=True) for one in page.items]

        assert ready
        assert all(one.sync_status != "BILL_AND_PAYMENT_SYNCED" for one in ready)

    def test_are_written_as_ramp_reads_them(self, ramp_that: Build) -> None:
        sent: list[httpx.Request] = []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(request)
            return httpx.Response(200, json={"data": [], "page": {"next": None}})

        ramp = ramp_that(answer)
        list(ramp.bills(sync_ready=True, from_payment_date=date(2026, 11, 1)))
        list(ramp.vendor_credits(include_fully_used=True))

        assert [(one.url.path, dict(one.url.params)) for one in sent] == [
            (
                "/developer/v1/bills",
                {"sync_ready": "true", "from_payment_date": "2026-11-01", "page_size": "100"},
            ),
            (
                "/developer/v1/vendors/credits",
                {"include_fully_used": "true", "page_size": "100"},
            ),
        ]


def test_a_receipt_opens_by_its_id(ramp: RampClient) -> None:
    with_receipt = next(
        UUID(one.receipts[0])
        for page in ramp.reimbursements()
        for one in page.items
        if one.receipts
    )

    assert ramp.receipt(with_receipt).receipt_url.startswith("http")


class TestCodings:
    """Contract C12: the list of codings has two names."""

    def code(self, ramp_that: Build, *statuses: int) -> list[dict[str, Any]]:
        left, sent = list(statuses), []

        def answer(request: httpx.Request) -> httpx.Response:
            sent.append(json.loads(request.content))
            body = {"error_v2": {"error_code": "DEVELOPER_7001", "message": "Unknown field."}}
            return httpx.Response(left.pop(0), json=body)

        selections: list[CodingSelection] = [{"field_id": "f", "field_option_id": "o"}]
        self.error: errors.RampError | None = None
        try:
            ramp_that(answer).code_object(UUID(int=1), selections)
        except errors.RampError as error:
            self.error = error
        return sent

    def test_go_under_the_name_of_the_guide(self, ramp_that: Build) -> None:
        (sent,) = self.code(ramp_that, 201)

        assert sent == {
            "object_type": "TRANSACTION",
            "object_id": str(UUID(int=1)),
            "accounting_field_selections": [{"field_id": "f", "field_option_id": "o"}],
        }

    def test_go_under_the_other_name_if_that_is_refused(self, ramp_that: Build) -> None:
        first, second = self.code(ramp_that, 422, 201)

        assert "accounting_field_selections" in first
        assert "accounting_field_selections" not in second
        assert second["accounting_coding_selections"] == first["accounting_field_selections"]
        assert self.error is None

    def test_refused_under_both_names_are_an_error(self, ramp_that: Build) -> None:
        assert len(self.code(ramp_that, 422, 422)) == 2
        assert isinstance(self.error, errors.InvalidRequest)

    def test_refused_for_what_they_say_are_not_sent_again(self, ramp_that: Build) -> None:
        assert len(self.code(ramp_that, 400)) == 1
        assert isinstance(self.error, errors.InvalidRequest)
