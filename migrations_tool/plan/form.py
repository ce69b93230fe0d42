"""What people enter into the plan. Each error names its field and says what to do."""

from django import forms

from migrations_tool.plan.people import ROLES
from syncing.error_desk.acts import people


class PlanForm(forms.Form):
    """Who does it, and when. Nothing is required to save: the gates say what is missing."""

    version = forms.IntegerField(min_value=0)
    flip_on = forms.DateField(
        required=False,
        error_messages={"invalid": "This is no day. Enter it as 2027-02-01."},
    )
    implementer = forms.CharField(required=False, max_length=150)
    supporter = forms.CharField(required=False, max_length=150)
    contact_name = forms.CharField(required=False, max_length=150)
    contact_email = forms.EmailField(
        required=False,
        max_length=254,
        error_messages={"invalid": "This is no e-mail address. Enter it as name@company.com."},
    )
    contact_role = forms.ChoiceField(
        required=False,
        choices=ROLES,
        error_messages={"invalid_choice": "Ramp has no such role. Choose one of the list."},
    )
    hypercare_days = forms.IntegerField(
        min_value=7,
        max_value=30,
        error_messages={
            "required": "Enter how many days to watch after the switch: 7 to 30.",
            "invalid": "Enter a number of days: 7 to 30.",
            "min_value": "Watch for 7 days at least: a week has every kind of weekday.",
            "max_value": "Enter 30 days at most: a month end is among them by then.",
        },
    )

    def clean_implementer(self) -> str:
        return self._person("implementer")

    def clean_supporter(self) -> str:
        return self._person("supporter")

    def _person(self, field: str) -> str:
        """:raises ValidationError: if nobody is called so here"""
        name = str(self.cleaned_data[field]).strip()
        if name and name not in people():
            raise forms.ValidationError(
                f"Nobody is called {name} here. Choose a name from the list, or have an admin"
                " make an account."
            )
        return name
