"""Who a vendor is: Ramp's vendor, the ERP's record, and what people decided about the two."""

import uuid

import pghistory
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Upper

from connections.models.connection import Connection
from connections.models.match_key import email_domain, match_key


class RampVendor(models.Model):
    """A bill-pay vendor of Ramp's: neither a merchant nor an accounting vendor (R-33)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="ramp_vendors")
    ramp_id = models.UUIDField()
    name = models.CharField(max_length=300)
    is_active = models.BooleanField(default=True)
    country = models.CharField(max_length=2, blank=True, default="")
    state = models.CharField(max_length=60, blank=True, default="")
    email = models.CharField(max_length=254, blank=True, default="")
    tax_id_hint = models.CharField(max_length=8, blank=True, default="")
    bank_hint = models.CharField(max_length=60, blank=True, default="")
    merchant_id = models.CharField(max_length=100, blank=True, default="")
    linked_erp_id = models.CharField(
        max_length=100, blank=True, default="", help_text="The accounting vendor, as Ramp shows it."
    )
    spend_minor = models.BigIntegerField(default=0, help_text="Of the last 365 days.")
    spend_currency = models.CharField(max_length=3, blank=True, default="")
    spend_exponent = models.PositiveSmallIntegerField(default=2)
    seen_at = models.DateTimeField(help_text="When Ramp last showed it otherwise than before.")
    contacts_read_at = models.DateTimeField(
        null=True, blank=True, help_text="Its e-mail address takes a call of its own."
    )
    match_key = match_key("name")
    email_domain = email_domain("email")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "ramp_id"], name="ramp_vendor_once"),
        ]
        indexes = [
            models.Index(
                fields=["connection", "-spend_minor", "id"],
                condition=models.Q(linked_erp_id=""),
                name="ramp_vendors_unlinked",
            ),
            models.Index(
                fields=["connection", "linked_erp_id"],
                condition=~models.Q(linked_erp_id=""),
                name="ramp_vendors_linked",
            ),
            models.Index(fields=["connection", "match_key"], name="ramp_vendors_by_match_key"),
            models.Index(
                "connection",
                OpClass(Upper("name"), name="text_pattern_ops"),
                name="ramp_vendors_by_start_of_name",
            ),
            models.Index(
                fields=["connection", "-spend_minor", "id"],
                condition=models.Q(contacts_read_at=None),
                name="ramp_vendors_without_contacts",
            ),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class VendorLink(models.Model):
    """A wish that a vendor of Ramp's be linked to a vendor of the ERP (R-34), and its outcome."""

    class State(models.TextChoices):
        WANTED = "wanted", "To be linked"
        DONE = "done", "Linked"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="vendor_links")
    ramp_vendor = models.ForeignKey(RampVendor, models.CASCADE, related_name="links")
    erp_id = models.CharField(max_length=100)
    evidence = models.CharField(max_length=300, blank=True, default="")
    batch = models.UUIDField(
        null=True, blank=True, help_text="What one person confirmed at once; also its key."
    )
    state = models.CharField(max_length=8, choices=State, default=State.WANTED)
    actor = models.CharField(max_length=150, blank=True, default="")
    wanted_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    refusal = models.CharField(max_length=500, blank=True, default="")
    trace_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ramp_vendor"],
                condition=models.Q(state="wanted"),
                name="one_wanted_link_per_vendor",
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "wanted_at"],
                condition=models.Q(state="wanted"),
                name="links_to_be_made",
            ),
            models.Index(
                fields=["batch"], condition=models.Q(batch__isnull=False), name="links_of_batch"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ramp_vendor_id} -> {self.erp_id} ({self.state})"


@pghistory.track()
class SeparateVendors(models.Model):
    """Two vendors of the ERP that look alike and are not: somebody said so (R-42)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    first_erp_id = models.CharField(max_length=100)
    second_erp_id = models.CharField(max_length=100)
    reason = models.CharField(max_length=300, blank=True, default="")
    actor = models.CharField(max_length=150)
    decided_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "first_erp_id", "second_erp_id"], name="separate_once"
            ),
            models.CheckConstraint(
                condition=models.Q(first_erp_id__lt=models.F("second_erp_id")),
                name="separate_in_order",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.first_erp_id} is not {self.second_erp_id}"


class VendorField(models.TextChoices):
    """What both sides may know of a vendor."""

    NAME = "name", "Name"
    EMAIL = "email", "E-mail"
    COUNTRY = "country", "Country"
    TAX_ID = "tax_id", "Tax id"
    BANK = "bank", "Bank account"


@pghistory.track()
class FieldOwner(models.Model):
    """Which side is right where the two differ in one field of a vendor (R-40)."""

    class Owner(models.TextChoices):
        ERP = "erp", "The ERP is right"
        RAMP = "ramp", "Ramp is right"
        ASK = "ask", "Ask a person"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="field_owners")
    field = models.CharField(max_length=8, choices=VendorField)
    owner = models.CharField(max_length=4, choices=Owner)
    actor = models.CharField(max_length=150, blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "field"], name="one_owner_per_field"),
        ]

    def __str__(self) -> str:
        return f"{self.field}: {self.owner}"


@pghistory.track()
class VendorChange(models.Model):
    """A change of a vendor's details that waits for people. Of banks, for two of them (R-40)."""

    class State(models.TextChoices):
        FOUND = "found", "To be checked"
        CHECKED = "checked", "Waits for a second person"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="vendor_changes")
    vendor_erp_id = models.CharField(max_length=100)
    field = models.CharField(max_length=8, choices=VendorField)
    before = models.CharField(max_length=300, blank=True, default="", help_text="Never in full.")
    after = models.CharField(max_length=300, blank=True, default="", help_text="Never in full.")
    digest = models.CharField(max_length=64, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.FOUND)
    found_at = models.DateTimeField(auto_now_add=True)
    checked_by = models.CharField(max_length=150, blank=True, default="")
    checked_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True, default="")
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state="accepted", field="bank")
                | (
                    ~models.Q(checked_by="")
                    & ~models.Q(decided_by="")
                    & ~models.Q(checked_by=models.F("decided_by"))
                ),
                name="bank_changes_need_two",
            ),
            models.UniqueConstraint(
                fields=["connection", "vendor_erp_id", "field"],
                condition=models.Q(state__in=("found", "checked")),
                name="one_open_change_per_field",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.field} of {self.vendor_erp_id} ({self.state})"
