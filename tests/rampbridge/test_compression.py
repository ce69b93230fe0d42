"""Pages are small on the wire, and what must not be compressed is not."""

import gzip
import zlib
from typing import Any

import pytest
from django.http import QueryDict, StreamingHttpResponse
from django.test import Client
from django.urls import reverse

from syncing.queries.items import PAGE_SIZE
from tests.factories import LONG_NAME, ScheduleFactory, SyncItemFactory, UserFactory

pytestmark = pytest.mark.django_db
LARGEST_PAGE = 60_000
"""Bytes of any page, as they are sent."""
ZIPPED = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(username="maya", roles=["support"]))
    return client


@pytest.fixture
def full_list() -> None:
    connection = ScheduleFactory.create(connection__name=LONG_NAME).connection
    for number in range(PAGE_SIZE + 1):
        SyncItemFactory.create(
            connection=connection,
            failed=True,
            label=f"{number} {LONG_NAME}"[:200],
            error_title=f"Account {number} of {LONG_NAME} is closed."[:300],
        )


@pytest.mark.usefixtures("full_list")
def test_a_full_list_of_items_is_small(support: Client) -> None:
    answer = support.get(reverse("items"), headers=ZIPPED)

    assert answer["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in answer["Vary"]
    assert gzip.decompress(answer.content).decode().count("data-row") == PAGE_SIZE
    assert len(answer.content) <= LARGEST_PAGE


@pytest.mark.usefixtures("full_list")
def test_whoever_cannot_unpack_gets_it_as_it_is(support: Client) -> None:
    answer = support.get(reverse("items"))

    assert not answer.has_header("Content-Encoding")
    assert answer.content.decode().count("data-row") == PAGE_SIZE


def test_a_poll_that_hears_nothing_has_no_body(support: Client) -> None:
    polled = support.get(reverse("items"), {"state": "all"}).context["live_query"]
    version = QueryDict(polled)["version"]

    answer = support.get(
        reverse("items"),
        {"state": "all", "version": version, "shown": ""},
        headers={**ZIPPED, "HX-Request": "true"},
    )

    assert (answer.status_code, answer.content) == (204, b"")
    assert not answer.has_header("Content-Encoding")


@pytest.mark.usefixtures("full_list")
def test_a_file_is_compressed_while_it_is_written(support: Client) -> None:
    answer: Any = support.get(reverse("items_csv"), headers=ZIPPED)

    assert isinstance(answer, StreamingHttpResponse)
    pieces = b"".join(answer)
    assert zlib.decompress(pieces, wbits=31).decode().count("\r\n") == PAGE_SIZE + 2


def test_static_files_are_left_to_who_serves_them(client: Client, settings: Any) -> None:
    settings.WHITENOISE_USE_FINDERS = settings.WHITENOISE_AUTOREFRESH = True  # nothing is collected
    address = "/static/css/app.css"
    part: Any = client.get(address, headers={"Range": "bytes=0-99", **ZIPPED})

    assert isinstance(part, StreamingHttpResponse)
    assert (part.status_code, len(b"".join(part))) == (206, 100)
    assert not part.has_header("Content-Encoding")
    part.close()
    known = {"If-Modified-Since": part["Last-Modified"], **ZIPPED}
    assert client.get(address, headers=known).status_code == 304
