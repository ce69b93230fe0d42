"""What implementers fill in to connect a customer and to keep its connection in order."""

import re
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.utils.text import slugify

from connections.erp.addresses import AddressRefused, check_written
from connections.erp.kinds import ErpKind, SettingField
from connections.models import Connection, Entity, ErpEntity, LedgerAccount
from connections.upkeep.posting_accounts import PURPOSES, Suggestion, fitting

OBJECT_TYPES: Mapping[str, str] = {
    "transaction": "Card transactions",
    "reimbursement": "Reimbursements",
    "bill": "Bills and their payments",
    "transfer": "Transfers",
    "cashback": "Cashback",
    "vendor_credit": "Vendor credits",
}
RESERVED_SLUGS = frozenset({"new", "csv"})
_REGION = re.compile(r"^(Africa|America|Antarctica|Asia|Atlantic|Australia|Europe|Indian|Pacific)/")
_TEXT = {"class": "field", "autocomplete": "off"}
_SECRET = {"class": "field", "autocomplete": "new-password", "spellcheck": "false"}


def time_zones() -> list[tuple[str, str]]:
    """Cities by which people know their time zone, and UTC."""
    cities = sorted(name for name in available_timezones() if _REGION.match(name))
    return [("UTC", "UTC"), *((name, name.replace("_", " ")) for name in cities)]


def _types() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="What is synced",
        choices=list(OBJECT_TYPES.items()),
        initial=list(OBJECT_TYPES),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": "Choose at least one type, or nothing would ever be synced."},
    )


class RampCredentialForm(forms.Form):
    """The customer's own app in Ramp."""

    client_id = forms.CharField(
        label="Client id",
        max_length=200,
        widget=forms.TextInput(attrs={**_TEXT, "spellcheck": "false"}),
        error_messages={"required": "Copy the client id from the app's page in Ramp."},
    )
    client_secret = forms.CharField(
        label="Client secret",
        max_length=400,
        widget=forms.PasswordInput(attrs=_SECRET),
        help_text="Sealed as soon as it is saved, and never shown again.",
        error_messages={"required": "Copy the client secret from the app's page in Ramp."},
    )

    def secret(self) -> dict[str, str]:
        """As it is kept."""
        return {name: str(self.cleaned_data[name]).strip() for name in self.fields}


class ErpCredentialForm(forms.Form):
    """The settings of one ERP's adapter, each a field of its own."""

    def __init__(self, *args: Any, kind: ErpKind, **options: Any) -> None:
        super().__init__(*args, **options)
        self.kind = kind
        for one in kind.fields:
            self.fields[one.name] = _setting_field(one)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for one in self.kind.fields:
            if one.is_address and (written := cleaned.get(one.name)):
                try:
                    check_written(written, allowed=settings.ERP_PRIVATE_HOSTS)
                except AddressRefused as refused:
                    self.add_error(one.name, str(refused))
        return cleaned

    def secret(self) -> dict[str, str]:
        """As it is kept: the adapter's settings."""
        values = {one.name: str(self.cleaned_data[one.name]).strip() for one in self.kind.fields}
        for one in self.kind.fields:
            if one.is_address:
                values[one.name] = values[one.name].rstrip("/")
        return values


def _setting_field(one: SettingField) -> forms.CharField:
    widget: forms.Widget = forms.TextInput(attrs={**_TEXT, "spellcheck": "false"})
    if one.is_secret:
        widget = forms.PasswordInput(attrs=_SECRET)
    return forms.CharField(
        label=one.label,
        help_text=one.help,
        max_length=400,
        widget=widget,
        error_messages={"required": f"Enter the {one.label.lower()}."},
    )


class BasicsForm(forms.Form):
    """What a customer is called here, and what is synced of it."""

    name = forms.CharField(
        label="Customer",
        max_length=200,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Enter the customer's name, as your people say it."},
    )
    time_zone = forms.ChoiceField(
        label="Time zone",
        help_text="Polls and the nightly comparison keep to it.",
        widget=forms.Select(attrs={"class": "field"}),
    )
    owner = forms.CharField(
        label="Owner",
        required=False,
        max_length=150,
        help_text="Who is asked first when something needs a person.",
        widget=forms.TextInput(attrs=_TEXT),
    )
    object_types = _types()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        zone = self.fields["time_zone"]
        assert isinstance(zone, forms.ChoiceField)
        zone.choices = time_zones()

    def clean_name(self) -> str:
        return " ".join(str(self.cleaned_data["name"]).split())


class NewCustomerForm(BasicsForm):
    """The first page of a new customer. It becomes one customer, however often it is sent."""

    key = forms.UUIDField(widget=forms.HiddenInput, required=False)

    provider_name = forms.CharField(
        label="Name in Ramp",
        max_length=100,
        help_text="Exactly what the customer's people see when they choose an accounting provider.",
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Enter the name that the customer sees in Ramp."},
    )
    erp_name = forms.CharField(
        label="Name of the ERP",
        max_length=60,
        help_text="As the customer calls it. It stands in every text they read.",
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Enter what the customer calls its ERP."},
    )

    field_order = ("key", "name", "provider_name", "erp_name", "time_zone", "owner", "object_types")


def free_slug(name: str) -> str:
    """A short name for addresses that no customer has yet."""
    stem = slugify(name)[:70].strip("-") or "customer"
    taken = set(Connection.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    taken |= RESERVED_SLUGS
    if stem not in taken:
        return stem
    return next(found for n in range(2, len(taken) + 3) if (found := f"{stem}-{n}") not in taken)


class DisconnectForm(forms.Form):
    """Typing the name is the brake."""

    typed = forms.CharField(
        label="The customer's name",
        max_length=200,
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Type the customer's name to go on."},
    )

    def __init__(self, *args: Any, name: str, **options: Any) -> None:
        super().__init__(*args, **options)
        self._name = name

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"]).strip()
        if typed != self._name:
            raise forms.ValidationError(f"This is not “{self._name}”. Nothing was disconnected.")
        return typed


class CloseHereForm(DisconnectForm):
    """The name, and why Ramp cannot be told."""

    reason = forms.CharField(
        label="Why Ramp cannot be told",
        max_length=300,
        help_text="It stays with the customer's history.",
        widget=forms.TextInput(attrs=_TEXT),
        error_messages={"required": "Say why, such as: the customer has deleted our app in Ramp."},
    )


ONLY_COMPANY = "-"
"""The choice that means: the ERP's one company. A real empty choice would mean: not mapped."""


class EntitiesForm(forms.Form):
    """Which company of the ERP each entity of Ramp's is."""

    def __init__(
        self,
        *args: Any,
        entities: Sequence[Entity],
        companies: Sequence[ErpEntity],
        erp_name: str,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.entities = entities
        choices = [(one.erp_id, _company(one)) for one in companies if one.is_active]
        if len(choices) < 2:
            choices = [(ONLY_COMPANY, f"{erp_name}'s only company")]
        for entity in entities:
            self.fields[f"entity-{entity.pk}"] = forms.ChoiceField(
                label=f"{entity.name} ({entity.currency})",
                choices=[("", "Choose"), *choices],
                initial=_current(entity) or _suggested(entity, companies, choices),
                widget=forms.Select(attrs={"class": "field"}),
                error_messages={"required": "Choose the company, or its spend would be held."},
            )

    def chosen(self) -> list[tuple[Entity, str]]:
        """Each entity with its company's id in the ERP; empty is the only one."""
        picked = [(one, str(self.cleaned_data[f"entity-{one.pk}"])) for one in self.entities]
        return [(one, "" if value == ONLY_COMPANY else value) for one, value in picked]


def _company(one: ErpEntity) -> str:
    return f"{one.name} ({one.currency})" if one.currency else one.name


def _current(entity: Entity) -> str:
    if not entity.is_mapped:
        return ""
    return entity.erp_entity or ONLY_COMPANY


def _suggested(
    entity: Entity, companies: Sequence[ErpEntity], choices: Sequence[tuple[str, str]]
) -> str:
    """The company of the same name, or the only one that there is."""
    same = [one.erp_id for one in companies if one.name.casefold() == entity.name.casefold()]
    if len(same) == 1 and len(choices) > 1:
        return same[0]
    return choices[0][0] if len(choices) == 1 else ""


class PostingAccountsForm(forms.Form):
    """Which accounts of the ERP stand for what Ramp does not code."""

    def __init__(
        self,
        *args: Any,
        accounts: Sequence[LedgerAccount],
        suggested: Mapping[str, Suggestion],
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        for purpose in PURPOSES:
            suggestion = suggested.get(purpose.name)
            choices = [(one.erp_id, str(one)) for one in fitting(purpose, accounts)]
            hint = f" Suggested: {suggestion.reason}" if suggestion else ""
            self.fields[purpose.name] = forms.ChoiceField(
                label=purpose.label,
                required=purpose.is_needed,
                choices=[("", "Choose" if purpose.is_needed else "None"), *choices],
                initial=suggestion.erp_id if suggestion else "",
                help_text=purpose.help + hint,
                widget=forms.Select(attrs={"class": "field"}),
                error_messages={"required": "Choose one: without it no card spend can be booked."},
            )

    def chosen(self) -> dict[str, str]:
        """By purpose, the ERP's ids."""
        return {purpose.name: str(self.cleaned_data[purpose.name]) for purpose in PURPOSES}
