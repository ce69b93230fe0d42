"""What makes two records one vendor, in words."""

import pytest

from connections.vendor_book.evidence import (
    Face,
    Strength,
    codes_in,
    compare,
    is_own_domain,
    starts_of,
)

UPS = Face("United Parcel Service", "unitedparcelservice", country="US")


def test_the_same_name_is_strong() -> None:
    match = compare(UPS, Face("united  parcel service", "unitedparcelservice", country="US"))

    assert match
    assert match.strength is Strength.STRONG
    assert match.words == "same name, both in US"


def test_another_spelling_is_strong_and_says_so() -> None:
    match = compare(UPS, Face("United Parcel Service, Inc.", "unitedparcelservice"))

    assert match
    assert match.strength is Strength.STRONG
    assert match.words == "same name but for spelling or legal form"


def test_another_country_makes_the_same_name_a_question() -> None:
    match = compare(UPS, Face("United Parcel Service", "unitedparcelservice", country="DE"))

    assert match
    assert match.strength is Strength.LIKELY
    assert match.words == "same name, but US in Ramp and DE in the ERP"


def test_other_tax_ids_make_the_same_name_a_mere_possibility() -> None:
    ours = Face("Acme", "acme", tax_id_hint="1111")

    match = compare(ours, Face("Acme", "acme", tax_id_hint="2222"))

    assert match
    assert match.strength is Strength.WEAK


def test_a_name_that_goes_on_is_likely() -> None:
    match = compare(UPS, Face("United Parcel Service Europe", "unitedparcelserviceeurope"))

    assert match
    assert match.strength is Strength.LIKELY


def test_short_beginnings_say_nothing() -> None:
    assert compare(Face("Delta", "delta"), Face("Delta Dental", "deltadental")) is None


def test_a_code_in_ramps_name_an_address_and_a_merchant_speak_for_it() -> None:
    ours = Face("V-1042 Octo", "v1042octo", email_domain="octo.dev")
    theirs = Face("Octopus Deploy", "octopusdeploy", code="v-1042", email_domain="octo.dev")

    match = compare(ours, theirs, by_merchant=True)

    assert match
    assert match.reasons == (
        "its code v-1042 stands in Ramp's name",
        "e-mail at octo.dev",
        "card transactions of its merchant are coded with it",
    )


def test_a_mailbox_at_a_public_provider_says_nothing() -> None:
    ours, theirs = (Face(name, name, email_domain="gmail.com") for name in ("anna", "boris"))

    assert compare(ours, theirs) is None
    assert not is_own_domain("gmail.com")
    assert not is_own_domain("")


def test_the_same_country_alone_says_nothing() -> None:
    assert compare(UPS, Face("Shell", "shell", country="US")) is None


@pytest.mark.parametrize(
    ("name", "codes"),
    [("V-1042 GitHub", ["V-1042"]), ("GitHub", []), ("7 Eleven", []), ("a1/b2 X", ["A1/B2"])],
)
def test_codes_hold_a_digit_and_are_not_short(name: str, codes: list[str]) -> None:
    assert codes_in(name) == codes


def test_beginnings_end_with_words() -> None:
    assert starts_of("The Amazon Web Services EMEA SARL", "amazonwebservicesemea") == [
        "amazon",
        "amazonweb",
        "amazonwebservices",
    ]
