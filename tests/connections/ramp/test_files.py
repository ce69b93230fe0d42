"""Downloads from pre-signed addresses, and the addresses that are not followed."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from connections.ramp.file_errors import (
    AddressExpired,
    AddressRefused,
    FileNotFetched,
    FileTooLarge,
    HostUnavailable,
)
from connections.ramp.files import Download, FileStore

RAMP = "https://api.ramp.com"
PUBLIC = "93.184.216.34"
URL = "https://receipts.ramp.com/demo/amazon.png?Expires=1661130671"


class Host:
    """Answers downloads, and remembers what it was asked."""

    def __init__(self, answer: Callable[[httpx.Request], httpx.Response]) -> None:
        self.requests: list[httpx.Request] = []
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._answer(request)


def store(
    host: Callable[[httpx.Request], httpx.Response], *, address: str = PUBLIC, ramp: str = RAMP
) -> FileStore:
    return FileStore(
        ramp_url=ramp,
        hosts=(".ramp.com", "files.example"),
        http=httpx.Client(transport=httpx.MockTransport(host)),
        resolve=lambda _: [address],
        limit=1000,
    )


def picture(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"\x89PNG....", headers={"content-type": "image/png"})


class TestDownload:
    def test_brings_the_file_with_its_name_and_type(self) -> None:
        assert store(picture).download(URL) == Download("amazon.png", "image/png", b"\x89PNG....")

    def test_says_nothing_of_us_to_the_host(self) -> None:
        host = Host(picture)

        store(host).download(URL)

        (request,) = host.requests
        assert "authorization" not in request.headers
        assert "cookie" not in request.headers

    @pytest.mark.parametrize(
        ("path", "content", "stated", "name"),
        [
            ("/a/receipt", b"%PDF-1.4", "binary/octet-stream", "receipt.pdf"),
            ("/a/Caf%C3%A9.jpeg", b"\xff\xd8\xff..", "", "Café.jpeg"),
            ("/", b"hello", "text/plain; charset=utf-8", "receipt.txt"),
        ],
    )
    def test_finds_a_name_where_the_address_has_none(
        self, path: str, content: bytes, stated: str, name: str
    ) -> None:
        def answer(_: httpx.Request) -> httpx.Response:
            return httpx.Response(200, content=content, headers={"content-type": stated})

        assert store(answer).download(f"https://receipts.ramp.com{path}").name == name

    def test_stops_reading_a_file_that_is_too_large(self) -> None:
        read: list[int] = []

        def endless() -> Iterator[bytes]:
            for number in range(100):
                read.append(number)
                yield b"x" * 400

        with pytest.raises(FileTooLarge):
            store(lambda _: httpx.Response(200, content=endless())).download(URL)
        assert len(read) < 10

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (httpx.Response(403), AddressExpired),
            (httpx.Response(404), AddressExpired),
            (httpx.Response(500), HostUnavailable),
            (httpx.Response(200, content=b""), HostUnavailable),
            (httpx.Response(302, headers={"location": "http://10.0.0.1/"}), AddressRefused),
        ],
    )
    def test_says_what_became_of_it(
        self, answer: httpx.Response, error: type[FileNotFetched]
    ) -> None:
        host = Host(lambda _: answer)

        with pytest.raises(error):
            store(host).download(URL)
        assert len(host.requests) == 1, "a redirect is not followed"

    def test_a_silent_host_may_answer_later(self) -> None:
        def silence(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("nothing", request=request)

        with pytest.raises(HostUnavailable):
            store(silence).download(URL)


class TestAddressesThatAreNotFollowed:
    @pytest.mark.parametrize(
        "url",
        [
            "http://receipts.ramp.com/a.png",
            "ftp://receipts.ramp.com/a.png",
            "file:///etc/passwd",
            "https://ramp.com.evil.example/a.png",
            "https://evilramp.com/a.png",
            "https://user:password@receipts.ramp.com/a.png",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/a.png",
            "",
            "https://",
            "https://receipts.ramp.com:99999999/",
        ],
    )
    def test_without_tls_or_at_another_host(self, url: str) -> None:
        host = Host(picture)

        with pytest.raises(AddressRefused):
            store(host).download(url)
        assert host.requests == []

    @pytest.mark.parametrize(
        "address",
        [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.1",
            "169.254.169.254",
            "224.0.0.1",
            "::1",
            "fe80::1",
            "::ffff:10.1.2.3",
            "64:ff9b::a9fe:a9fe",
            "2002:0a01:0203::1",
        ],
    )
    def test_into_our_own_network(self, address: str) -> None:
        host = Host(picture)

        with pytest.raises(AddressRefused, match="not public"):
            store(host, address=address).download(URL)
        assert host.requests == []

    def test_ramp_itself_is_trusted_as_it_is_configured(self) -> None:
        here = "http://127.0.0.1:8999"

        found = store(picture, address="127.0.0.1", ramp=here).download(f"{here}/_files/a.png?s=1")

        assert found.name == "a.png"

    def test_another_port_of_ramps_host_is_not_ramp(self) -> None:
        with pytest.raises(AddressRefused):
            store(picture, ramp="http://127.0.0.1:8999").download("http://127.0.0.1:5432/a.png")
