"""What people narrow the close board by, and what they fill in to close a month."""

from datetime import date
from typing import Any

from django import forms

from syncing import close_rules
from syncing.queries.close_board import STATES, BoardFilter


class BoardFilterForm(forms.Form):
    """Filters of the close board, all of them GET parameters."""

    period = forms.ChoiceField(required=False)
    q = forms.CharField(required=False, max_length=200)
    erp = forms.CharField(required=False, max_length=60)
    owner = forms.CharField(required=False, max_length=150)
    state = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), *((name, look.label) for name, look in STATES.items())],
    )

    def __init__(self, data: Any, *, today: date) -> None:
        super().__init__(data)
        self.today = today
        months = close_rules.months(today)
        self.fields["period"] = forms.ChoiceField(
            required=False,
            choices=[("", "Last month"), *((f"{one:%Y-%m}", f"{one:%B %Y}") for one in months)],
        )
        self.is_valid()

    def as_filter(self) -> BoardFilter:
        """Without a month it is the one that ended last, which is being closed."""
        cleaned = self.cleaned_data
        named = cleaned.get("period") or ""
        return BoardFilter(
            period=date.fromisoformat(f"{named}-01")
            if named
            else close_rules.last_ended(self.today),
            text=(cleaned.get("q") or "").strip(),
            erp=cleaned.get("erp") or "",
            owner=cleaned.get("owner") or "",
            state=cleaned.get("state") or "",
        )


class CloseDayForm(forms.Form):
    """On which working day a customer closes."""

    working_day = forms.IntegerField(
        min_value=1,
        max_value=close_rules.LATEST_DAY,
        label="Working day after the month's end",
        widget=forms.NumberInput(attrs={"class": "field"}),
    )


class BecauseForm(forms.Form):
    """Why, in a few words."""

    because = forms.CharField(
        max_length=300,
        label="Why",
        error_messages={"required": "Say in a few words why. Others read it here."},
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )
