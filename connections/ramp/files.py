"""Download receipts and invoices from the pre-signed addresses that Ramp gives out.

Such an address opens for whoever holds it, so nothing of ours goes along: no token, no cookie. And
since an address comes from outside, it is looked at before it is followed: TLS only, to hosts that
the deployment names, at public addresses, without redirects.
"""

import ipaddress
import mimetypes
import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from threading import Lock
from urllib.parse import unquote

import httpx

from connections.ramp.file_errors import (
    AddressExpired,
    AddressRefused,
    FileTooLarge,
    HostUnavailable,
)
from rampbridge.lib.addresses import is_public

LARGEST_FILE = 20 * 1024 * 1024
LONGEST_DOWNLOAD = 60.0
"""Seconds from the request to the last byte, for a host that drips."""

_TIMEOUT = httpx.Timeout(20, connect=5)
_LONGEST_NAME = 80
_EXPIRED = frozenset({400, 401, 403, 404, 410})
_SIGNATURES = {
    b"%PDF": "application/pdf",
    b"\x89PNG": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}

Resolve = Callable[[str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it came."""

    name: str
    """From the address, with an ending that fits: "receipt.pdf"."""
    media_type: str
    content: bytes = field(repr=False)


def addresses_of(host: str) -> list[str]:
    """The IP addresses that a name stands for."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]


class FileStore:
    """Where Ramp keeps receipts. Long-lived; threads share it."""

    def __init__(
        self,
        *,
        ramp_url: str,
        hosts: Sequence[str],
        http: httpx.Client | None = None,
        resolve: Resolve = addresses_of,
        limit: int = LARGEST_FILE,
    ) -> None:
        """
        :param ramp_url: Ramp's own address, whose host is trusted as it is configured
        :param hosts: names of hosts; one that begins with a dot stands for all below it
        """
        self._ramp = _origin(httpx.URL(ramp_url))
        self._hosts = tuple(host.lower() for host in hosts)
        self._http = http or _client()
        self._resolve = resolve
        self._limit = limit

    def download(self, url: str) -> Download:
        """Fetch one file.

        :raises FileNotFetched: see `connections.ramp.file_errors`
        """
        address = self._checked(url)
        try:
            with self._http.stream("GET", address) as response:
                _check_status(response)
                content = self._read(response)
                stated = response.headers.get("content-type", "")
        except httpx.HTTPError as error:
            raise HostUnavailable(f"{address.host}: {type(error).__name__}") from error
        media_type = _media_type(stated, content)
        return Download(_name(address, media_type), media_type, content)

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._http.close()

    def _checked(self, url: str) -> httpx.URL:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise AddressRefused("The address is none.", host="") from error
        host = address.host.lower()
        if _origin(address) == self._ramp:
            return address
        if address.scheme != "https" or address.userinfo or address.port is not None:
            raise AddressRefused("The address is not plain https.", host=host)
        if not any(_is_of(host, allowed) for allowed in self._hosts):
            raise AddressRefused("The host is not one of RECEIPT_HOSTS.", host=host)
        self._check_is_public(host)
        return address

    def _check_is_public(self, host: str) -> None:
        """A name that leads into our own network is no file store, whoever has set it up.

        Should it change its mind after this look, there is still TLS: a machine inside has no
        certificate for the name.
        """
        try:
            found = self._resolve(host)
        except OSError as error:
            raise HostUnavailable(f"{host} has no address now.") from error
        if not found or not all(is_public(ipaddress.ip_address(one)) for one in found):
            raise AddressRefused("The host has an address that is not public.", host=host)

    def _read(self, response: httpx.Response) -> bytes:
        deadline = time.monotonic() + LONGEST_DOWNLOAD
        content = bytearray()
        for chunk in response.iter_bytes():
            content += chunk
            if len(content) > self._limit:
                raise FileTooLarge(f"The file has more than {self._limit} bytes.")
            if time.monotonic() > deadline:
                raise HostUnavailable(f"The file took longer than {LONGEST_DOWNLOAD:.0f} s.")
        if not content:
            raise HostUnavailable("The file is empty.")
        return bytes(content)


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if status == httpx.codes.OK:
        return
    if status in _EXPIRED:
        raise AddressExpired(f"{response.url.host} answered {status}.")
    if response.is_redirect:
        raise AddressRefused("The host sends us elsewhere.", host=response.url.host)
    raise HostUnavailable(f"{response.url.host} answered {status}.")


def _client() -> httpx.Client:
    return httpx.Client(
        timeout=_TIMEOUT,
        # A small answer cannot become a huge one by being unpacked.
        headers={"User-Agent": "rampbridge", "Accept-Encoding": "identity"},
        follow_redirects=False,
        trust_env=False,
    )


_shared: dict[tuple[int, str, tuple[str, ...]], FileStore] = {}
_shared_lock = Lock()


def shared_store(ramp_url: str, hosts: tuple[str, ...]) -> FileStore:
    """This process's store. A forked child makes its own: sockets are not shared."""
    key = (os.getpid(), ramp_url, hosts)
    with _shared_lock:
        if key not in _shared:
            _shared[key] = FileStore(ramp_url=ramp_url, hosts=hosts)
        return _shared[key]


def close_shared() -> None:
    """Close this process's stores; the next call makes new ones."""
    with _shared_lock:
        while _shared:
            _shared.popitem()[1].close()


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host.lower(), url.port


def _is_of(host: str, allowed: str) -> bool:
    return host == allowed or (allowed.startswith(".") and host.endswith(allowed))


def _media_type(stated: str, content: bytes) -> str:
    """What the bytes say; else the header, where it says anything."""
    for signature, media_type in _SIGNATURES.items():
        if content.startswith(signature):
            return media_type
    return stated.partition(";")[0].strip().lower() or "application/octet-stream"


def _name(address: httpx.URL, media_type: str) -> str:
    name = PurePosixPath(unquote(address.path)).name or "receipt"
    ending = PurePosixPath(name).suffix
    if not ending:
        ending = mimetypes.guess_extension(media_type) or ""
    return PurePosixPath(name).stem[:_LONGEST_NAME] + ending
