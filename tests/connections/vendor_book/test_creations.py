"""Merchants that may be a vendor already, and what people say of them."""

from datetime import UTC, datetime

import pytest

from connections import vendors
from connections.models import Connection
from connections.vendor_book.creations import NotUndecided, create_own, questions, use
from connections.vendors import LooksAlike
from tests.factories import ConnectionFactory, VendorCreationFactory, VendorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


def test_a_merchant_spelt_otherwise_is_not_doubled(harbor: Connection) -> None:
    VendorFactory.create(connection=harbor, name="Figma, Inc.")
    creation = VendorCreationFactory.create(connection=harbor, name="FIGMA")

    with pytest.raises(LooksAlike) as refusal:
        vendors.advance(creation, None, None)  # type: ignore[arg-type]

    assert refusal.value.others == ["Figma, Inc."]


def test_the_vendors_it_may_be_are_shown(harbor: Connection) -> None:
    VendorFactory.create(connection=harbor, erp_id="1", name="Figma, Inc.")
    VendorFactory.create(connection=harbor, erp_id="2", name="Figma GmbH", is_active=False)
    VendorCreationFactory.create(connection=harbor, name="FIGMA", stuck=True)
    VendorCreationFactory.create(connection=harbor, name="Zoom")

    (question,) = questions(harbor)

    assert [vendor.erp_id for vendor in question.vendors] == ["1"]


def test_one_of_them_is_used(harbor: Connection) -> None:
    vendor = VendorFactory.create(connection=harbor, erp_id="1", name="Figma, Inc.")
    creation = VendorCreationFactory.create(connection=harbor, name="FIGMA", stuck=True)

    use(creation, vendor, actor="maya")

    creation.refresh_from_db()
    assert (creation.step, creation.erp_id, creation.decided_by) == ("in_erp", "1", "maya")
    assert creation.due_at is not None
    with pytest.raises(NotUndecided):
        create_own(creation, actor="tomas")


def test_or_it_gets_its_own(harbor: Connection) -> None:
    VendorFactory.create(connection=harbor, name="Figma, Inc.")
    creation = VendorCreationFactory.create(connection=harbor, name="FIGMA", stuck=True)

    create_own(creation, actor="maya")

    creation.refresh_from_db()
    assert creation.is_own
    with pytest.raises(AttributeError, match="upsert_vendor"):  # it goes on to the ERP
        vendors.advance(creation, None, None)  # type: ignore[arg-type]


def test_a_vendor_that_the_erp_no_longer_posts_to_is_nobody(harbor: Connection) -> None:
    """By its name alone it would be uploaded to Ramp again, and spend posted to it."""
    VendorFactory.create(connection=harbor, name="Figma", merged_into="9")
    VendorFactory.create(connection=harbor, name="Figma", gone_at=datetime(2026, 11, 1, tzinfo=UTC))
    creation = VendorCreationFactory.create(connection=harbor, name="Figma")

    with pytest.raises(AttributeError, match="upsert_vendor"):  # a new one is made
        vendors.advance(creation, None, None)  # type: ignore[arg-type]


def test_nor_can_a_person_choose_it(harbor: Connection) -> None:
    vendor = VendorFactory.create(connection=harbor, name="Figma, Inc.", merged_into="9")
    creation = VendorCreationFactory.create(connection=harbor, name="FIGMA", stuck=True)

    with pytest.raises(NotUndecided, match="not active in the ERP any more"):
        use(creation, vendor, actor="maya")


def test_one_of_its_own_is_made_although_two_have_its_very_name(harbor: Connection) -> None:
    """Else the question would come back for ever."""
    VendorFactory.create_batch(2, connection=harbor, name="Figma")
    creation = VendorCreationFactory.create(connection=harbor, name="Figma", stuck=True)

    create_own(creation, actor="maya")

    creation.refresh_from_db()
    with pytest.raises(AttributeError, match="upsert_vendor"):
        vendors.advance(creation, None, None)  # type: ignore[arg-type]
