"""What people enter about rules. Each error names its field and says what to do."""

from django import forms

from migrations_tool.models import Rule
from migrations_tool.rules.services import Written
from syncing.error_desk.acts import people


class RuleForm(forms.Form):
    """One rule as it is in Ramp."""

    kind = forms.ChoiceField(
        choices=Rule.Kind.choices,
        error_messages={
            "required": "Choose what it is.",
            "invalid_choice": "Choose one of the list.",
        },
    )
    name = forms.CharField(
        max_length=200,
        error_messages={
            "required": "Enter what it is called in Ramp.",
            "max_length": "Shorten the name to 200 characters.",
        },
    )
    what = forms.CharField(
        max_length=10_000,
        required=False,
        error_messages={"max_length": "Shorten it to 10,000 characters, or add a picture."},
    )
    owner = forms.CharField(max_length=150, required=False)

    def clean_owner(self) -> str:
        """:raises ValidationError: if nobody is called so here"""
        name = str(self.cleaned_data["owner"]).strip()
        if name and name not in people():
            raise forms.ValidationError(
                f"Nobody is called {name} here. Choose a name from the list, or leave it empty."
            )
        return name

    @property
    def written(self) -> Written:
        """What was entered, once it is valid."""
        return Written(**{key: self.cleaned_data[key] for key in ("kind", "name", "what", "owner")})


class ConfirmedForm(forms.Form):
    """Who confirmed the list, and the e-mail that shows it."""

    version = forms.IntegerField(min_value=0)
    confirmed_name = forms.CharField(
        max_length=150, error_messages={"required": "Enter who confirmed it."}
    )
    confirmed_email = forms.EmailField(
        error_messages={
            "required": "Enter the address from which they confirmed it.",
            "invalid": "This is no e-mail address. Enter it as name@company.com.",
        }
    )
    rests_on = forms.CharField(
        max_length=1000,
        error_messages={"required": "Say which e-mail it is: its date, and what it says."},
    )
