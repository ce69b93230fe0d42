"""Where messages may go: people enter webhooks' addresses, and our own network is not theirs.

TLS only, to hosts that the deployment names, at public addresses. On this machine alone, where
people do not reach us over TLS either, its own addresses are allowed.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence

import httpx
from django.conf import settings

from rampbridge.lib.addresses import is_public

Resolve = Callable[[str], Sequence[str]]


class AddressRefused(Exception):
    """The address must not be called. The message is fit to show."""


def addresses_of(host: str) -> list[str]:
    """The IP addresses that a name stands for."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


def check_written(url: str) -> httpx.URL:
    """The address, as far as it can be judged without asking anybody.

    :raises AddressRefused: with what to write instead
    """
    try:
        address = httpx.URL(url.strip())
    except httpx.InvalidURL:
        raise AddressRefused("This is no address. Write it as the chat shows it.") from None
    host = address.host.lower()
    if address.scheme in ("http", "https") and host in settings.ALERT_PRIVATE_HOSTS:
        return address
    if address.scheme != "https" or not host:
        raise AddressRefused("The address must begin with https://.")
    if address.userinfo or address.port is not None or address.fragment:
        raise AddressRefused("Write the address without user, port or #.")
    if not any(_is_of(host, allowed) for allowed in settings.ALERT_HOSTS):
        raise AddressRefused(
            f"Messages may not be sent to {host}. An admin can allow it in ALERT_HOSTS."
        )
    return address


def check(url: str, *, resolve: Resolve = addresses_of) -> httpx.URL:
    """The address, after a look where it leads right before it is called.

    A name without an address passes: calling it fails by itself, and says so.

    :raises AddressRefused: if it leads inside
    """
    address = check_written(url)
    host = address.host.lower()
    if host in settings.ALERT_PRIVATE_HOSTS:
        return address
    try:
        found = resolve(address.raw_host.decode())
    except OSError:
        return address
    if not all(is_public(ipaddress.ip_address(one.partition("%")[0])) for one in found):
        raise AddressRefused(f"{host} leads into this service's own network.")
    return address


def hint_of(url: str) -> str:
    """What may be shown of an address: its host, and enough of its end to tell two apart."""
    address = httpx.URL(url.strip())
    return f"{address.host}/…{address.path[-4:]}"[:120]


def _is_of(host: str, allowed: str) -> bool:
    allowed = allowed.lower()
    return host.endswith(allowed) if allowed.startswith(".") else host == allowed
