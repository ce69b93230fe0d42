"""Addresses that people enter never lead into our own network (SSRF)."""

import pytest
from pytest_django import Settings

from connections import clients
from connections.erp.addresses import AddressRefused, check, check_written
from connections.secrets import NoCredential

NOBODY: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "url",
    [
        "http://tryton.example.com",
        "ftp://tryton.example.com",
        "tryton.example.com",
        "https://",
        "https://[::1",
        "https://host:port",
        "https://user:pw@tryton.example.com",
        "https://tryton.example.com/?a=b",
        "https://localhost:8000",
        "https://tryton",
        "https://db.internal",
        "https://127.0.0.1",
        "https://10.0.0.7",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]:8000",
        "https://[::ffff:10.0.0.7]",
        "https://[fd00::1]",
        "https://0x7f000001",
        "https://two words.example.com",
        "https://xn--.com",
        "https://\u2488.example.com",
        "https://tryton.example.com/\x01",
    ],
)
def test_is_refused_as_written(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_written(url, allowed=NOBODY)


@pytest.mark.parametrize(
    "url",
    [
        "https://tryton.example.com",
        "https://tryton.example.com:8443/",
        "https://8.8.8.8",
        "https://bücher.example.com",
        "https://xn--bcher-kva.example.com",
    ],
)
def test_is_taken_as_written(url: str) -> None:
    assert check_written(url, allowed=NOBODY)


def test_a_host_that_the_deployment_names_may_be_inside() -> None:
    assert check_written("http://127.0.0.1:8000", allowed={"127.0.0.1"}) == "127.0.0.1"


@pytest.mark.parametrize("found", ["10.0.0.7", "::1", "fe80::1%eth0", "::ffff:192.168.0.1"])
def test_a_name_that_leads_inside_is_refused_before_the_call(found: str) -> None:
    with pytest.raises(AddressRefused, match="leads into"):
        check(
            "https://tryton.example.com", allowed=NOBODY, resolve=lambda _: ["93.184.216.34", found]
        )


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example.com", "."])
def test_what_is_no_name_at_all_is_refused_in_words(host: str) -> None:
    with pytest.raises(AddressRefused, match="no name of a host"):
        check(f"https://{host}", allowed=NOBODY)


def test_the_name_is_looked_up_as_it_will_be_called() -> None:
    """Two ways to write a name in ASCII lead to two hosts: only the called one counts."""
    asked: list[str] = []

    def resolve(host: str) -> list[str]:
        asked.append(host)
        return ["93.184.216.34"]

    check("https://faß.example.com", allowed=NOBODY, resolve=resolve)

    assert asked == ["xn--fa-hia.example.com"]


def test_a_name_that_leads_outside_may_be_called() -> None:
    check("https://tryton.example.com", allowed=NOBODY, resolve=lambda _: ["93.184.216.34"])


def test_a_name_without_an_address_fails_when_it_is_called() -> None:
    def unknown(_: str) -> list[str]:
        raise OSError("unknown")

    check("https://tryton.example.com", allowed=NOBODY, resolve=unknown)


def test_no_adapter_is_made_for_an_address_inside(settings: Settings) -> None:
    settings.ERP_PRIVATE_HOSTS = NOBODY
    secret = {"url": "https://127.0.0.1", "database": "d", "login": "l", "password": "p"}

    with pytest.raises(NoCredential, match="inside this service's own network"):
        clients.new_adapter("tryton", secret)
