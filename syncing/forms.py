"""Filters of lists, where nonsense in a URL falls back to the default, and what people fill in."""

import uuid
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Q

from connections.models import DriftDecision, VendorField
from connections.vendor_book import ownership
from rampbridge.lib.shared_fields import with_shared_fields
from syncing.classifier import ErrorCategory
from syncing.models import SyncItem
from syncing.queries.items import AGAIN, FIRST, ONLY, SHOWN, ItemFilter
from syncing.queries.words import LOOKS, PARTY_LABELS, Party, Word, type_label

ALL = "all"
OPEN = "open"
EVERYTHING = "everything"
MOST_UNITS = 10**13
"""Beyond this no amount is asked for: minor units still fit the database's integers."""


@with_shared_fields
class ItemFilterForm(forms.Form):
    """Filters of the items list, all of them GET parameters."""

    state = forms.ChoiceField(
        required=False,
        choices=[
            (OPEN, "Open"),
            (ALL, "All"),
            *((word.value, LOOKS[word].label) for word in Word),
        ],
    )
    customer = forms.CharField(required=False, max_length=80)
    type = forms.ChoiceField(
        required=False, choices=[("", "All types"), *SyncItem.ObjectType.choices]
    )
    error = forms.CharField(required=False, max_length=60)
    cause = forms.RegexField(r"^[0-9a-f]{32}$", required=False)
    waits = forms.CharField(required=False, max_length=200)
    press = forms.UUIDField(required=False)
    found = forms.CharField(required=False, max_length=60)
    q = forms.CharField(required=False, max_length=100)
    owner = forms.CharField(required=False, max_length=150)
    tag = forms.CharField(required=False, max_length=40)
    snoozed = forms.ChoiceField(
        required=False,
        choices=[("", "Hidden"), (SHOWN, "Shown too"), (ONLY, "Only these")],
    )
    dated_from = forms.DateField(required=False)
    dated_to = forms.DateField(required=False)
    least = forms.DecimalField(required=False, min_value=-MOST_UNITS, max_value=MOST_UNITS)
    most = forms.DecimalField(required=False, min_value=-MOST_UNITS, max_value=MOST_UNITS)
    entity = forms.UUIDField(required=False)
    period = forms.RegexField(r"^2\d{3}-(0[1-9]|1[0-2])$", required=False)
    card = forms.RegexField(r"^\d{4}$", required=False)
    invoice = forms.CharField(required=False, max_length=100)
    category = forms.ChoiceField(
        required=False, choices=[("", "All"), *((one, one) for one in ErrorCategory)]
    )
    party = forms.ChoiceField(required=False, choices=[("", "Anybody's"), *PARTY_LABELS.items()])
    currency = forms.RegexField(r"^[A-Z]{3}$", required=False)
    erp = forms.CharField(required=False, max_length=60)
    customer_owner = forms.CharField(required=False, max_length=150)
    ready_from = forms.DateTimeField(required=False)
    ready_to = forms.DateTimeField(required=False)
    done_from = forms.DateTimeField(required=False)
    done_to = forms.DateTimeField(required=False)
    failed_from = forms.DateTimeField(required=False)
    failed_to = forms.DateTimeField(required=False)
    tries = forms.ChoiceField(
        required=False,
        choices=[("", "Any"), (FIRST, "At the first try"), (AGAIN, "After another try")],
    )

    def __init__(self, data: Any, *, me: str = "") -> None:
        """:param me: who asks, for `owner=me`"""
        super().__init__(data)
        self.me = me
        self.is_valid()

    def value(self, name: str) -> str:
        """What the URL says, or nothing if it says nonsense."""
        return str(self.cleaned_data.get(name) or "")

    @property
    def press_id(self) -> uuid.UUID | None:
        """The press of the sync button that the items were asked for by."""
        found: uuid.UUID | None = self.cleaned_data.get("press")
        return found

    @property
    def month(self) -> date | None:
        """The first day of the month that is asked for."""
        named = self.value("period")
        return date.fromisoformat(f"{named}-01") if named else None

    @property
    def cared_for_by(self) -> str | None:
        """Whose items are asked for: a user name, empty for nobody's, None for anybody's."""
        named = self.value("owner")
        match named:
            case "":
                return None
            case "me":
                return self.me
            case "nobody":
                return ""
            case _:
                return named

    def query(self) -> str:
        """The filters as an address says them, always in one order: the same list, the same text.

        What page is looked at is no part of it.
        """
        values = [
            (name, value.isoformat() if isinstance(value, datetime) else str(value))
            for name in sorted(self.fields)
            if (value := self.cleaned_data.get(name)) not in (None, "")
        ]
        return urlencode([one for one in values if one != ("state", OPEN)])

    def as_filter(self, connection_id: Any, *, among: Q | None = None) -> ItemFilter:
        """What the queries need; the customer and what was found were already looked up."""
        state = self.value("state")
        party = self.value("party")
        cleaned = self.cleaned_data
        return ItemFilter(
            word=Word(state) if state not in ("", ALL, OPEN) else None,
            everything=state == ALL,
            connection_id=connection_id,
            object_type=self.value("type"),
            error_code=self.value("error"),
            cause=self.value("cause"),
            text=self.value("q").strip(),
            waits_for=self.value("waits"),
            press_id=self.press_id,
            owner=self.cared_for_by,
            tag=self.value("tag").strip().lower(),
            snoozed=self.value("snoozed"),
            dated_from=cleaned.get("dated_from"),
            dated_to=cleaned.get("dated_to"),
            amount_from=cleaned.get("least"),
            amount_to=cleaned.get("most"),
            entity_id=cleaned.get("entity"),
            period=self.month,
            card=self.value("card"),
            invoice_number=self.value("invoice").strip(),
            category=self.value("category"),
            party=Party(party) if party else None,
            currency=self.value("currency"),
            erp=self.value("erp"),
            customer_owner=self.value("customer_owner"),
            ready_from=cleaned.get("ready_from"),
            ready_to=cleaned.get("ready_to"),
            done_from=cleaned.get("done_from"),
            done_to=cleaned.get("done_to"),
            failed_from=cleaned.get("failed_from"),
            failed_to=cleaned.get("failed_to"),
            tries=self.value("tries"),
            among=among,
        )


class ReasonForm(forms.Form):
    """Why posting goes on again."""

    reason = forms.CharField(
        max_length=300,
        label="Why it goes on",
        error_messages={"required": "Say in a few words why. Others read it on this page."},
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )


class PauseForm(ReasonForm):
    """What is not to be posted, and why."""

    def __init__(self, data: Any = None, *, types: Sequence[str], **options: Any) -> None:
        super().__init__(data, **options)
        self.fields["reason"].label = "Reason"
        self.fields["object_type"] = forms.ChoiceField(
            label="What",
            choices=[
                ("", "Choose"),
                *((one, f"{type_label(one)}s") for one in types),
                (EVERYTHING, "Everything"),
            ],
            error_messages={"required": "Choose what is to be paused."},
            widget=forms.Select(attrs={"class": "field"}),
        )
        self.order_fields(["object_type", "reason"])

    def clean_object_type(self) -> str:
        """As pauses name it: everything is no type in particular."""
        chosen = str(self.cleaned_data["object_type"])
        return "" if chosen == EVERYTHING else chosen


class DecisionForm(forms.Form):
    """What is to become of a record that the ERP no longer wants in Ramp."""

    action = forms.ChoiceField(
        choices=DriftDecision.Action.choices,
        error_messages={"required": "Choose what is to become of it."},
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        required=False,
        max_length=300,
        label="Reason",
        help_text="Needed to deactivate what is still in use. Others read it on this page.",
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )


class FieldForm(forms.Form):
    """How a dimension of the ERP is shown in Ramp, and how it is coded there."""

    REQUIRED_FOR = (
        ("TRANSACTION", "Card transactions"),
        ("REIMBURSEMENT", "Reimbursements"),
        ("BILL", "Bills"),
        ("VENDOR_CREDIT", "Vendor credits"),
        ("PURCHASE_ORDER", "Purchase orders"),
    )

    display_name = forms.CharField(
        required=False,
        max_length=100,
        label="Name in Ramp",
        help_text="Empty: the ERP's own.",
        widget=forms.TextInput(attrs={"class": "field", "autocomplete": "off"}),
    )
    is_splittable = forms.BooleanField(
        required=False,
        label="Each line of a split has its own",
        help_text="Without it the whole object has one, and Ramp refuses another on a line.",
    )
    required_for = forms.MultipleChoiceField(
        required=False,
        label="Required before it is ready to sync",
        choices=REQUIRED_FOR,
        widget=forms.CheckboxSelectMultiple,
    )


class VendorReasonForm(forms.Form):
    """Why a changed detail of a vendor is right or wrong, and since when it stands as seen."""

    reason = forms.CharField(
        max_length=300,
        error_messages={"required": "Say how you know. Whoever decides next reads it."},
    )
    seen = forms.CharField(required=False, max_length=64)

    def __init__(self, data: Any, *, prefix: str, is_needed: bool) -> None:
        super().__init__(data, prefix=prefix)
        self.fields["reason"].required = is_needed


class OwnerForm(forms.Form):
    """Which side is right in one field of vendors."""

    field = forms.ChoiceField(choices=[(one.value, one.label) for one in ownership.CHOICES])
    owner = forms.ChoiceField(choices=ownership.Owner.choices)

    def words(self, erp_name: str) -> str:
        """What holds from now on."""
        field = VendorField(self.cleaned_data["field"]).label
        match self.cleaned_data["owner"]:
            case ownership.Owner.ERP:
                return f"{field}: {erp_name} is right where the two differ."
            case ownership.Owner.RAMP:
                return f"{field}: Ramp is right where the two differ."
            case _:
                return f"{field}: a person is asked where the two differ."
