"""What a customer's page shows is told by its pulse, whichever part of it has changed."""

from collections.abc import Callable

import pytest

from connections import audit
from connections.models import Connection
from syncing.queries.customer_pulse import pulse
from tests.factories import PauseFactory, ScheduleFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


def _renamed(one: Connection) -> None:
    Connection.objects.filter(pk=one.pk).update(name="Harbour")


@pytest.mark.parametrize(
    "change",
    [
        lambda one: SyncItemFactory.create(connection=one),
        lambda one: SyncItemFactory.create(connection=one, failed=True),
        lambda one: PauseFactory.create(connection=one),
        lambda one: audit.record("maya", "customers.tag", "Tagged.", connection_id=one.pk),
        _renamed,
    ],
    ids=["an item", "an error", "a pause", "an act", "its name"],
)
def test_hears_of(change: Callable[[Connection], object]) -> None:
    one, at = ScheduleFactory.create().connection, now()
    before = pulse(one.slug, now=at)

    assert pulse(one.slug, now=at) == before
    change(one)
    assert pulse(one.slug, now=at) != before


def test_hears_nothing_of_others() -> None:
    one, at = ScheduleFactory.create().connection, now()
    before = pulse(one.slug, now=at)
    SyncItemFactory.create(failed=True)

    assert pulse(one.slug, now=at) == before
    assert pulse("nobody", now=at) is None
