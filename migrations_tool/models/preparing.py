"""What is collected before the switch: rules, bills in flight, the drain, the mapping."""

import pghistory
import pgtrigger
from django.db import models

from migrations_tool.models.migration import ConnectionMigration


class Rule(models.Model):
    """A rule, policy or default in Ramp that somebody has to make anew after the switch (R-89)."""

    class Kind(models.TextChoices):
        RULE = "rule", "Accounting rule"
        AUTOMATION = "automation", "Automation"
        POLICY = "policy", "Policy"
        CARD_PROGRAMME = "card_programme", "Card programme"
        VENDOR_DEFAULT = "vendor_default", "Vendor default"

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="rules")
    kind = models.CharField(max_length=14, choices=Kind)
    name = models.CharField(max_length=200)
    what = models.TextField(blank=True, default="", help_text="When it applies, and what it sets.")
    owner = models.CharField(max_length=150, blank=True, default="")
    entered_by = models.CharField(max_length=150)
    entered_at = models.DateTimeField()
    dropped_because = models.CharField(max_length=300, blank=True, default="")
    recreated_by = models.CharField(max_length=150, blank=True, default="")
    recreated_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "kind", "name"], name="rule_once_per_migration"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Screenshot(models.Model):
    """A picture of a rule as it was. Never changed; served only to people who may see it."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="screenshots")
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=20)
    content = models.BinaryField()
    digest = models.CharField(max_length=64)
    added_by = models.CharField(max_length=150)
    added_at = models.DateTimeField()

    class Meta:
        triggers = [pgtrigger.Protect(name="kept_as_it_is", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return self.name


class BillInFlight(models.Model):
    """A bill that the switch does not carry along, and what is decided about it (F-26, F-29)."""

    class Decision(models.TextChoices):
        PAY = "pay", "Pay before the switch"
        HOLD = "hold", "Hold until after it"
        RECREATE = "recreate", "Create anew after it"

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="bills")
    ramp_id = models.UUIDField()
    invoice_number = models.CharField(max_length=200, blank=True, default="")
    vendor = models.CharField(max_length=300, blank=True, default="")
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    status = models.CharField(max_length=60, help_text="In Ramp's words.")
    issued_on = models.DateField(null=True, blank=True)
    is_from_before_the_link = models.BooleanField(default=False)
    decision = models.CharField(max_length=8, choices=Decision, blank=True, default="")
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    gone_at = models.DateTimeField(null=True, blank=True, help_text="No longer in flight in Ramp.")
    ticked_by = models.CharField(max_length=150, blank=True, default="", help_text="After it.")
    ticked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["migration", "ramp_id"], name="bill_in_flight_once"),
        ]

    def __str__(self) -> str:
        return self.invoice_number or str(self.ramp_id)

    @property
    def status_words(self) -> str:
        """Ramp's word, as a person reads it."""
        return self.status.replace("_", " ").capitalize()


class DrainReading(models.Model):
    """What was still ready on the old connection at one moment."""

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="readings")
    at = models.DateTimeField()
    ready = models.JSONField(help_text="Per type: count, and amounts in minor units by currency.")
    total = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["migration", "-at"], name="drain_newest")]

    def __str__(self) -> str:
        return f"{self.total} ready at {self.at}"


@pghistory.track()
class OldRecord(models.Model):
    """An account, field, option or vendor of the old chart, and what takes its place (R-96)."""

    class Kind(models.TextChoices):
        ACCOUNT = "account", "GL account"
        FIELD = "field", "Field"
        OPTION = "option", "Field option"
        VENDOR = "vendor", "Vendor"
        TAX_CODE = "tax_code", "Tax code"

    class State(models.TextChoices):
        UNMAPPED = "unmapped", "Unmapped"
        SUGGESTED = "suggested", "Suggested"
        MATCHED = "matched", "Matched"
        MAPPED = "mapped", "Mapped by a person"
        PARKED = "parked", "Parked"

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="old_records")
    kind = models.CharField(max_length=8, choices=Kind)
    field_old_id = models.CharField(max_length=200, blank=True, default="", help_text="Options.")
    old_id = models.CharField(max_length=200, help_text="The old integration's id of it.")
    ramp_id = models.UUIDField(null=True, blank=True)
    name = models.CharField(max_length=300)
    code = models.CharField(max_length=100, blank=True, default="")
    is_active = models.BooleanField(default=True)
    uses = models.PositiveIntegerField(default=0, help_text="In the last twelve months.")
    money_minor = models.BigIntegerField(default=0, help_text="Of those, in whole, any sign as +.")
    state = models.CharField(max_length=9, choices=State, default=State.UNMAPPED)
    erp_id = models.CharField(max_length=200, blank=True, default="")
    field_erp_id = models.CharField(max_length=200, blank=True, default="")
    erp_name = models.CharField(max_length=400, blank=True, default="")
    evidence = models.CharField(max_length=200, blank=True, default="", help_text="Why this one.")
    parked_because = models.CharField(max_length=300, blank=True, default="")
    shared_because = models.CharField(
        max_length=300,
        blank=True,
        default="",
        db_default="",
        help_text="Why it leads where another one leads too, as somebody decided.",
    )
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "kind", "field_old_id", "old_id"], name="old_record_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["migration", "state", "-money_minor", "id"], name="old_records_ranked"
            ),
            models.Index(fields=["migration", "-money_minor", "id"], name="old_records_by_money"),
            models.Index(
                fields=["migration", "kind", "field_erp_id", "erp_id"],
                condition=models.Q(state__in=["matched", "mapped"]),
                name="old_records_by_target",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()
