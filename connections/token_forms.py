"""What people fill in to make a key to the API."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User

from connections.api_tokens import POWERS, Scope
from rampbridge.policy import can

LASTS: Mapping[str, tuple[str, timedelta]] = {
    "30": ("30 days", timedelta(days=30)),
    "90": ("90 days", timedelta(days=90)),
    "180": ("Half a year", timedelta(days=180)),
    "365": ("A year", timedelta(days=365)),
}


class ApiTokenForm(forms.Form):
    """A key's name, what it may do, and how long it works."""

    name = forms.CharField(
        label="Name",
        max_length=80,
        help_text="The program that uses it. Every act by the key is recorded under this name.",
        error_messages={"required": "Name the program that is to use it."},
        widget=forms.TextInput(
            attrs={"class": "field", "autocomplete": "off", "placeholder": "Nightly report"}
        ),
    )
    scopes = forms.MultipleChoiceField(
        label="What it may do",
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one thing that it may do."},
    )
    lasts = forms.ChoiceField(
        label="It works for",
        choices=[(value, label) for value, (label, _) in LASTS.items()],
        initial="90",
        help_text="Then it ends by itself. No key lasts longer than a year.",
        widget=forms.Select(attrs={"class": "field"}),
    )

    def __init__(self, data: Any = None, *, owner: User) -> None:
        super().__init__(data, initial={"scopes": [Scope.READ.value], "lasts": "90"})
        self.fields["scopes"] = forms.MultipleChoiceField(
            label="What it may do",
            choices=[
                (scope.value, f"{power.label}: {power.words.lower()}")
                for scope, power in POWERS.items()
                if can(owner, power.permission)
            ],
            widget=forms.CheckboxSelectMultiple,
            error_messages=self.base_fields["scopes"].error_messages,
        )

    def clean_name(self) -> str:
        """In one line."""
        return " ".join(str(self.cleaned_data["name"]).split())

    @property
    def chosen(self) -> list[Scope]:
        return [Scope(one) for one in self.cleaned_data["scopes"]]

    @property
    def length(self) -> timedelta:
        return LASTS[self.cleaned_data["lasts"]][1]
