"""Every number of the managers' page equals the list that it leads to, at the same moment."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from connections.models import Connection, Entity
from syncing.backlog import folding
from syncing.models import CustomerDay
from syncing.queries import items
from syncing.views.chosen import chosen_list
from syncing.views.item_list import list_total
from tests.browser import backlog_stories
from tests.factories import UserFactory, now

pytestmark = pytest.mark.django_db

LINK = re.compile(r"<a\b[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
TOTAL = re.compile(r'id="list-total"\s+data-total="(\d+\+?)"')
GROUPS = re.compile(r'aria-current="true"[^>]*>.*?<span class="figures">(\d+)</span>', re.DOTALL)
PAGES = (
    "",
    "?customer=harbor-coffee&period=7d",
    "?erp=NetSuite&period=7d&weight=minutes",
    "?owner=ana.lopes&type=bill&period=30d",
    "?category=user_actionable&measure=amount&currency=JPY",
    "?customer=northwind-robotics&type=transaction&period=400d",
)
LOOKED_AT = 3
"""Lists of a page that are opened as a person would; of the others their totals are read."""


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(UserFactory.create(username="hannah", roles=["manager"]))
    return client


@pytest.fixture
def week() -> list[Connection]:
    return backlog_stories.this_week()


def links(html: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Id, number and address of each link that says how many it leads to."""
    for tag in LINK.findall(html):
        found = dict(ATTRIBUTE.findall(tag))
        if name in found:
            yield found.get("id", ""), found[name], unescape(found["href"])


def listed(url: str) -> str:
    """What the head of the list at an address says."""
    chosen = chosen_list(QueryDict(url.partition("?")[2]), me="hannah").filter
    page = items.page_of_items(chosen, after=None, now=now())
    total = list_total(page, chosen, now=now())
    return f"{total.items}{'' if total.is_all else '+'}"


def wrong_numbers(manager: Client, address: str) -> list[str]:
    """Follow every link of a page and count."""
    html = manager.get(address).content.decode()
    said = list(links(html, "data-count"))
    wrong = [
        f"{address}: {which} says {number}, its list {found}: {url}"
        for which, number, url in said
        if (found := listed(url)) != number
    ]
    for _, _, url in said[:LOOKED_AT]:
        head = TOTAL.search(manager.get(url).content.decode())
        if (head.group(1) if head else "0") != listed(url):
            wrong.append(f"the list's own head differs: {url}")
    for which, number, url in links(html, "data-groups"):
        head = GROUPS.search(manager.get(url).content.decode())
        if head is None or head.group(1) != number:
            wrong.append(f"{address}: {which} says {number}: {url}")
    assert said, "a page without numbers proves nothing"
    return wrong


@pytest.mark.usefixtures("week")
def test_numbers_equal(manager: Client) -> None:
    entity = Entity.objects.get(name="Harbor Coffee Roasters HQ").ramp_id
    of_entity = f"?customer=harbor-coffee&entity={entity}&period=90d"

    wrong = [
        one
        for query in (*PAGES, of_entity)
        for one in wrong_numbers(manager, reverse("backlog") + query)
    ]

    assert wrong == []


def test_numbers_equal_of_parts_and_of_what_is_folded(
    manager: Client, week: list[Connection]
) -> None:
    for connection in week:
        for back in range(3):
            day: date = (now() - timedelta(days=back)).date()
            CustomerDay.objects.create(connection=connection, day=day, p95_open_seconds=9_000)
    folding.fold()

    pages = [reverse("backlog"), reverse("backlog_worst"), reverse("backlog_team")]
    assert [one for page in pages for one in wrong_numbers(manager, page)] == []
