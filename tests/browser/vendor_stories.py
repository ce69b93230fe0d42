"""A customer whose vendors need everything at once: links, merges, look-alikes, two people."""

from datetime import timedelta
from uuid import UUID, uuid4

from connections.models import Connection, Mirror, RampVendor, Vendor, VendorField
from connections.vendor_book import changes, following, ownership
from connections.vendor_book.links import Pair, want_links
from tests.browser.stories import make_item
from tests.factories import (
    LONG_NAME,
    ConnectionFactory,
    EntityFactory,
    RampVendorFactory,
    ScheduleFactory,
    VendorCreationFactory,
    VendorFactory,
    now,
)

_NAMES = (
    ("Cafe Imports", "CAFE IMPORTS, LLC", "V-1001", 8_412_000),
    ("Ecolab", "Ecolab Inc.", "V-1002", 2_250_075),
    ("Uline", "Uline", "V-1003", 1_804_411),
    ("Toast", "Toast, Inc.", "V-1004", 998_000),
    ("V-1005 Counter Culture", "Counter Culture Coffee", "V-1005", 720_500),
    ("United Parcel Service", "United Parcel Service of America", "", 401_133),
)


def add(connection: Connection, *, name: str = "") -> None:
    """Vendors of both sides; `name` stands behind each, to be as long as they come."""
    Mirror.objects.update_or_create(
        connection=connection, defaults={"last_verified_at": now() - timedelta(hours=3)}
    )
    tail = f" {name}" if name else ""
    for number, (ramp, erp, code, spend) in enumerate(_NAMES):
        VendorFactory.create(
            connection=connection,
            erp_id=str(1001 + number),
            name=f"{erp}{tail}"[:300],
            code=code,
            country="US",
            email=f"ar@{erp.split()[0].strip(',').lower()}.com",
        )
        RampVendorFactory.create(
            connection=connection, name=f"{ramp}{tail}"[:300], spend_minor=spend, state="CA"
        )
    RampVendorFactory.create(connection=connection, name=f"Nobody Knows{tail}"[:300], spend_minor=0)
    _linked(connection, tail)
    _alike(connection, tail)
    _bank(connection, tail)


def world() -> Connection:
    """One customer with all of it."""
    connection = ConnectionFactory.create(slug="harbor", name="Harbor Coffee Roasters")
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(connection=connection)
    EntityFactory.create(connection=connection, name="Roastery", is_primary=False)
    add(connection)
    return connection


def long_world() -> Connection:
    """The same with names as long as the database takes."""
    connection = ConnectionFactory.create(slug="long", name=LONG_NAME)
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(connection=connection, name=LONG_NAME)
    add(connection, name=LONG_NAME)
    return connection


def _linked(connection: Connection, tail: str) -> None:
    """One pair that is at one, one that is not, and one whose ERP side was merged."""
    merchant = str(uuid4())
    VendorFactory.create(
        connection=connection,
        erp_id="2001",
        name=f"GitHub, Inc.{tail}"[:300],
        code="V-2001",
        country="US",
        email="billing@github.com",
        bank_hint="…4421",
        bank_digest="a",
        tax_id_hint="…8812",
    )
    RampVendorFactory.create(
        connection=connection,
        name=f"GitHub{tail}"[:300],
        linked_erp_id="2001",
        merchant_id=merchant,
        email="ar@github.com",
    )
    VendorCreationFactory.create(
        connection=connection,
        merchant_id=merchant,
        name=f"GITHUB.COM{tail}"[:300],
        erp_id="2001",
        due_at=None,
        done_at=now() - timedelta(days=12),
        step="in_ramp",
    )
    VendorFactory.create(
        connection=connection, erp_id="2002", name=f"FedEx Ground{tail}"[:300], is_active=False,
        merged_into="2003",
    )  # fmt: skip
    VendorFactory.create(connection=connection, erp_id="2003", name=f"FedEx{tail}"[:300])
    RampVendorFactory.create(
        connection=connection, name=f"FedEx Ground{tail}"[:300], linked_erp_id="2002"
    )
    for story in ("done", "failed", "queued"):
        make_item(connection, story, {"label": f"GitHub{tail}"[:300]})


def _alike(connection: Connection, tail: str) -> None:
    for erp_id, name, code in (("3001", "Royal Cup", "RC"), ("3002", "ROYAL CUP, INC.", "rc")):
        VendorFactory.create(
            connection=connection, erp_id=erp_id, name=f"{name}{tail}"[:300], code=code
        )


def _bank(connection: Connection, tail: str) -> None:
    """A changed account that nobody has looked at, and one that waits for a second person."""
    VendorFactory.create(
        connection=connection, erp_id="4001", name=f"Sysco{tail}"[:300], bank_digest="x",
        bank_hint="…1188",
    )  # fmt: skip
    changes.find_bank_changes(connection)
    vendors = connection_vendors(connection)
    vendors["2001"].bank_digest, vendors["2001"].bank_hint = "b", "…9007"
    vendors["4001"].bank_digest, vendors["4001"].bank_hint = "y", "…5520"
    for vendor in vendors.values():
        vendor.save(update_fields=["bank_digest", "bank_hint"])
    following.follow_erp(connection)
    changes.check(
        connection.vendor_changes.get(vendor_erp_id="4001"),
        actor="tomas.rivera",
        reason="Called Ana at the number on the contract of 2024; she confirms.",
        digest="y",
    )
    ownership.set_owner(
        connection,
        field=VendorField.COUNTRY,
        owner=ownership.Owner.RAMP,
        actor="tomas.rivera",
    )


def connection_vendors(connection: Connection) -> dict[str, Vendor]:
    """Those whose account changes, by their ids."""
    found = Vendor.objects.filter(connection=connection, erp_id__in=("2001", "4001"))
    return {vendor.erp_id: vendor for vendor in found}


def link_batch(connection: Connection) -> UUID:
    """A confirmation of which one link is made, one waits and one is refused."""
    batch = uuid4()
    vendors = list(RampVendor.objects.filter(connection=connection, linked_erp_id="")[:3])
    pairs = [Pair(vendor.pk, str(1001 + n)) for n, vendor in enumerate(vendors)]
    want_links(connection, pairs, actor="maya.okafor", batch=batch)
    links = list(connection.vendor_links.filter(batch=batch).order_by("erp_id"))
    links[0].state, links[0].done_at = "done", now()
    links[1].state, links[1].refusal = "refused", "Ramp refuses the link: Not an accounting vendor."
    links[1].trace_id = "0af7651916cd43dd"
    for link in links[:2]:
        link.save()
    return batch
