"""What people fill in about alerts: a rule, a channel, who looks after one, for how long not to."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.core.validators import validate_email

from connections.forms import time_zones
from connections.models import AlertChannel, Connection
from syncing.alert_kinds import KINDS, Kind, Subject
from syncing.alert_kinds.base import Setting
from syncing.alert_kinds.thresholds import NotThresholds, checked, defaults
from syncing.alerts.addresses import AddressRefused, check_written
from syncing.models import AlertRule

LONGEST_HOLD_DAYS = 30
MOST_ADDRESSES = 20
_FIELD = {"class": "field", "autocomplete": "off"}
_AREA = forms.Textarea(attrs={**_FIELD, "rows": 2})
SPANS: Mapping[str, tuple[str, timedelta]] = {
    "hour": ("an hour", timedelta(hours=1)),
    "day": ("a day", timedelta(days=1)),
    "week": ("a week", timedelta(days=7)),
    "month": ("30 days", timedelta(days=30)),
}


def _text(label: str, *, most: int, required: bool = True, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        required=required,
        help_text=help_text,
        widget=forms.TextInput(attrs=_FIELD),
    )


def _time(label: str, help_text: str = "") -> forms.TimeField:
    return forms.TimeField(
        label=label,
        required=False,
        help_text=help_text,
        widget=forms.TimeInput(attrs={**_FIELD, "type": "time"}, format="%H:%M"),
    )


class RuleForm(forms.Form):
    """One rule. The settings of its kind are fields of it."""

    name = _text("Name", most=120)
    holds_minutes = forms.IntegerField(
        label="Must last for (minutes)",
        min_value=0,
        max_value=LONGEST_HOLD_DAYS * 1440,
        help_text="0: it opens as soon as it is seen.",
        widget=forms.NumberInput(attrs=_FIELD),
    )
    scope = forms.ChoiceField(
        label="Of whom", choices=AlertRule.Scope, widget=forms.Select(attrs={"class": "field"})
    )
    scope_value = _text(
        "Which", most=150, required=False,
        help_text="The ERP, owner or tag as the customers' list has it; a customer by its address.",
    )  # fmt: skip
    severity = forms.ChoiceField(
        label="How urgent",
        choices=AlertRule.Severity,
        widget=forms.Select(attrs={"class": "field"}),
    )
    channels = forms.ModelMultipleChoiceField(
        label="Who hears of it",
        queryset=AlertChannel.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    quiet_from = _time("Quiet from")
    quiet_until = _time(
        "until", "Messages wait until then and come as one. A page comes through at any hour."
    )
    time_zone = forms.ChoiceField(
        label="Time zone of the quiet hours", widget=forms.Select(attrs={"class": "field"})
    )
    owner = _text("Owner", most=150, required=False, help_text="Who keeps this rule sensible.")
    is_on = forms.BooleanField(label="It is on", required=False)
    version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, kind: Kind, data: Any = None, *, rule: AlertRule | None = None) -> None:
        super().__init__(data, initial=_initial(kind, rule))
        self.kind = kind
        for setting in kind.settings:
            self.fields[setting.name] = _setting(setting)
        self.fields["channels"].queryset = AlertChannel.objects.order_by("name")  # type: ignore[attr-defined]
        self.fields["time_zone"].choices = time_zones()  # type: ignore[attr-defined]
        if kind.subject is not Subject.CUSTOMER:
            self.fields["scope"].choices = _scopes(kind)  # type: ignore[attr-defined]

    @property
    def settings(self) -> list[forms.BoundField]:
        """The fields of the kind, in its order."""
        return [self[setting.name] for setting in self.kind.settings]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        given = {setting.name: cleaned.get(setting.name) for setting in self.kind.settings}
        if not set(given) & set(self.errors):
            try:
                cleaned["thresholds"] = checked(self.kind, given)
            except NotThresholds as refusal:
                for name, words in refusal.problems.items():
                    self.add_error(name, words)
        self._check_scope(cleaned)
        if (cleaned.get("quiet_from") is None) != (cleaned.get("quiet_until") is None):
            self.add_error("quiet_until", "Give both ends of the quiet hours, or neither.")
        return cleaned

    def _check_scope(self, cleaned: dict[str, Any]) -> None:
        scope, value = cleaned.get("scope"), (cleaned.get("scope_value") or "").strip()
        if scope == AlertRule.Scope.ALL:
            value = ""
        elif not value:
            self.add_error("scope_value", "Say which.")
        elif (
            scope == AlertRule.Scope.CUSTOMER and not Connection.objects.filter(slug=value).exists()
        ):
            self.add_error("scope_value", "There is no such customer. Its address ends with it.")
        cleaned["scope_value"] = value

    def into(self, rule: AlertRule) -> AlertRule:
        """The rule as it was filled in."""
        cleaned = self.cleaned_data
        rule.kind = self.kind.key
        for name in (
            "name", "thresholds", "holds_minutes", "scope", "scope_value", "severity",
            "quiet_from", "quiet_until", "time_zone", "owner", "is_on",
        ):  # fmt: skip
            setattr(rule, name, cleaned[name])
        return rule


def _scopes(kind: Kind) -> list[tuple[str, str]]:
    scope = AlertRule.Scope
    everybody = (scope.ALL.value, "Everything" if kind.subject is Subject.FLEET else "Every ERP")
    if kind.subject is Subject.FLEET:
        return [everybody]
    return [everybody, (scope.ERP.value, "One ERP")]


def _setting(setting: Setting) -> forms.Field:
    if setting.is_text:
        return _text(setting.label, most=20, help_text=setting.help)
    return forms.FloatField(
        label=setting.label,
        min_value=setting.least,
        max_value=setting.most,
        help_text=setting.help,
        widget=forms.NumberInput(attrs={**_FIELD, "step": "any"}),
    )


def _initial(kind: Kind, rule: AlertRule | None) -> dict[str, Any]:
    if rule is None:
        return {
            **defaults(kind),
            "name": kind.label,
            "holds_minutes": 5,
            "severity": AlertRule.Severity.TICKET,
            "time_zone": "UTC",
            "is_on": True,
            "version": 0,
        }
    told = {name: getattr(rule, name) for name in RuleForm.base_fields if name != "channels"}
    return {**told, **rule.thresholds, "channels": [one.pk for one in rule.channels.all()]}


class KindForm(forms.Form):
    """Which kind of rule, in an address. Nonsense is none."""

    kind = forms.ChoiceField(required=False, choices=[(key, key) for key in KINDS])

    @classmethod
    def kind_of(cls, data: Any) -> Kind | None:
        form = cls(data)
        form.is_valid()
        return KINDS.get(str(form.cleaned_data.get("kind") or ""))


class ChannelForm(forms.Form):
    """One place that hears of alerts."""

    name = _text("Name", most=80, help_text="As rules and the log call it.")
    kind = forms.ChoiceField(
        label="By", choices=AlertChannel.Kind, widget=forms.Select(attrs={"class": "field"})
    )
    addresses = forms.CharField(
        label="E-mail addresses",
        required=False,
        max_length=4000,
        help_text="With commas or one a line. Of e-mail only.",
        widget=_AREA,
    )
    url = forms.CharField(
        label="Address of the webhook",
        required=False,
        max_length=500,
        help_text="Whoever has it can write there, so it is sealed and not shown again.",
        widget=forms.URLInput(attrs={**_FIELD, "spellcheck": "false"}),
    )
    digest_at = _time(
        "Daily digest at", "What is still open, once a day. Empty: no reminders at all."
    )
    time_zone = forms.ChoiceField(
        label="Time zone of the digest", widget=forms.Select(attrs={"class": "field"})
    )
    is_on = forms.BooleanField(label="It is on", required=False)
    version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, channel: AlertChannel | None = None) -> None:
        super().__init__(data, initial=_channel_initial(channel))
        self.channel = channel
        self.fields["time_zone"].choices = time_zones()  # type: ignore[attr-defined]
        if channel is not None:
            del self.fields["kind"]
            if channel.kind == AlertChannel.Kind.WEBHOOK:
                self.fields["url"].help_text = f"Empty: stays as it is ({channel.hint})."

    @property
    def kind_chosen(self) -> str:
        return self.channel.kind if self.channel else self.cleaned_data.get("kind", "")

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        others = AlertChannel.objects.filter(name__iexact=name)
        if self.channel is not None:
            others = others.exclude(pk=self.channel.pk)
        if others.exists():
            raise forms.ValidationError("There is a channel of this name.")
        return name

    def clean_addresses(self) -> list[str]:
        text = str(self.cleaned_data["addresses"]).replace(",", "\n").replace(";", "\n")
        found = list(dict.fromkeys(line.strip() for line in text.split("\n") if line.strip()))
        for one in found:
            try:
                validate_email(one)
            except forms.ValidationError:
                raise forms.ValidationError(f"{one[:60]} is no e-mail address.") from None
        if len(found) > MOST_ADDRESSES:
            raise forms.ValidationError(f"At most {MOST_ADDRESSES}; a list of yours can have more.")
        return found

    def clean_url(self) -> str:
        url = str(self.cleaned_data["url"]).strip()
        if url:
            try:
                check_written(url)
            except AddressRefused as refusal:
                raise forms.ValidationError(str(refusal)) from None
        return url

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        is_new = self.channel is None
        if self.kind_chosen == AlertChannel.Kind.EMAIL and not cleaned.get("addresses"):
            if "addresses" not in self.errors:
                self.add_error("addresses", "Give at least one address.")
        elif self.kind_chosen == AlertChannel.Kind.WEBHOOK:
            cleaned["addresses"] = []
            if is_new and not cleaned.get("url") and "url" not in self.errors:
                self.add_error("url", "Paste the address that the chat gives out.")
        return cleaned

    def into(self, channel: AlertChannel) -> AlertChannel:
        """The channel as it was filled in, but for its sealed address."""
        channel.kind = self.kind_chosen
        for name in ("name", "addresses", "digest_at", "time_zone", "is_on"):
            setattr(channel, name, self.cleaned_data[name])
        return channel


def _channel_initial(channel: AlertChannel | None) -> dict[str, Any]:
    if channel is None:
        return {"time_zone": "UTC", "is_on": True, "version": 0}
    return {
        "name": channel.name,
        "addresses": "\n".join(channel.addresses),
        "digest_at": channel.digest_at,
        "time_zone": channel.time_zone,
        "is_on": channel.is_on,
        "version": channel.version,
    }


class AcknowledgeForm(forms.Form):
    """That somebody looks after an alert."""

    note = _text("Note", most=300, required=False, help_text="What you know or do about it.")


class MuteForm(forms.Form):
    """For how long nobody is told, and why."""

    span = forms.ChoiceField(
        label="For",
        choices=[(key, label) for key, (label, _) in SPANS.items()],
        widget=forms.Select(attrs={"class": "field"}),
    )
    reason = _text("Why", most=300)

    def until(self, now: datetime) -> datetime:
        return now + SPANS[self.cleaned_data["span"]][1]
