"""Where a coding of Ramp goes in the ERP when it is not the record of the same id."""

import uuid

import pghistory
from django.db import models

from connections.models.connection import Connection, Entity


class MappingKind(models.TextChoices):
    """What can be mapped. The last two are not rows of `Mapping` but of their own tables."""

    GL_ACCOUNT = "gl_account", "GL account"
    FIELD_OPTION = "field_option", "Field option"
    VENDOR = "vendor", "Vendor"
    TAX_CODE = "tax_code", "Tax code"
    ENTITY = "entity", "Entity"
    PROFILE = "profile", "Posting account"


@pghistory.track()
class Mapping(models.Model):
    """One person's decision that a Ramp coding means a certain ERP record.

    Codings that carry the ERP's own id need no row here. A row with an entity holds for it alone
    and before one without.
    """

    Kind = MappingKind

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mappings")
    entity = models.ForeignKey(Entity, models.CASCADE, null=True, blank=True)
    kind = models.CharField(max_length=12, choices=MappingKind)
    field_erp_id = models.CharField(max_length=100, blank=True, default="")
    ramp_external_id = models.CharField(max_length=200)
    ramp_name = models.CharField(
        max_length=300, blank=True, default="", db_default="", help_text="As Ramp calls it."
    )
    erp_id = models.CharField(max_length=100)
    reason = models.CharField(max_length=300, blank=True, default="")
    changed_by = models.CharField(max_length=150, blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "entity", "kind", "field_erp_id", "ramp_external_id"],
                nulls_distinct=False,
                name="mapping_once",
            ),
            models.CheckConstraint(
                condition=~models.Q(kind__in=("entity", "profile")), name="mapping_has_its_table"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ramp_external_id} -> {self.erp_id}"


class MappingRevision(models.Model):
    """One saved set of changes to a connection's mappings: who, why, what. Never edited."""

    class Source(models.TextChoices):
        WORKBENCH = "workbench", "Mappings page"
        SUGGESTION = "suggestion", "Accepted suggestions"
        FILE = "file", "CSV file"
        CLONE = "clone", "Copied"
        REVERT = "revert", "Taken back"
        ONBOARDING = "onboarding", "Onboarding"
        MERGE = "merge", "Vendor merged in the ERP"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mapping_revisions")
    number = models.PositiveIntegerField(help_text="Counts up per connection, from 1.")
    source = models.CharField(max_length=10, choices=Source)
    actor = models.CharField(max_length=150)
    reason = models.CharField(max_length=300, blank=True, default="")
    reverts = models.ForeignKey("self", models.PROTECT, null=True, blank=True)
    released = models.PositiveIntegerField(
        default=0, help_text="Items that went through the gate when it was saved."
    )
    released_items = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Ids of the first few thousand of them, to see what has become of them since.",
    )
    saved_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "number"], name="revision_once"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class MappingChange(models.Model):
    """One line of a revision: what led where before, and after. Empty is nowhere."""

    revision = models.ForeignKey(MappingRevision, models.CASCADE, related_name="changes")
    entity = models.ForeignKey(Entity, models.CASCADE, null=True, blank=True)
    kind = models.CharField(max_length=12, choices=MappingKind)
    field_erp_id = models.CharField(max_length=100, blank=True, default="")
    ramp_external_id = models.CharField(
        max_length=200, help_text="Of an entity its Ramp id, of a posting account its purpose."
    )
    ramp_name = models.CharField(max_length=300, blank=True, default="")
    before = models.CharField(max_length=100, blank=True, default="")
    after = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["revision", "entity", "kind", "field_erp_id", "ramp_external_id"],
                nulls_distinct=False,
                name="change_once_per_revision",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ramp_external_id}: {self.before or '-'} -> {self.after or '-'}"
