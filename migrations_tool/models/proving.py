"""What proves that a switch will go well, and that it did: from rehearsal to closing report."""

import pgtrigger
from django.db import models

from migrations_tool.models.migration import ConnectionMigration, StepRun
from syncing.models import SyncItem

_FOR_EVER = pgtrigger.Protect(name="kept_as_it_is", operation=pgtrigger.Update | pgtrigger.Delete)


class RehearsedObject(models.Model):
    """One real object put through the new mapping without posting it."""

    class Verdict(models.TextChoices):
        SAME = "same", "As before"
        DIFFERS = "differs", "Differs"
        HELD = "held", "Would be held"

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="rehearsed")
    run = models.ForeignKey(StepRun, models.PROTECT, related_name="+")
    object_type = models.CharField(max_length=20)
    ramp_id = models.UUIDField()
    label = models.CharField(max_length=300, blank=True, default="")
    spent_on = models.DateField(null=True, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    verdict = models.CharField(max_length=7, choices=Verdict)
    document = models.JSONField(null=True, blank=True, help_text="What would be posted.")
    differences = models.JSONField(
        default=list, blank=True, help_text="Per line and field: before and after, both named."
    )
    problem = models.CharField(max_length=500, blank=True, default="", help_text="Why it is held.")
    fix = models.CharField(max_length=500, blank=True, default="")
    explained_as = models.CharField(max_length=300, blank=True, default="")
    explained_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "object_type", "ramp_id"], name="rehearsed_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.ramp_id}: {self.verdict}"


class Signature(models.Model):
    """Somebody stands for the rehearsal's report, of exactly this hash."""

    class Role(models.TextChoices):
        IMPLEMENTER = "implementer", "Implementer"
        CUSTOMER = "customer", "Customer"

    migration = models.ForeignKey(ConnectionMigration, models.PROTECT, related_name="signatures")
    role = models.CharField(max_length=11, choices=Role)
    name = models.CharField(max_length=150)
    email = models.EmailField(blank=True, default="")
    at = models.DateTimeField()
    report_hash = models.CharField(max_length=64)
    mapping_version = models.CharField(max_length=64)
    link = models.ForeignKey(
        "ShareLink",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="signatures",
        help_text="By which the customer came to the report.",
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=150, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "role"],
                condition=models.Q(withdrawn_at=None),
                name="one_signature_per_role",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"{self.name} as {self.role}"


class ShareLink(models.Model):
    """A page for the customer behind a token that expires. Only the token's hash is kept."""

    class Purpose(models.TextChoices):
        FOLLOW = "follow", "Follow the migration"
        RULES = "rules", "Confirm the list of rules"
        SIGN = "sign", "Sign the rehearsal"

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="links")
    purpose = models.CharField(max_length=6, choices=Purpose)
    token_hash = models.CharField(max_length=64, unique=True)
    made_by = models.CharField(max_length=150)
    made_in = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="Hash of a mark of the browser that made it, which cannot answer by it.",
    )
    given_to = models.EmailField(
        blank=True, default="", db_default="", help_text="Whose address it was made for."
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True, help_text="Signed or confirmed.")
    last_seen_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.purpose} link of {self.migration_id}"

    @property
    def way(self) -> str:
        """By which somebody came, for evidence and reports."""
        given = f"given to {self.given_to}" if self.given_to else "for the customer"
        return f"by the link {given} by {self.made_by}"


class CanaryObject(models.Model):
    """One object of its type that goes first after the switch, and a person's look at it."""

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="canaries")
    object_type = models.CharField(max_length=20)
    item = models.ForeignKey(SyncItem, models.PROTECT, null=True, blank=True, related_name="+")
    chosen_at = models.DateTimeField(null=True, blank=True)
    ticked_by = models.CharField(max_length=150, blank=True, default="")
    ticked_at = models.DateTimeField(null=True, blank=True)
    objection = models.CharField(max_length=500, blank=True, default="")
    reversed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "object_type"], name="one_canary_per_type"
            ),
        ]

    def __str__(self) -> str:
        return f"canary {self.object_type}"


class WatchedHour(models.Model):
    """One hour of hypercare in which somebody looked: the targets were read, and Ramp was too.

    An hour without a row was not watched, and proves nothing.
    """

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="hours")
    hour = models.DateTimeField(help_text="Its beginning.")
    was_met = models.BooleanField(help_text="Every target, at every look in it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["migration", "hour"], name="one_line_per_hour"),
        ]

    def __str__(self) -> str:
        return f"{self.hour} of {self.migration_id}"


class CodingComparison(models.Model):
    """What became of one object's coding through the switch (R-102)."""

    class Verdict(models.TextChoices):
        KEPT = "kept", "Kept"
        CHANGED = "changed", "Changed"
        LOST = "lost", "Lost"

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="comparisons")
    object_type = models.CharField(max_length=20)
    ramp_id = models.UUIDField()
    label = models.CharField(max_length=300, blank=True, default="")
    verdict = models.CharField(max_length=7, choices=Verdict)
    before = models.JSONField()
    after = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "object_type", "ramp_id"], name="compared_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.ramp_id}: {self.verdict}"


class Report(models.Model):
    """A report as it was written: of the rehearsal, or the closing one. Kept byte for byte."""

    class Kind(models.TextChoices):
        REHEARSAL = "rehearsal", "Rehearsal"
        CLOSING = "closing", "Closing report"

    migration = models.ForeignKey(ConnectionMigration, models.PROTECT, related_name="reports")
    kind = models.CharField(max_length=9, choices=Kind)
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    facts = models.JSONField(help_text="What it is made of. Its hash is over this.")
    html = models.TextField(blank=True, default="")
    pdf = models.BinaryField(default=b"")
    digest = models.CharField(max_length=64)

    class Meta:
        indexes = [
            models.Index(fields=["migration", "kind", "-made_at"], name="migration_reports_newest")
        ]
        triggers = [_FOR_EVER]

    def __str__(self) -> str:
        return f"{self.kind} report of {self.migration_id}"
