"""Where a coding of Ramp goes in the ERP when it is not the record of the same id."""

import pghistory
from django.db import models

from connections.models.connection import Connection, Entity


@pghistory.track()
class Mapping(models.Model):
    """One person's decision that a Ramp coding means a certain ERP record.

    Codings that carry the ERP's own id need no row here.
    """

    class Kind(models.TextChoices):
        GL_ACCOUNT = "gl_account", "GL account"
        FIELD_OPTION = "field_option", "Field option"
        VENDOR = "vendor", "Vendor"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mappings")
    entity = models.ForeignKey(Entity, models.CASCADE, null=True, blank=True)
    kind = models.CharField(max_length=12, choices=Kind)
    field_erp_id = models.CharField(max_length=100, blank=True, default="")
    ramp_external_id = models.CharField(max_length=200)
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
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.ramp_external_id} -> {self.erp_id}"
