"""Receipts and invoices on their way to the ERP's document (F-21, F-22)."""

from django.db import models

from connections.models import Connection
from syncing.models.items import SyncItem


class Attachment(models.Model):
    """One file of one item. It fails and is retried by itself; the document is never posted again.

    `source` is Ramp's id of the receipt, or the digest of an invoice's address without its
    signature: the same file is the same row. A row without a source is no file but the wish to
    read the object again for receipts that came late; it goes when it is granted.
    """

    class State(models.TextChoices):
        DUE = "due", "To be attached"
        SENDING = "sending", "Being attached"
        ATTACHED = "attached", "Attached"
        FAILED = "failed", "Not attached"
        SKIPPED = "skipped", "The ERP takes no files"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="attachments")
    source = models.CharField(max_length=100, blank=True)
    url = models.TextField(blank=True, default="", help_text="Invoices: as last seen. Signed.")
    name = models.CharField(max_length=200, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    is_late = models.BooleanField(default=False, help_text="Came after the item was posted.")
    attempts = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    erp_id = models.CharField(max_length=100, blank=True, default="")
    size = models.PositiveIntegerField(default=0, help_text="Bytes.")
    error_title = models.CharField(max_length=300, blank=True, default="")
    error_fix = models.CharField(max_length=500, blank=True, default="")
    error_detail = models.TextField(blank=True, default="")
    created_at = models.DateTimeField()
    attached_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "source"], name="attachment_once"),
        ]
        indexes = [
            models.Index(
                fields=["connection", "due_at"],
                condition=models.Q(state__in=["due", "sending"]),
                name="attachments_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name or self.source} of {self.item_id} ({self.state})"
