"""Vendors that look alike, and what was said of them."""

import pytest

from connections.models import Connection, SeparateVendors, Vendor
from connections.vendor_book.duplicates import (
    Sharing,
    TooManyToKeep,
    clusters,
    keep_separate,
    look_alikes,
    take_back,
)
from tests.factories import ConnectionFactory, VendorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def harbor() -> Connection:
    return ConnectionFactory.create()


def found(connection: Connection, sharing: Sharing = Sharing.NAME) -> list[list[str]]:
    page = clusters(connection.pk, sharing)
    return [[vendor.erp_id for vendor in one.vendors] for one in page.clusters]


def make(connection: Connection, **by_id: str) -> None:
    for erp_id, name in by_id.items():
        VendorFactory.create(connection=connection, erp_id=erp_id, name=name)


class TestClusters:
    def test_are_vendors_whose_names_are_taken_for_one(self, harbor: Connection) -> None:
        make(harbor, a="Uline", b="ULINE, Inc.", c="Zoom", d="U-Line")

        assert found(harbor) == [["a", "b", "d"]]

    @pytest.mark.parametrize(
        ("sharing", "shared"),
        [
            (Sharing.TAX_ID, {"tax_id_digest": "t"}),
            (Sharing.BANK, {"bank_digest": "b"}),
            (Sharing.CODE, {"code": "V-1"}),
        ],
    )
    def test_or_that_share_what_should_be_nobody_elses(
        self, harbor: Connection, sharing: Sharing, shared: dict[str, str]
    ) -> None:
        VendorFactory.create(connection=harbor, erp_id="a", name="Uline", **shared)
        VendorFactory.create(connection=harbor, erp_id="b", name="Zoom", **shared)
        make(harbor, c="Shell", d="Hertz")

        assert found(harbor, sharing) == [["a", "b"]]

    def test_codes_are_the_same_in_any_case(self, harbor: Connection) -> None:
        VendorFactory.create(connection=harbor, erp_id="a", name="Uline", code="v-1")
        VendorFactory.create(connection=harbor, erp_id="b", name="Zoom", code="V-1")

        assert found(harbor, Sharing.CODE) == [["a", "b"]]

    def test_leave_out_who_is_merged_gone_or_another_customers(self, harbor: Connection) -> None:
        make(harbor, a="Uline")
        VendorFactory.create(connection=harbor, name="Uline", is_active=False)
        VendorFactory.create(connection=harbor, name="Uline", merged_into="a")
        VendorFactory.create(name="Uline")

        assert found(harbor) == []

    def test_come_page_by_page(self, harbor: Connection) -> None:
        for n in range(5):
            make(harbor, **{f"{n}a": f"Vendor {n}", f"{n}b": f"VENDOR {n}"})

        first = clusters(harbor.pk, Sharing.NAME, size=3)
        second = clusters(harbor.pk, Sharing.NAME, after=first.next, size=3)

        assert (len(first.clusters), len(second.clusters), second.next) == (3, 2, "")
        keys = [one.key for one in (*first.clusters, *second.clusters)]
        assert keys == sorted(set(keys))

    def test_a_crowd_is_cut_and_says_so(self, harbor: Connection) -> None:
        make(harbor, **{f"v{n:02}": "Uline" for n in range(15)})

        (crowd,) = clusters(harbor.pk, Sharing.NAME).clusters

        assert (len(crowd.vendors), crowd.is_more) == (12, True)


class TestKeepingSeparate:
    def test_is_remembered(self, harbor: Connection) -> None:
        make(harbor, a="Uline", b="ULINE", c="Uline")

        assert keep_separate(harbor, ["c", "a", "b"], actor="maya") == 3

        assert found(harbor) == []
        assert keep_separate(harbor, ["a", "b"], actor="tomas") == 0

    def test_a_newcomer_is_asked_about(self, harbor: Connection) -> None:
        make(harbor, a="Uline", b="ULINE")
        keep_separate(harbor, ["a", "b"], actor="maya")

        make(harbor, c="Uline")

        assert found(harbor) == [["a", "b", "c"]]

    def test_can_be_taken_back(self, harbor: Connection) -> None:
        make(harbor, a="Uline", b="ULINE")
        keep_separate(harbor, ["a", "b"], actor="maya")

        assert take_back(harbor, first="b", second="a", actor="maya")

        assert found(harbor) == [["a", "b"]]
        assert not take_back(harbor, first="b", second="a", actor="maya")

    def test_ids_are_ordered_as_the_database_orders_them(self, harbor: Connection) -> None:
        keep_separate(harbor, ["b", "A", "a", "B"], actor="maya")

        assert SeparateVendors.objects.count() == 6

    def test_has_a_limit(self, harbor: Connection) -> None:
        with pytest.raises(TooManyToKeep, match="12 vendors at most"):
            keep_separate(harbor, [str(n) for n in range(13)], actor="maya")


def test_one_vendor_knows_its_likes(harbor: Connection) -> None:
    mine = VendorFactory.create(connection=harbor, erp_id="a", name="Uline", bank_digest="b")
    VendorFactory.create(connection=harbor, erp_id="b", name="ULINE Inc", code="V-1")
    VendorFactory.create(connection=harbor, erp_id="c", name="Other", bank_digest="b")

    alike = look_alikes(Vendor.objects.get(pk=mine.pk))

    ids = {sharing: [one.erp_id for one in vendors] for sharing, vendors in alike.items()}
    assert ids == {Sharing.NAME: ["b"], Sharing.BANK: ["c"]}
