"""What an item can be found by in words: apart, because the items' own rows change all the time."""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from syncing.models.items import SyncItem


class ItemWords(models.Model):
    """The words of one item's merchant or vendor, memo and person. Kept by the items' triggers."""

    item = models.OneToOneField(SyncItem, models.CASCADE, primary_key=True, related_name="words")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="items_by_word")]

    def __str__(self) -> str:
        return f"words of {self.item_id}"
