"""What a connection should be like in Ramp, what it was found to be, and how both sides are."""

import pghistory
from django.db import models

from connections.models.connection import Connection, Credential


@pghistory.track()
class Switch(models.Model):
    """One switch of a customer's accounting connection in Ramp, as wanted and as found (R-12)."""

    class Name(models.TextChoices):
        """As Ramp's settings name them."""

        ENTITY_SELECTION = "entity_selection_enabled", "Entity selection"
        TRANSACTION_BUTTON = "transaction_sync_button_enabled", "Sync button, transactions"
        REIMBURSEMENT_BUTTON = "reimbursement_sync_button_enabled", "Sync button, reimbursements"
        VENDOR_CREATION = (
            "transaction_accounting_vendor_creation_on_sync_enabled",
            "Vendor creation",
        )
        VENDOR_CREDITS = "vendor_credits_enabled", "Vendor credits"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="switches")
    name = models.CharField(max_length=60, choices=Name)
    wanted = models.BooleanField(null=True, help_text="Empty: nobody has decided.")
    wanted_by = models.CharField(max_length=150, blank=True, default="")
    wanted_at = models.DateTimeField(null=True, blank=True)
    found = models.BooleanField(null=True, help_text="Empty: never read back.")
    found_at = models.DateTimeField(null=True, blank=True)
    drifted_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when Ramp has it otherwise than wanted."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "name"], name="switch_once"),
        ]

    def __str__(self) -> str:
        return str(self.get_name_display())


class HealthCheck(models.Model):
    """How one side of a connection was when we last looked (R-14)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="health_checks")
    side = models.CharField(max_length=4, choices=Credential.Side)
    is_ok = models.BooleanField()
    title = models.CharField(max_length=300, blank=True, default="")
    fix = models.CharField(max_length=500, blank=True, default="")
    about = models.CharField(max_length=200, blank=True, default="", help_text="Company, version.")
    checked_at = models.DateTimeField()
    ok_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "side"], name="one_check_per_side"),
        ]

    def __str__(self) -> str:
        return f"{self.side} of {self.connection_id}: {'well' if self.is_ok else self.title}"
