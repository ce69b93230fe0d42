"""The filters of lists. A URL may say anything, so nonsense falls back to the default."""

from typing import Any

from django import forms

from syncing.models import SyncItem
from syncing.queries.items import ItemFilter
from syncing.queries.words import LOOKS, Word

ALL = "all"
OPEN = "open"


class ItemFilterForm(forms.Form):
    """Filters of the items list, all of them GET parameters."""

    state = forms.ChoiceField(required=False)
    customer = forms.CharField(required=False, max_length=80)
    type = forms.ChoiceField(
        required=False, choices=[("", "All types"), *SyncItem.ObjectType.choices]
    )
    error = forms.CharField(required=False, max_length=60)
    q = forms.CharField(required=False, max_length=100)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.fields["state"] = forms.ChoiceField(
            required=False,
            choices=[
                (OPEN, "Open"),
                (ALL, "All"),
                *((word.value, LOOKS[word].label) for word in Word),
            ],
        )
        self.is_valid()

    def value(self, name: str) -> str:
        """What the URL says, or nothing if it says nonsense."""
        return str(self.cleaned_data.get(name) or "")

    def as_filter(self, connection_id: Any) -> ItemFilter:
        """What the queries need; the customer was already looked up."""
        state = self.value("state")
        return ItemFilter(
            word=Word(state) if state not in ("", ALL, OPEN) else None,
            everything=state == ALL,
            connection_id=connection_id,
            object_type=self.value("type"),
            error_code=self.value("error"),
            text=self.value("q").strip(),
        )
