"""Names as the database compares them."""

import pytest

from tests.factories import VendorFactory

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("GitHub, Inc.", "github"),
        ("Git Hub", "GITHUB LLC"),
        ("McMaster-Carr Supply Company", "McMaster Carr Supply Co."),
        ("Rougier & Plé", "ROUGIER AND PLE S.A.S."),
        ("The Home Depot", "Home Depot, Inc"),
        ("Müller GmbH & Co. KG", "Muller gmbh & co kg"),
        ("株式会社 さくら", "さくら"),
        ("  Uline  ", '"Uline"'),
    ],
)
def test_names_that_people_take_for_one_are_compared_as_one(one: str, other: str) -> None:
    keys = set()
    for name in (one, other):
        vendor = VendorFactory.create(name=name)
        vendor.refresh_from_db()
        keys.add(vendor.match_key)

    assert len(keys) == 1
    assert keys != {""}


@pytest.mark.parametrize(
    ("one", "other"), [("Shell", "Shelly"), ("Delta Air Lines", "Delta Dental"), ("Inc", "LLC")]
)
def test_other_names_stay_apart(one: str, other: str) -> None:
    first, second = VendorFactory.create(name=one), VendorFactory.create(name=other)
    first.refresh_from_db()
    second.refresh_from_db()

    assert first.match_key != second.match_key


def test_the_longest_name_fits() -> None:
    vendor = VendorFactory.create(name="&" * 300)

    vendor.refresh_from_db()
    assert len(vendor.match_key) == 300


def test_a_domain_is_read_from_the_address() -> None:
    vendor = VendorFactory.create(email="Accounts@GitHub.com")

    vendor.refresh_from_db()
    assert vendor.email_domain == "github.com"
