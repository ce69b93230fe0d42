"""A vendor on its way from a merchant of Ramp into the ERP and back to Ramp."""

import uuid

from django.db import models

from connections.models.connection import Connection


class VendorCreation(models.Model):
    """One merchant that needs an accounting vendor, and how far that has come (R-36 to R-38).

    One row per merchant, however many transactions wait for it; each step is committed before the
    next call, so that a dead worker leaves a row that can be gone on with (fault X24).
    """

    class Step(models.TextChoices):
        WANTED = "wanted", "To be created in the ERP"
        IN_ERP = "in_erp", "To be uploaded to Ramp"
        IN_RAMP = "in_ramp", "Known on both sides"  # while due, transactions are being coded

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="vendor_creations")
    merchant_id = models.CharField(
        max_length=100, help_text="Ramp's id of the merchant, or its name where it has none."
    )
    name = models.CharField(max_length=300)
    step = models.CharField(max_length=8, choices=Step, default=Step.WANTED)
    erp_id = models.CharField(max_length=100, blank=True, default="")
    ramp_id = models.UUIDField(null=True, blank=True)
    is_own = models.BooleanField(
        default=False,
        db_default=False,
        help_text="A person has said that it is none of the ERP's vendors that look like it.",
    )
    decided_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(
        null=True, help_text="Empty: all is done, or a person must act first."
    )
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    error_category = models.CharField(max_length=16, blank=True, default="")
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_title = models.CharField(max_length=300, blank=True, default="")
    error_fix = models.CharField(max_length=500, blank=True, default="")
    error_detail = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "merchant_id"], name="vendor_creation_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(due_at__isnull=False),
                name="vendor_creations_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.step})"
