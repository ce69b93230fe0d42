"""The words that an item is found by, kept by the items' own triggers."""

import pytest
from django.contrib.postgres.search import SearchQuery

from syncing.models import ItemWords, SyncItem
from tests.factories import SyncItemFactory

pytestmark = pytest.mark.django_db


def found(words: str) -> set[str]:
    """The merchants of items that have words of which each begins with one of these."""
    query = SearchQuery(words, config="simple", search_type="raw")
    items = SyncItem.objects.filter(words__words=query)
    return set(items.values_list("label", flat=True))


class TestWords:
    def test_are_those_of_merchant_memo_person_and_invoice(self) -> None:
        SyncItemFactory.create(
            label="Blue Bottle", memo="team offsite", person="Ada Byron", invoice_number="K7788"
        )

        for word in ("bottle", "offsite", "byron", "k7788"):
            assert found(word) == {"Blue Bottle"}
        assert found("team & absent") == set()

    def test_follow_what_changes(self) -> None:
        item = SyncItemFactory.create(label="Figma")

        SyncItem.objects.filter(pk=item.pk).update(label="Sketch")

        assert (found("figma"), found("sketch")) == (set(), {"Sketch"})

    def test_are_not_written_again_by_what_has_none_of_them(self) -> None:
        """An item's row changes five times on its way, and its words are the same each time."""
        item = SyncItemFactory.create(label="Figma")
        ItemWords.objects.filter(pk=item.pk).update(words="kept")

        SyncItem.objects.filter(pk=item.pk).update(attempts=3)

        assert found("kept") == {"Figma"}

    def test_of_many_items_at_once_belong_to_their_items(self) -> None:
        for label in ("Figma", "Github", "Notion"):
            SyncItemFactory.create(label=label)

        SyncItem.objects.filter(label__in=["Figma", "Github"]).update(memo="seats")

        assert found("seats") == {"Figma", "Github"}

    def test_go_with_their_item(self) -> None:
        item = SyncItemFactory.create()

        SyncItem.objects.filter(pk=item.pk).delete()

        assert not ItemWords.objects.exists()
