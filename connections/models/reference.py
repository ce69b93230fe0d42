"""The customer's chart of accounts as the ERP has it, and Ramp's ids for it."""

from django.db import models

from connections.models.connection import Connection


class Reference(models.Model):
    """What every record mirrored from the ERP into Ramp has."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    erp_id = models.CharField(max_length=100)
    name = models.CharField(max_length=300)
    code = models.CharField(max_length=100, blank=True, default="")
    is_active = models.BooleanField(default=True)
    ramp_id = models.UUIDField(null=True, blank=True, help_text="Empty: not uploaded yet.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.code} {self.name}".strip()


class LedgerAccount(Reference):
    """A GL account."""

    classification = models.CharField(max_length=12, default="UNKNOWN")
    is_postable = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="ledger_account_once"),
        ]


class CustomField(Reference):
    """A dimension of the ERP (department, class, project) shown in Ramp as a custom field."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="custom_field_once"),
        ]


class FieldOption(Reference):
    """One value of a dimension."""

    field = models.ForeignKey(CustomField, models.CASCADE, related_name="options")
    is_hidden = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["field", "erp_id"], name="field_option_once"),
        ]


class Vendor(Reference):
    """A vendor of the ERP, uploaded to Ramp as an accounting vendor."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "erp_id"], name="vendor_once"),
        ]
