"""A poll of an item's page hears of everything that would look otherwise, and of nothing else."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from syncing import handling, pauses
from syncing.models import ItemEvent, SyncItem
from syncing.queries import item_pulse
from tests.factories import AttachmentFactory, SyncItemFactory, UserFactory

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)


@pytest.fixture
def support(client: Client) -> Client:
    client.force_login(UserFactory.create(roles=["support"]))
    return client


def posting(item: SyncItem, left: timedelta) -> None:
    SyncItem.objects.filter(pk=item.pk).update(
        state="POSTING", lease_token=uuid4(), lease_until=timezone.now() + left
    )


@pytest.mark.parametrize(
    "act",
    [
        lambda item: SyncItem.objects.filter(pk=item.pk).update(label="Another merchant"),
        lambda item: posting(item, SOON),
        lambda item: posting(item, -SOON),
        lambda item: ItemEvent.objects.create(item=item, at=timezone.now(), kind="note", text="A"),
        lambda item: AttachmentFactory.create(item=item),
        lambda item: handling.assign([item.pk], owner="maya", actor="maya"),
        lambda item: handling.comment(item, text="Called them.", author="maya"),
        lambda item: pauses.pause(item.connection, "", "Month end", "maya"),
        lambda item: type(item.connection).objects.update(name="Renamed"),
        lambda item: SyncItemFactory.create(
            connection=item.connection, ramp_id=item.ramp_id, object_type="bill_payment", phase=1
        ),
    ],
    ids=["label", "posting", "past its lease", "event", "file", "owner", "comment", "pause",
         "customer", "related"],
)  # fmt: skip
def test_what_the_page_shows_changes_it(act: Callable[[SyncItem], object]) -> None:
    item = SyncItemFactory.create()
    before = item_pulse.pulse(item.pk, now=timezone.now())
    assert item_pulse.pulse(item.pk, now=timezone.now()) == before

    act(item)

    assert item_pulse.pulse(item.pk, now=timezone.now()) != before


def test_being_listed_again_by_ramp_is_no_news() -> None:
    item = SyncItemFactory.create()
    before = item_pulse.pulse(item.pk, now=timezone.now())

    SyncItem.objects.filter(pk=item.pk).update(seen_ready_at=timezone.now())

    assert item_pulse.pulse(item.pk, now=timezone.now()) == before


def test_there_is_none_of_an_item_that_does_not_exist() -> None:
    assert item_pulse.pulse(999_999, now=timezone.now()) is None


def test_a_poll_hears_of_a_related_item_that_moves(support: Client) -> None:
    bill = SyncItemFactory.create(object_type="bill")
    payment = SyncItemFactory.create(
        connection=bill.connection, ramp_id=bill.ramp_id, object_type="bill_payment", phase=1
    )
    poll = support.get(reverse("item", args=[bill.pk])).context["live_url"]
    headers = {"HX-Request": "true", "X-Live-Poll": "1"}
    assert support.get(poll, headers=headers).status_code == 204

    posting(payment, SOON)

    assert support.get(poll, headers=headers).status_code == 200
