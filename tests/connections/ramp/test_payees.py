"""Ramp's own vendors: reading them, and the one thing that is written of them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest

from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp_simulator.handles import BusinessHandle
from rampbridge.lib.money import Money

Build = Callable[..., RampClient]
ID = UUID("9f8b2c1e-1111-4a4a-8b8b-000000000001")
VENDOR: dict[str, Any] = {
    "id": str(ID),
    "name": "Uline",
    "is_active": True,
    "country": "US",
    "state": "WI",
    "accounting_vendor_remote_id": None,
    "contacts": None,
    "total_spend_last_365_days": {"amount": 1250, "currency_code": "USD"},
    "created_at": "2024-05-12T02:23:00+00:00",
}


def answering(body: Any, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(status, json=body)


def listing(*rows: dict[str, Any]) -> Callable[[httpx.Request], httpx.Response]:
    return answering({"data": list(rows), "page": {"next": None}})


class TestReading:
    def test_a_page_tells_whom_nobody_has_linked(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        business.upload_chart(vendors=[{"id": "v1", "name": "Staples"}])
        business.create_vendor("Staples", linked_to="v1")
        business.create_vendor("Uline", email="ar@uline.example")
        gone = business.create_vendor("Old Mill", is_active=False)

        (page,) = ramp.ramp_vendors()
        (active,) = ramp.ramp_vendors(is_active=True)

        assert not page.malformed
        assert [one.accounting_vendor_remote_id for one in page.items] == ["v1", "", ""]
        assert [one.is_active for one in page.items] == [True, True, False]
        assert str(gone.id) not in {str(one.id) for one in active.items}
        assert (page.items[0].country, page.items[0].state) == ("US", "CA")

    def test_goes_on_behind_a_vendor_that_was_read(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        ids = [business.create_vendor(f"Vendor {number}").id for number in range(5)]

        pages = list(ramp.ramp_vendors(start=ids[1], page_size=2))

        assert [str(one.id) for page in pages for one in page.items] == ids[2:]

    def test_money_is_what_was_paid_in_a_year(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        bill = business.create_bill("180.50", vendor="Uline")
        business.pay_bill(bill.id)

        vendor = ramp.ramp_vendor(UUID(bill.payee_id))

        assert vendor.spend == Money.from_minor(18_050, "USD")

    def test_shows_whom_to_write_to_and_how_it_is_paid(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        payee = business.create_vendor("Uline", email="ar@uline.example")

        (contact,) = ramp.ramp_vendor_contacts(UUID(payee.id))
        (account,) = ramp.ramp_vendor_accounts(UUID(payee.id))

        assert (contact.email, contact.name) == ("ar@uline.example", "Accounts Receivable")
        assert (account.payment_method, account.currency) == ("ACH", "USD")

    def test_never_keeps_the_number_of_an_account(self, ramp_that: Build) -> None:
        row = {"id": "1", "payment_method": "ACH", "account_number": "000123456789"}

        (account,) = ramp_that(listing(row)).ramp_vendor_accounts(ID)

        assert "000123456789" not in repr(account)


class TestLinking:
    def test_names_the_vendor_by_the_erps_id(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        business.upload_chart(vendors=[{"id": "v1", "name": "Staples"}])
        payee = business.create_vendor("Staples Inc.")

        linked = ramp.link_ramp_vendor(UUID(payee.id), accounting_vendor_remote_id="v1")

        assert linked.accounting_vendor_remote_id == "v1"

    def test_to_a_vendor_that_was_not_uploaded_is_refused(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        payee = business.create_vendor("Staples Inc.")

        with pytest.raises(errors.InvalidRequest) as refused:
            ramp.link_ramp_vendor(UUID(payee.id), accounting_vendor_remote_id="v1")

        assert "accounting_vendor_remote_id" in refused.value.fields

    def test_needs_a_scope_of_its_own(self, ramp: RampClient, business: BusinessHandle) -> None:
        business.upload_chart(vendors=[{"id": "v1", "name": "Staples"}])
        payee = business.create_vendor("Staples Inc.")
        business.remove_scope("vendors:write")

        with pytest.raises(errors.ScopeMissing) as refused:
            ramp.link_ramp_vendor(UUID(payee.id), accounting_vendor_remote_id="v1")

        assert list(refused.value.scopes) == ["vendors:write"]

    def test_whose_answer_is_lost_may_be_in_force(self, ramp_that: Build) -> None:
        with pytest.raises(errors.OutcomeUnknown):
            ramp_that(answering({}, 504)).link_ramp_vendor(ID, accounting_vendor_remote_id="v1")


class TestSurprises:
    @pytest.mark.parametrize(
        "wrong",
        [
            {"id": "not an id"},
            {"name": 7},
            {"is_active": "perhaps"},
            {"total_spend_last_365_days": {"amount": "much", "currency_code": "USD"}},
            {"created_at": "yesterday"},
        ],
        ids=lambda wrong: next(iter(wrong)),
    )
    def test_one_malformed_vendor_leaves_the_others(
        self, ramp_that: Build, wrong: dict[str, Any]
    ) -> None:
        (page,) = ramp_that(listing(VENDOR | wrong, VENDOR)).ramp_vendors()

        assert [one.name for one in page.items] == ["Uline"]
        assert [next(iter(wrong)) in one.reason for one in page.malformed] == [True]

    def test_what_is_null_or_left_out_is_empty(self, ramp_that: Build) -> None:
        bare = {"id": VENDOR["id"], "name": "Uline", "state": None, "merchant_id": None}

        (page,) = ramp_that(listing(bare)).ramp_vendors()

        (vendor,) = page.items
        assert (vendor.state, vendor.merchant_id, vendor.contacts, vendor.spend) == (
            "",
            "",
            (),
            None,
        )

    def test_a_vendor_of_another_business_is_not_found(
        self, ramp: RampClient, business: BusinessHandle
    ) -> None:
        with pytest.raises(errors.NotFound):
            ramp.ramp_vendor(ID)

    def test_a_web_page_is_no_vendor(self, ramp_that: Build) -> None:
        with pytest.raises(errors.SchemaSurprise):
            list(ramp_that(lambda _: httpx.Response(200, html="<p>")).ramp_vendors())


class TestAConnection:
    ROW = {"id": VENDOR["id"], "remote_provider_name": None, "status": "LINKED"}

    @pytest.mark.parametrize(
        ("kind", "is_api"), [("API", True), ("api", True), ("DIRECT", False), ("NEW", False)]
    )
    def test_of_a_kind_nobody_knows_is_none_of_the_api(
        self, ramp_that: Build, kind: str, is_api: bool
    ) -> None:
        body = {"connections": [self.ROW | {"connection_type": kind}]}

        (seat,) = ramp_that(answering(body)).all_connections()

        assert (seat.is_api, seat.is_live) == (is_api, True)

    def test_keeps_its_switches_and_no_other_settings(self, ramp_that: Build) -> None:
        settings = {"vendor_credits_enabled": True, "fiscal_year": "JAN", "button": None}

        (seat,) = ramp_that(
            answering({"connections": [self.ROW | {"settings": settings}]})
        ).all_connections()

        assert seat.settings == {"vendor_credits_enabled": True}

    def test_tells_since_when_it_is_linked(self, ramp: RampClient) -> None:
        made = ramp.create_connection(remote_provider_name="rampbridge")

        seat = ramp.connection(made.id)

        assert seat.created_at == seat.last_linked_at
        assert seat.created_at is not None
