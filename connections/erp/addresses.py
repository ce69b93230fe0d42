"""Whether an ERP's address may be called: people enter it, and our own network is not theirs.

TLS only, and public addresses only, but for hosts that the deployment allows by name. A name that
changes its mind between the look and the call still meets TLS: a machine inside has no certificate
for it.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Collection, Sequence
from urllib.parse import urlsplit

import httpx

from rampbridge.lib.addresses import as_address, is_public

Resolve = Callable[[str], Sequence[str]]


class AddressRefused(Exception):
    """The address must not be called. The message is fit to show."""


def check_written(url: str, *, allowed: Collection[str]) -> str:
    """The host of an address, as far as it can be judged without asking anybody.

    :param allowed: hosts that may be called although they are inside, and without TLS
    :raises AddressRefused: with what to write instead
    """
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").lower()
        _ = parts.port
        names = _names(httpx.URL(url.strip()))
    except (ValueError, httpx.InvalidURL):
        raise AddressRefused("This is no address. Write https://host.example.com.") from None
    # Whoever calls it must read the same host in it as we do.
    if parts.scheme not in ("http", "https") or not host or host not in names:
        raise AddressRefused("Write the whole address, such as https://host.example.com.")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise AddressRefused("Write the address alone; user and password have their own fields.")
    if host in allowed:
        return host
    if parts.scheme != "https":
        raise AddressRefused("The address must begin with https://.")
    written = as_address(host)
    is_inner_name = "." not in host or host.endswith((".localhost", ".local", ".internal"))
    if (written is not None and not is_public(written)) or (written is None and is_inner_name):
        raise AddressRefused(
            f"{host} is inside this service's own network. If that is meant to be,"
            " an admin must list it in ERP_PRIVATE_HOSTS."
        )
    return host


def addresses_of(host: str) -> list[str]:
    """The IP addresses that a name stands for."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


def _names(url: httpx.URL) -> tuple[str, str]:
    """A host in letters of its own language, and as it is called."""
    return url.host.lower(), url.raw_host.decode().lower()


def check(url: str, *, allowed: Collection[str], resolve: Resolve = addresses_of) -> None:
    """Look where an address leads, right before it is called.

    A name without an address passes: calling it fails by itself, and says so.

    :raises AddressRefused: if it leads inside, or is no name at all
    """
    host = check_written(url, allowed=allowed)
    if host in allowed:
        return
    try:
        found = resolve(httpx.URL(url.strip()).raw_host.decode())  # as it is called, in ASCII
    except UnicodeError:  # a part of it is empty, or longer than names can be
        raise AddressRefused(f"{host} is no name of a host. Look for a slip in it.") from None
    except OSError:
        return
    if not all(is_public(ipaddress.ip_address(one.partition("%")[0])) for one in found):
        raise AddressRefused(
            f"{host} leads into this service's own network. If that is meant to be,"
            " an admin must list it in ERP_PRIVATE_HOSTS."
        )
