"""What people fill in about mappings."""

from collections.abc import Sequence
from typing import Any

from django import forms

from connections.mapping_book.changes import Change
from connections.mapping_book.csv_file import MOST_BYTES
from connections.models import MappingKind

_FIELD = {"class": "field", "autocomplete": "off"}


class MappingForm(forms.Form):
    """Where one coding of Ramp leads, and why. Its record is chosen from a searched list."""

    kind = forms.ChoiceField(choices=MappingKind.choices, widget=forms.HiddenInput)
    id = forms.CharField(max_length=200, widget=forms.HiddenInput)
    field = forms.CharField(max_length=100, required=False, widget=forms.HiddenInput)
    expected = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)
    after = forms.CharField(
        max_length=100,
        error_messages={"required": "Choose the record of the ERP that it means."},
    )
    entity = forms.ChoiceField(
        required=False, label="Holds for", widget=forms.Select(attrs={"class": "field"})
    )
    reason = forms.CharField(
        max_length=300,
        required=False,
        label="Reason",
        help_text="Others read it beside the mapping.",
        widget=forms.TextInput(attrs=_FIELD),
    )

    def __init__(
        self, data: Any = None, *, entities: Sequence[tuple[str, str]], **options: Any
    ) -> None:
        super().__init__(data, **options)
        everywhere = [("", "All entities"), *entities]
        self.fields["entity"] = forms.ChoiceField(
            required=False,
            choices=everywhere,
            label="Holds for",
            widget=forms.Select(attrs={"class": "field"}),
        )

    def change(self, name: str) -> Change:
        """What the form asks for. `name` is what Ramp calls the coding."""
        asked = self.cleaned_data
        is_entity = asked["kind"] == MappingKind.ENTITY
        return Change(
            MappingKind(asked["kind"]),
            asked["id"],
            asked["after"],
            entity_ramp_id="" if is_entity else asked["entity"],
            field_erp_id=asked["field"],
            ramp_name=name,
        )


class WhyForm(forms.Form):
    """Why a whole set of mappings is changed."""

    reason = forms.CharField(
        max_length=300,
        label="Reason",
        error_messages={"required": "Say in a few words why. Others read it beside the revision."},
        widget=forms.TextInput(attrs=_FIELD),
    )
    expected = forms.IntegerField(min_value=0, required=False, widget=forms.HiddenInput)


class UploadForm(forms.Form):
    """A CSV file with mappings."""

    file = forms.FileField(
        label="CSV file",
        help_text=f"At most {MOST_BYTES // 1000:,} kB. Nothing is saved before you have seen it.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
        widget=forms.FileInput(attrs={"class": "field", "accept": ".csv,text/csv,text/plain"}),
    )


class KeepFileForm(WhyForm):
    """The same file once more, to be saved now."""

    text = forms.CharField(widget=forms.HiddenInput, strip=False)


class CopyForm(forms.Form):
    """From whom to copy, and to which entity if the source is one."""

    source = forms.CharField(max_length=100)
    target = forms.CharField(max_length=40, required=False)
