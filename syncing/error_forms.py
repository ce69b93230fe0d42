"""Filters of the error list, and what people fill in at the error desk."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import forms

from rampbridge.lib.shared_fields import with_shared_fields
from syncing.classifier import ErrorCategory
from syncing.error_desk.acts import Snooze
from syncing.queries.errors import CATEGORIES, ORIGINS, ErrorFilter
from syncing.queries.group_states import LOOKS, GroupState

OPEN = "open"
_FIELD = {"class": "field", "autocomplete": "off"}


@with_shared_fields
class ErrorFilterForm(forms.Form):
    """Filters of the list of errors, all of them GET parameters. Nonsense is no filter."""

    state = forms.ChoiceField(
        required=False,
        choices=[(OPEN, "Open"), *((one.value, LOOKS[one].label) for one in GroupState)],
    )
    customer = forms.SlugField(required=False, max_length=80)
    category = forms.ChoiceField(
        required=False,
        choices=[("", "All categories"), *((one, look.label) for one, look in CATEGORIES.items())],
    )
    origin = forms.ChoiceField(required=False, choices=[("", "All origins"), *ORIGINS.items()])
    owner = forms.CharField(required=False, max_length=150)
    erp = forms.CharField(required=False, max_length=30)
    q = forms.CharField(required=False, max_length=100)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.is_valid()

    def value(self, name: str) -> str:
        """What the URL says, or nothing if it says nonsense."""
        return str(self.cleaned_data.get(name) or "").strip()

    def as_filter(self, me: str) -> ErrorFilter:
        """What the queries need. `owner=me` is whoever asks."""
        state, owner = self.value("state"), self.value("owner")
        return ErrorFilter(
            state=GroupState(state) if state not in ("", OPEN) else None,
            customer=self.value("customer"),
            category=self.value("category"),
            origin=self.value("origin"),
            owner=me if owner == "me" else owner,
            erp=self.value("erp"),
            text=self.value("q"),
        )


class AssignForm(forms.Form):
    """Who is to care for a group."""

    owner = forms.CharField(
        required=False,
        max_length=150,
        label="Whoever cares for it",
        help_text="A user name. Empty: nobody.",
        widget=forms.TextInput(attrs={**_FIELD, "autofocus": True, "list": "people"}),
    )


class CommentForm(forms.Form):
    """What somebody has to say about a group."""

    text = forms.CharField(
        max_length=4000,
        label="Comment",
        error_messages={"required": "Write something first."},
        widget=forms.Textarea(attrs={"class": "field", "rows": 3}),
    )


class SnoozeForm(forms.Form):
    """Until when a group is put off, and why."""

    SPANS: Sequence[tuple[str, str, timedelta]] = (
        ("1h", "an hour", timedelta(hours=1)),
        ("4h", "4 hours", timedelta(hours=4)),
        ("1d", "a day", timedelta(days=1)),
        ("3d", "3 days", timedelta(days=3)),
        ("7d", "a week", timedelta(days=7)),
        ("30d", "30 days", timedelta(days=30)),
    )
    TIME, MORE, FREED, RELEASE = "time", "more", "freed", "release"

    until = forms.ChoiceField(
        label="Put off",
        choices=[
            (TIME, "for some time"),
            (MORE, "until so many more items fail with it"),
            (FREED, "until one of its items goes through, as when a period is reopened"),
            (RELEASE, "until another version of rampbridge runs"),
        ],
        error_messages={"required": "Choose what brings it back."},
        widget=forms.RadioSelect,
    )
    span = forms.ChoiceField(
        required=False,
        label="For",
        choices=[(name, label) for name, label, _ in SPANS],
        initial="1d",
        widget=forms.Select(attrs={"class": "field"}),
    )
    more = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=1_000_000,
        label="More items",
        initial=10,
        widget=forms.NumberInput(attrs=_FIELD),
    )
    reason = forms.CharField(
        max_length=300,
        label="Why it can wait",
        error_messages={"required": "Say in a few words why. Others read it on this page."},
        widget=forms.TextInput(attrs=_FIELD),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("until") == self.TIME and not cleaned.get("span"):
            self.add_error("span", "Choose for how long.")
        is_missing = not cleaned.get("more") and "more" not in self.errors
        if cleaned.get("until") == self.MORE and is_missing:
            self.add_error("more", "Say how many more.")
        return cleaned

    def snooze(self, now: datetime) -> Snooze:
        """What was asked for; call it on a valid form only."""
        cleaned, until = self.cleaned_data, self.cleaned_data["until"]
        spans = {name: span for name, _, span in self.SPANS}
        return Snooze(
            reason=cleaned["reason"],
            until=now + spans[cleaned["span"]] if until == self.TIME else None,
            for_more=cleaned["more"] if until == self.MORE else None,
            until_freed=until == self.FREED,
            until_release=until == self.RELEASE,
        )


class RulingForm(forms.Form):
    """Into which category a group is put, why, and what the customer is then told to do."""

    category = forms.ChoiceField(
        label="From now on it is",
        error_messages={"required": "Choose a category."},
        widget=forms.RadioSelect,
    )
    fix = forms.CharField(
        required=False,
        max_length=500,
        label="What the customer is told to do",
        help_text="Only where the customer can fix it. Begin with a verb: “Choose …”, “Reopen …”."
        " Ramp shows it behind the title of each item.",
        widget=forms.Textarea(attrs={"class": "field", "rows": 2}),
    )
    reason = forms.CharField(
        max_length=300,
        label="Why",
        error_messages={"required": "Say how you know. Whoever looks next reads it."},
        widget=forms.TextInput(attrs=_FIELD),
    )

    def __init__(self, data: Any = None, *, choices: Iterable[ErrorCategory], **options: Any):
        super().__init__(data, **options)
        field = self.fields["category"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            (one.value, f"{CATEGORIES[one].label}. {CATEGORIES[one].meaning}") for one in choices
        ]


class WithdrawForm(forms.Form):
    """Why a ruling no longer holds."""

    reason = forms.CharField(
        max_length=300,
        label="Why it no longer holds",
        error_messages={"required": "Say in a few words why. Others read it on this page."},
        widget=forms.TextInput(attrs={**_FIELD, "autofocus": True}),
    )
