"""Every number of the managers' page equals the list that it leads to, at the same moment."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from connections.models import Entity
from tests.browser import backlog_stories
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

LINK = re.compile(r"<a\b[^>]*>")
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
TOTAL = re.compile(r'id="list-total"\s+data-total="(\d+\+?)"')
GROUPS = re.compile(r'aria-current="true"[^>]*>.*?<span class="figures">(\d+)</span>', re.DOTALL)


@pytest.fixture
def manager(client: Client) -> Client:
    client.force_login(UserFactory.create(roles=["manager"]))
    return client


def links(html: str, name: str) -> Iterator[tuple[str, str, str]]:
    """Id, number and address of each link that says how many it leads to."""
    for tag in LINK.findall(html):
        found = dict(ATTRIBUTE.findall(tag))
        if name in found:
            yield found.get("id", ""), found[name], unescape(found["href"])


def wrong_numbers(manager: Client, address: str) -> list[str]:
    """Follow every link of a page and count."""
    html = manager.get(address).content.decode()
    wrong, followed = [], {}
    for which, number, url in links(html, "data-count"):
        if url not in followed:
            total = TOTAL.search(manager.get(url).content.decode())
            followed[url] = total.group(1) if total else "0"
        if followed[url] != number:
            wrong.append(f"{which} says {number}, its list {followed[url]}: {url}")
    for which, number, url in links(html, "data-groups"):
        listed = GROUPS.search(manager.get(url).content.decode())
        if listed is None or listed.group(1) != number:
            wrong.append(f"{which} says {number}: {url}")
    assert followed, "a page without numbers proves nothing"
    return wrong


@pytest.fixture
def week() -> None:
    backlog_stories.a_week()


@pytest.mark.parametrize(
    "query",
    [
        "",
        "customer=harbor-coffee&period=7d",
        "erp=NetSuite&period=7d&weight=minutes",
        "owner=ana.lopes&type=bill&period=30d",
        "category=user_actionable&measure=amount&currency=JPY",
        "customer=northwind-robotics&type=transaction",
    ],
)
@pytest.mark.usefixtures("week")
def test_numbers_equal(manager: Client, query: str) -> None:
    assert wrong_numbers(manager, f"{reverse('backlog')}?{query}") == []


@pytest.mark.usefixtures("week")
def test_numbers_equal_of_one_entity(manager: Client) -> None:
    entity = Entity.objects.get(name="Harbor Coffee Roasters HQ").ramp_id

    address = f"{reverse('backlog')}?customer=harbor-coffee&entity={entity}&period=90d"
    assert wrong_numbers(manager, address) == []


@pytest.mark.parametrize("route", ["backlog_worst", "backlog_team"])
@pytest.mark.usefixtures("week")
def test_numbers_equal_of_parts(manager: Client, route: str) -> None:
    assert wrong_numbers(manager, reverse(route)) == []
