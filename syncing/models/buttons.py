"""Each press of Ramp's sync button: what it asked for, and how it was answered (R-82 to R-86)."""

import uuid

from django.db import models

from connections.models import Connection


class SyncRequest(models.Model):
    """One press of Sync All. Ramp fails what is not answered five minutes after its webhook.

    Times are the database's; they count from the receipt of the webhook (fault T6).
    """

    class State(models.TextChoices):
        OPEN = "open", "Being answered"
        ANSWERED = "answered", "Every row answered in time"
        PARTIAL = "partial", "The rest told as not done in time"
        LATE = "late", "Rows were failed by Ramp"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sync_requests")
    sync_request_id = models.UUIDField()
    object_type = models.CharField(max_length=16)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    received_at = models.DateTimeField()
    stop_at = models.DateTimeField(help_text="Nothing of it is sent to the ERP from then on.")
    ends_at = models.DateTimeField(help_text="From then on Ramp calls unanswered rows failed.")
    pulled_at = models.DateTimeField(null=True, blank=True)
    first_ack_at = models.DateTimeField(null=True, blank=True)
    last_ack_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    requested = models.PositiveIntegerField(default=0)
    expected = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many fit, by the speed measured at receipt."
    )
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    not_started = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "sync_request_id", "object_type"], name="sync_request_once"
            ),
        ]
        indexes = [
            models.Index(
                fields=["connection", "received_at"],
                condition=models.Q(state="open"),
                name="open_sync_requests",
            ),
            models.Index(fields=["connection", "-received_at"], name="requests_of_connection"),
            models.Index(fields=["-received_at", "-id"], name="requests_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} requested {self.received_at} ({self.state})"
