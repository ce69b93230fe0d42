"""Every webhook delivery, kept as it came before it was answered."""

from django.db import models

from connections.models import Connection, WebhookSubscription
from syncing.models.runs import SyncRun


class WebhookEvent(models.Model):
    """One event of Ramp. The id is Ramp's, so a repeated delivery is the same row."""

    REFUSED = "refused"
    """The event type of the rows that count deliveries which were not from Ramp."""

    event_id = models.CharField(max_length=100, unique=True)
    subscription = models.ForeignKey(
        WebhookSubscription, models.SET_NULL, null=True, blank=True, related_name="events"
    )
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="webhook_events"
    )
    event_type = models.CharField(max_length=100)
    object_id = models.CharField(max_length=100, blank=True, default="")
    raw = models.BinaryField()
    headers = models.JSONField(
        default=dict, blank=True, help_text="Of the first delivery: those that are no secret."
    )
    deliveries = models.PositiveIntegerField(default=1)
    received_at = models.DateTimeField()
    handled_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=200, blank=True, default="")
    run = models.ForeignKey(
        SyncRun,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="events",
        help_text="The pull that answered it.",
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["connection", "received_at"],
                condition=models.Q(handled_at__isnull=True),
                name="webhooks_to_handle",
            ),
            models.Index(fields=["-received_at", "-id"], name="webhooks_newest"),
            models.Index(
                fields=["connection", "-received_at", "-id"], name="webhooks_of_connection"
            ),
            models.Index(fields=["event_type", "-received_at", "-id"], name="webhooks_of_type"),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
