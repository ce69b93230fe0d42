"""Vendors of the ERP that an unlinked vendor of Ramp may be."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.models import Connection, RampVendor
from connections.vendor_book.candidates import Candidate, candidates, exact_matches
from tests.factories import (
    ConnectionFactory,
    RampVendorFactory,
    VendorCreationFactory,
    VendorFactory,
    VendorLinkFactory,
    now,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


def found(vendor: RampVendor) -> list[Candidate]:
    vendor.refresh_from_db()
    return list(candidates(vendor.connection_id, [vendor]).get(vendor.pk, []))


class TestCandidates:
    def test_finds_what_is_spelt_otherwise(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="7", name="GITHUB INC")

        (only,) = found(RampVendorFactory.create(connection=harbor, name="GitHub, Inc."))

        assert only.erp_id == "7"
        assert only.match.words == "same name but for spelling or legal form"

    def test_puts_the_likeliest_first(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="1", name="Amazon Web Services EMEA SARL")
        VendorFactory.create(connection=harbor, erp_id="2", name="Amazon Web Services")
        VendorFactory.create(connection=harbor, erp_id="3", name="Amazon")

        all_three = found(RampVendorFactory.create(connection=harbor, name="Amazon Web Services"))

        assert [one.erp_id for one in all_three] == ["2", "3", "1"]

    def test_finds_by_code_address_and_merchant(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="1", name="Octopus", code="V-1042")
        VendorFactory.create(connection=harbor, erp_id="2", name="Ozeki", email="ar@octo.dev")
        VendorFactory.create(connection=harbor, erp_id="3", name="Other")
        made = VendorCreationFactory.create(connection=harbor, erp_id="3")

        vendor = RampVendorFactory.create(
            connection=harbor,
            name="Octo v-1042",
            email="mail@OCTO.dev",
            merchant_id=made.merchant_id,
        )

        assert {one.erp_id for one in found(vendor)} == {"1", "2", "3"}

    def test_leaves_out_who_cannot_be_linked(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, name="Figma", is_active=False)
        VendorFactory.create(connection=harbor, name="Figma", gone_at=now())
        VendorFactory.create(connection=harbor, name="Figma", merged_into="9")
        VendorFactory.create(name="Figma")  # another customer's

        assert found(RampVendorFactory.create(connection=harbor, name="Figma")) == []

    def test_takes_two_statements_for_a_whole_page(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, name="Figma")
        for _ in range(10):
            RampVendorFactory.create(connection=harbor, name="Figma", merchant_id="m")
        page = list(RampVendor.objects.filter(connection=harbor))

        with CaptureQueriesContext(
            database,
        ) as queries:
            suggested = candidates(harbor.pk, page)

        assert len(suggested) == 10
        assert len(queries) == 2

    def test_asks_nothing_for_an_empty_page(self, harbor: Connection) -> None:
        assert candidates(harbor.pk, []) == {}


class TestExactMatches:
    def test_are_those_with_one_namesake_on_each_side(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="1", name="Figma, Inc.")
        VendorFactory.create(connection=harbor, erp_id="2", name="Uline")
        VendorFactory.create(connection=harbor, erp_id="3", name="ULINE Inc")
        VendorFactory.create(connection=harbor, erp_id="4", name="Zoom")
        figma = RampVendorFactory.create(connection=harbor, name="Figma")
        RampVendorFactory.create(connection=harbor, name="Uline")
        RampVendorFactory.create(connection=harbor, name="Zoom")
        RampVendorFactory.create(connection=harbor, name="zoom llc")

        assert exact_matches(harbor.pk) == [(figma.pk, "1")]

    def test_are_not_those_that_something_speaks_against(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, name="Figma", country="DE")
        VendorFactory.create(connection=harbor, name="Zoom", tax_id_hint="1111")
        RampVendorFactory.create(connection=harbor, name="Figma", country="US")
        RampVendorFactory.create(connection=harbor, name="Zoom", tax_id_hint="2222")

        assert exact_matches(harbor.pk) == []

    def test_are_not_those_that_are_linked_or_about_to_be(self, harbor: Connection) -> None:
        for name in ("Figma", "Zoom"):
            VendorFactory.create(connection=harbor, name=name)
        RampVendorFactory.create(connection=harbor, name="Figma", linked_erp_id="5")
        VendorLinkFactory.create(
            ramp_vendor=RampVendorFactory.create(connection=harbor, name="Zoom")
        )

        assert exact_matches(harbor.pk) == []

    def test_come_by_spend(self, harbor: Connection) -> None:
        for erp_id, name in (("1", "Figma"), ("2", "Zoom")):
            VendorFactory.create(connection=harbor, erp_id=erp_id, name=name)
        RampVendorFactory.create(connection=harbor, name="Figma", spend_minor=5)
        RampVendorFactory.create(connection=harbor, name="Zoom", spend_minor=9)

        assert [erp_id for _, erp_id in exact_matches(harbor.pk)] == ["2", "1"]
