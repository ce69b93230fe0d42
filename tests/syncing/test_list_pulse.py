"""A poll of the item list hears of everything that would look otherwise."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from syncing import handling, selections
from syncing.models import SyncItem
from syncing.queries.items import ItemFilter
from syncing.queries.list_pulse import pulse
from syncing.queries.words import Word
from tests.factories import SyncItemFactory, now

pytestmark = pytest.mark.django_db

SOON = timedelta(minutes=5)


def pulsed(**chosen: Any) -> tuple[Any, ...]:
    return pulse(ItemFilter(**chosen), after=None, viewer="maya", query="", now=now())


def change(**columns: Any) -> Callable[[SyncItem], object]:
    return lambda item: SyncItem.objects.filter(pk=item.pk).update(**columns)


def posting(left: timedelta) -> Callable[[SyncItem], object]:
    return change(state="POSTING", lease_token=uuid4(), lease_until=now() + left)


@pytest.mark.parametrize(
    "act",
    [
        change(label="Another merchant"),
        change(amount_minor=1),
        change(due_at=now() + SOON),
        change(blocked_by="mapping.GL account:7100"),
        change(error_title="Something else is wrong."),
        change(erp_number="JE-1"),
        posting(SOON),
        posting(-SOON),
        lambda item: handling.assign([item.pk], owner="maya", actor="maya"),
        lambda item: handling.tag([item.pk], tag="vip", actor="maya"),
        lambda item: selections.tick("maya", "", [item.pk], on=True),
        lambda _: SyncItemFactory.create(),
        lambda item: item.delete(),
        lambda item: type(item.connection).objects.update(name="Renamed"),
    ],
    ids=["label", "amount", "due", "wait", "error", "number", "posting", "past its lease", "owner",
         "tag", "tick", "new", "gone", "customer"],
)  # fmt: skip
def test_what_a_row_or_a_count_shows_changes_it(act: Callable[[SyncItem], object]) -> None:
    item = SyncItemFactory.create()
    before = pulsed()
    assert pulsed() == before

    act(item)

    assert pulsed() != before


def test_another_customers_items_are_no_news_of_a_list_of_one() -> None:
    mine = SyncItemFactory.create()
    before = pulsed(connection_id=mine.connection_id)

    SyncItemFactory.create()

    assert pulsed(connection_id=mine.connection_id) == before


def test_a_page_is_asked_for_as_of_its_own_time_each_time() -> None:
    ends = now() + SOON
    SyncItemFactory.create(state="POSTING", lease_token=uuid4(), lease_until=ends)
    working = ItemFilter(word=Word.WORKING)

    def page(at: datetime) -> Any:
        return pulse(working, after=None, viewer="maya", query="", now=at)[0]

    assert page(ends - SOON) is not None
    assert page(ends + SOON) is None
    assert page(ends - SOON) is not None
