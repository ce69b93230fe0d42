"""Our copy of Ramp's own vendors."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from connections.models import Connection, RampVendor
from connections.ramp.errors import RampUnreachable
from connections.ramp.pages import Malformed, Page
from connections.ramp.schemas import RampVendor as Shown
from connections.ramp.schemas import RampVendorContact
from connections.vendor_book.ramp_vendors import read_ramp_vendors
from tests.connections.world import client_of, simulator
from tests.factories import ConnectionFactory, RampVendorFactory, VendorLinkFactory, now

pytestmark = pytest.mark.django_db


def shown(name: str, **more: Any) -> Shown:
    return Shown.model_validate({"id": str(uuid4()), "name": name, **more})


class FakeRamp:
    """Ramp's list of vendors in pages of two."""

    def __init__(self, vendors: Sequence[Shown], *, breaks_after: int | None = None) -> None:
        self.vendors = list(vendors)
        self.breaks_after = breaks_after
        self.malformed: list[Malformed] = []
        self.emails: dict[UUID, str] = {}
        self.contacts_read = 0

    def ramp_vendors(
        self, *, start: str | None = None, page_size: int = 100
    ) -> Iterator[Page[Shown]]:
        for number, at in enumerate(range(0, max(len(self.vendors), 1), 2)):
            if number == self.breaks_after:
                raise RampUnreachable("gone")
            yield Page(b"", self.vendors[at : at + 2], self.malformed, None)

    def ramp_vendor_contacts(self, vendor_id: UUID) -> Sequence[RampVendorContact]:
        self.contacts_read += 1
        email = self.emails.get(vendor_id)
        return [RampVendorContact(email=email)] if email else []


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


def test_keeps_what_ramp_shows(harbor: Connection) -> None:
    spend = {"amount": 1_250_00, "currency_code": "USD", "minor_unit_conversion_rate": 100}
    github = shown("GitHub", country="US", state="CA", total_spend_last_365_days=spend)
    ramp = FakeRamp([github, shown("Uline"), shown("Zoom")])
    ramp.emails[github.id] = "ar@github.com"

    assert read_ramp_vendors(harbor, ramp) == 3

    row = RampVendor.objects.get(ramp_id=github.id)
    assert (row.name, row.country, row.state, row.email) == ("GitHub", "US", "CA", "ar@github.com")
    assert (row.spend_minor, row.spend_currency, row.spend_exponent) == (125_000, "USD", 2)


def test_what_is_as_it_was_is_not_written(harbor: Connection) -> None:
    ramp = FakeRamp([shown("GitHub"), shown("Uline")])
    read_ramp_vendors(harbor, ramp)
    before = list(RampVendor.objects.order_by("pk").values_list("pk", "seen_at"))

    assert read_ramp_vendors(harbor, ramp) == 0

    assert list(RampVendor.objects.order_by("pk").values_list("pk", "seen_at")) == before
    assert ramp.contacts_read == 2


def test_what_changed_is_written(harbor: Connection) -> None:
    github = shown("GitHub")
    read_ramp_vendors(harbor, FakeRamp([github, shown("Uline")]))

    renamed = github.model_copy(update={"name": "GitHub, Inc.", "accounting_vendor_remote_id": "7"})
    ramp = FakeRamp([renamed])
    ramp.malformed = [Malformed({"id": "x"}, "no name")]

    assert read_ramp_vendors(harbor, ramp) == 1
    row = RampVendor.objects.get(ramp_id=github.id)
    assert (row.name, row.linked_erp_id) == ("GitHub, Inc.", "7")


@pytest.mark.matrix("M5")
def test_only_a_whole_list_tells_who_is_gone(harbor: Connection) -> None:
    github, uline, zoom = shown("GitHub"), shown("Uline"), shown("Zoom")
    read_ramp_vendors(harbor, FakeRamp([github, uline, zoom]))

    with pytest.raises(RampUnreachable):
        read_ramp_vendors(harbor, FakeRamp([github, uline, zoom], breaks_after=1))
    holes = FakeRamp([github])
    holes.malformed = [Malformed({}, "no id")]
    read_ramp_vendors(harbor, holes)
    assert RampVendor.objects.filter(is_active=True).count() == 3

    read_ramp_vendors(harbor, FakeRamp([github]))
    assert RampVendor.objects.get(is_active=True).ramp_id == github.id


def test_a_link_made_meanwhile_is_not_taken_back(harbor: Connection) -> None:
    github = shown("GitHub")
    vendor = RampVendorFactory.create(
        connection=harbor, ramp_id=github.id, name="GitHub", linked_erp_id="7"
    )
    VendorLinkFactory.create(
        ramp_vendor=vendor, erp_id="7", state="done", done_at=now() + timedelta(seconds=5)
    )

    read_ramp_vendors(harbor, FakeRamp([github]))

    vendor.refresh_from_db()
    assert vendor.linked_erp_id == "7"


def test_a_link_that_was_taken_away_in_ramp_is_seen(harbor: Connection) -> None:
    github = shown("GitHub")
    vendor = RampVendorFactory.create(
        connection=harbor, ramp_id=github.id, name="GitHub", linked_erp_id="7"
    )

    read_ramp_vendors(harbor, FakeRamp([github]))

    vendor.refresh_from_db()
    assert vendor.linked_erp_id == ""


def test_reads_the_pretend_ramp(harbor: Connection) -> None:
    with simulator() as sim:
        business = sim.business("harbor-coffee")
        read_ramp_vendors(harbor, client_of(sim, business))
        assert read_ramp_vendors(harbor, client_of(sim, business)) == 0
