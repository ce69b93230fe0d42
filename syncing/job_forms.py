"""What people fill in to act on items: on one of them, or on many as a job."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.auth import get_user_model

from rampbridge.policy import Role
from syncing import handling
from syncing.bulk.acts import Act

_FIELD = {"class": "field", "autocomplete": "off"}

NOBODY = "nobody"
SNOOZES: Mapping[str, tuple[str, timedelta | None]] = {
    "4h": ("4 hours", timedelta(hours=4)),
    "1d": ("1 day", timedelta(days=1)),
    "3d": ("3 days", timedelta(days=3)),
    "7d": ("1 week", timedelta(days=7)),
    "30d": ("30 days", timedelta(days=30)),
    "day": ("A day, at 00:00 UTC", None),
    "now": ("Show again now", None),
}


def people() -> list[str]:
    """Who items can be given to: everybody who has a role, by name."""
    users = get_user_model().objects.filter(is_active=True, groups__name__in=list(Role))
    return list(users.order_by("username").values_list("username", flat=True).distinct())


class ActForm(forms.Form):
    """What an act needs to know; nothing, for most."""

    def __init__(self, data: Any = None, *, now: datetime, me: str, **options: Any) -> None:
        """:param me: who asks"""
        super().__init__(data, **options)
        self.now = now
        self.me = me

    def argument(self) -> dict[str, Any]:
        """What the job keeps, as JSON."""
        return {}


class AssignForm(ActForm):
    """Who is to care for them."""

    owner = forms.ChoiceField(
        label="Assign to",
        error_messages={
            "required": "Choose who is to care for them.",
            "invalid_choice": "Nobody of that name has a role here. Choose one of the list.",
        },
    )

    def __init__(self, data: Any = None, **options: Any) -> None:
        super().__init__(data, **options)
        others = [name for name in people() if name != self.me]
        self.fields["owner"] = forms.ChoiceField(
            label="Assign to",
            choices=[
                (f"@{self.me}", f"Me ({self.me})"),
                (NOBODY, "Nobody"),
                *((f"@{name}", name) for name in others),
            ],
            error_messages=self.base_fields["owner"].error_messages,
            widget=forms.Select(attrs={"class": "field"}),
        )

    def argument(self) -> dict[str, Any]:
        chosen = str(self.cleaned_data["owner"])
        return {"owner": "" if chosen == NOBODY else chosen.removeprefix("@")}


class TagForm(ActForm):
    """What they are to be filed under."""

    tag = forms.CharField(
        max_length=40,
        label="Tag",
        help_text="Small letters and digits, such as month-end.",
        error_messages={"required": "Write the tag."},
        widget=forms.TextInput(attrs={**_FIELD, "placeholder": "Tag, such as month-end"}),
    )

    def clean_tag(self) -> str:
        try:
            return handling.tag_name(self.cleaned_data["tag"])
        except handling.NotHandled as refusal:
            raise forms.ValidationError(str(refusal)) from None

    def argument(self) -> dict[str, Any]:
        return {"tag": self.cleaned_data["tag"]}


class SnoozeForm(ActForm):
    """Until when lists leave them out, and why."""

    how_long = forms.ChoiceField(
        label="Until",
        choices=[(value, label) for value, (label, _) in SNOOZES.items()],
        initial="1d",
        error_messages={"required": "Choose for how long."},
        widget=forms.Select(attrs={"class": "field"}),
    )
    day = forms.DateField(
        required=False,
        label="Day",
        widget=forms.DateInput(attrs={"class": "field", "type": "date"}),
        help_text="Only for “A day”.",
    )
    why = forms.CharField(
        required=False,
        max_length=300,
        label="Why",
        help_text="Others read it on each item.",
        widget=forms.TextInput(attrs={**_FIELD, "placeholder": "Why"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("how_long") == "day" and "day" in cleaned:
            day = cleaned["day"]
            if day is None:
                self.add_error("day", "Choose the day on which they come back.")
            elif datetime.combine(day, time(), UTC) <= self.now:
                self.add_error("day", "That day has begun already. Choose a later one.")
        return cleaned

    def argument(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        _, length = SNOOZES[cleaned["how_long"]]
        until: datetime | None = None
        if cleaned["how_long"] == "day":
            until = datetime.combine(cleaned["day"], time(), UTC)
        elif length is not None:
            until = (self.now + length).replace(microsecond=0)
        return {"until": until.isoformat() if until else None, "reason": cleaned["why"]}


class OutsideForm(ActForm):
    """Why rampbridge is to leave them alone. An ERP number belongs to one item: see its page."""

    why = forms.CharField(
        max_length=300,
        label="Reason",
        help_text="Auditors read it on each item.",
        error_messages={"required": "Say why they were handled outside rampbridge."},
        widget=forms.TextInput(attrs=_FIELD),
    )

    def argument(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["why"]}


class CommentForm(ActForm):
    """What somebody says about an item."""

    text = forms.CharField(
        max_length=4000,
        label="Comment",
        error_messages={"required": "Write something first."},
        widget=forms.Textarea(attrs={"class": "field", "rows": 2, "placeholder": "Comment"}),
    )


FORMS: Mapping[Act, type[ActForm]] = {
    Act.RETRY: ActForm,
    Act.ASSIGN: AssignForm,
    Act.TAG: TagForm,
    Act.UNTAG: TagForm,
    Act.SNOOZE: SnoozeForm,
    Act.OUTSIDE: OutsideForm,
}


class JobForm(forms.Form):
    """What was shown when a job was asked for: its key, so that it is made once, and how many."""

    key = forms.UUIDField(widget=forms.HiddenInput)
    shown = forms.IntegerField(min_value=1, widget=forms.HiddenInput)


class ChosenForm(forms.Form):
    """Which items an act is about: some by id, what somebody ticked, or all that match."""

    TICKED = "ticked"

    scope = forms.ChoiceField(required=False, choices=[("", "All that match"), (TICKED, "Ticked")])
    ids = forms.CharField(required=False, max_length=4000)

    def __init__(self, data: Any) -> None:
        super().__init__(data)
        self.is_valid()

    @property
    def named(self) -> Sequence[int]:
        """Items that the address names, such as `ids=12,13`; nonsense is left out."""
        found = str(self.cleaned_data.get("ids") or "").split(",")
        return [int(one) for one in found if one.isdecimal() and len(one) < 19]

    @property
    def is_ticked(self) -> bool:
        return self.cleaned_data.get("scope") == self.TICKED


class ViewForm(forms.Form):
    """A list kept by a name."""

    name = forms.CharField(
        max_length=80,
        label="Name",
        error_messages={"required": "Give it a name."},
        widget=forms.TextInput(attrs=_FIELD),
    )
    is_team = forms.BooleanField(required=False, label="For the whole team")
    is_pinned = forms.BooleanField(required=False, label="Pin it to the navigation")


def new_key() -> uuid.UUID:
    """The key of one visit of a form; sent twice, it is one job."""
    return uuid.uuid4()
