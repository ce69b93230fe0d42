"""From Ramp's list to a link that Ramp shows, over its own interface."""

import uuid
from collections.abc import Iterator

import pytest

from connections.models import Connection, RampVendor, VendorLink
from connections.ramp_simulator.app import Simulator
from connections.vendor_book import linking
from connections.vendor_book.candidates import exact_matches
from connections.vendor_book.links import Pair, want_links
from connections.vendor_book.ramp_vendors import read_ramp_vendors
from tests.connections import world
from tests.factories import ConnectionFactory, VendorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with world.simulator() as simulator:
        yield simulator


def test_a_vendor_is_read_linked_and_read_again(harbor: Connection, sim: Simulator) -> None:
    business = sim.business("harbor-coffee")
    ramp = world.client_of(sim, business)
    VendorFactory.create(connection=harbor, erp_id="v1", name="Uline, Inc.")
    business.upload_chart(vendors=[{"id": "v1", "name": "Uline, Inc."}])
    business.create_vendor("Uline", email="ar@uline.example")
    read_ramp_vendors(harbor, ramp)
    assert RampVendor.objects.get(name="Uline").email == "ar@uline.example"

    pairs = [Pair(key, erp_id) for key, erp_id in exact_matches(harbor.pk)]
    want_links(harbor, pairs, actor="maya", batch=uuid.uuid4())
    assert linking.link_due(harbor, ramp) == 1

    assert VendorLink.objects.get().state == "done"
    assert read_ramp_vendors(harbor, ramp) == 0
    assert RampVendor.objects.get(name="Uline").linked_erp_id == "v1"
