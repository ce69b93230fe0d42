"""What people fill in around the steps of a migration."""

from typing import Any

from django import forms

MOST_NOTE = 10_000


class StartForm(forms.Form):
    """Whose migration is to begin."""

    customer = forms.SlugField(max_length=80, error_messages={"required": "Choose a customer."})


class VersionForm(forms.Form):
    """The version of the step that the page showed."""

    version = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class OwnerForm(VersionForm):
    """Who is responsible for a step; empty: nobody."""

    owner = forms.CharField(
        max_length=150,
        required=False,
        widget=forms.TextInput(attrs={"class": "field", "list": "people", "autocomplete": "off"}),
    )


class NoteForm(VersionForm):
    """What people want to remember about a step."""

    note = forms.CharField(
        max_length=MOST_NOTE,
        required=False,
        widget=forms.Textarea(attrs={"class": "field", "rows": 5}),
    )


class ReasonForm(forms.Form):
    """Why a gate is to be passed or a step to be skipped."""

    gate = forms.CharField(max_length=60, required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=500,
        help_text="The closing report prints it, with both names.",
        error_messages={"required": "Say why: the closing report prints the reason."},
        widget=forms.Textarea(attrs={"class": "field", "rows": 3}),
    )


class CustomerNamedForm(forms.Form):
    """Type the customer's name before something that is hard to take back."""

    name = forms.CharField(
        label="Type the customer's name to go on",
        max_length=200,
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )

    def __init__(self, data: Any = None, *, customer: str, initial: Any = None) -> None:
        """:param customer: the name that has to be typed"""
        super().__init__(data, initial=initial)
        self.customer = customer

    def clean_name(self) -> str:
        """:raises ValidationError: if it is another name"""
        name = " ".join(self.cleaned_data["name"].split())
        if name.casefold() != " ".join(self.customer.split()).casefold():
            raise forms.ValidationError(f"This is not the name. Type: {self.customer}")
        return name


class ConfirmForm(CustomerNamedForm, VersionForm):
    """Have an act done that takes something back."""


class AskCustomerForm(VersionForm):
    """What the customer is asked to do."""

    text = forms.CharField(
        label="What you ask for",
        max_length=400,
        help_text="It is kept as evidence, with your name and the time.",
        error_messages={"required": "Say what the customer is asked to do."},
        widget=forms.Textarea(attrs={"class": "field", "rows": 4}),
    )


class EndForm(CustomerNamedForm):
    """Why a migration ends before its last step."""

    field_order = ("because", "name")
    because = forms.CharField(
        label="Why it ends",
        max_length=500,
        help_text="It stands on the list, in the report and in the audit trail.",
        error_messages={"required": "Say why: whoever starts again later wants to know."},
        widget=forms.Textarea(attrs={"class": "field", "rows": 3}),
    )
