"""The counts beside the navigation are those of the lists behind them."""

from datetime import timedelta

import pytest
from django.test import Client

from syncing.models import Handling
from syncing.queries.frame import frame
from tests.factories import SyncItemFactory, UserFactory, now

pytestmark = pytest.mark.django_db


def counts() -> dict[str, int]:
    found = frame("maya", now=now(), most_pinned=5, most_people=5).queues
    return {queue.word.value: queue.items for queue in found if queue.items}


def test_what_was_put_off_is_not_counted() -> None:
    SyncItemFactory.create()
    for days in (1, -1):
        Handling.objects.create(
            item=SyncItemFactory.create(), snoozed_until=now() + timedelta(days=days)
        )
    failed = SyncItemFactory.create(failed=True)
    Handling.objects.create(item=failed, snoozed_until=now() + timedelta(days=1))

    assert counts() == {"queued": 2}


def test_uncertain_stands_once_with_its_count(client: Client) -> None:
    client.force_login(UserFactory.create(roles=["support"]))
    SyncItemFactory.create(state="REVIEW")

    html = client.get("/customers/").content.decode().split('id="nav-more"')[0]

    assert html.count('href="/uncertain/"') == 1
    assert "state=uncertain" not in html


def test_people_are_those_who_can_still_sign_in() -> None:
    UserFactory.create(username="maya")
    UserFactory.create(username="gone", is_active=False)

    assert list(frame("maya", now=now(), most_pinned=5, most_people=5).people) == ["maya"]
