"""Vendors that are merged in the ERP, and what pointed to them."""

import pytest

from connections.models import Connection, Mapping, MappingRevision, RampVendor, VendorLink
from connections.vendor_book.following import follow_erp, heirs
from tests.factories import ConnectionFactory, EntityFactory, RampVendorFactory, VendorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


@pytest.fixture
def merged(harbor: Connection) -> None:
    """1 was merged into 2, which was merged into 3."""
    VendorFactory.create(connection=harbor, erp_id="1", is_active=False, merged_into="2")
    VendorFactory.create(connection=harbor, erp_id="2", is_active=False, merged_into="3")
    VendorFactory.create(connection=harbor, erp_id="3", name="Uline")


def map_vendor(connection: Connection, ramp_id: str, erp_id: str, **more: object) -> Mapping:
    return Mapping.objects.create(
        connection=connection,
        kind="vendor",
        ramp_external_id=ramp_id,
        ramp_name="Uline",
        erp_id=erp_id,
        **more,
    )


@pytest.mark.usefixtures("merged")
class TestMergers:
    def test_a_chain_ends_with_the_last(self, harbor: Connection) -> None:
        assert heirs(harbor) == {"1": "3", "2": "3"}

    def test_mappings_lead_to_the_heir_in_a_revision_of_their_own(self, harbor: Connection) -> None:
        entity = EntityFactory.create(connection=harbor)
        map_vendor(harbor, "r-1", "1")
        map_vendor(harbor, "r-1", "2", entity=entity)
        map_vendor(harbor, "r-2", "3")

        assert follow_erp(harbor) == 2

        assert set(Mapping.objects.values_list("erp_id", flat=True)) == {"3"}
        revision = MappingRevision.objects.get()
        assert (revision.source, revision.changes.count()) == ("merge", 2)

    def test_links_follow_by_a_wish(self, harbor: Connection) -> None:
        vendor = RampVendorFactory.create(connection=harbor, linked_erp_id="1")

        assert follow_erp(harbor) == 1

        link = VendorLink.objects.get()
        assert (link.ramp_vendor, link.erp_id, link.state) == (vendor, "3", "wanted")
        assert link.evidence == "merged in the ERP"

    def test_a_second_time_changes_nothing(self, harbor: Connection) -> None:
        map_vendor(harbor, "r-1", "1")
        RampVendorFactory.create(connection=harbor, linked_erp_id="1")
        follow_erp(harbor)

        assert follow_erp(harbor) == 0

    def test_another_customers_are_left_alone(self, harbor: Connection) -> None:
        stranger = RampVendorFactory.create(linked_erp_id="1")
        map_vendor(stranger.connection, "r-1", "1")

        assert follow_erp(harbor) == follow_erp(stranger.connection) == 0
        assert RampVendor.objects.get().linked_erp_id == "1"


def test_an_heir_that_is_inactive_is_nobodys(harbor: Connection) -> None:
    VendorFactory.create(connection=harbor, erp_id="1", merged_into="2")
    VendorFactory.create(connection=harbor, erp_id="2", is_active=False)
    map_vendor(harbor, "r-1", "1")

    assert follow_erp(harbor) == 0
    assert Mapping.objects.get().erp_id == "1"


def test_a_circle_ends(harbor: Connection) -> None:
    VendorFactory.create(connection=harbor, erp_id="1", merged_into="2")
    VendorFactory.create(connection=harbor, erp_id="2", merged_into="1")

    assert heirs(harbor) == {}
