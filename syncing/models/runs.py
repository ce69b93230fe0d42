"""What was done as one: a pull from Ramp, a report to Ramp."""

import uuid

from django.db import models

from connections.models import Connection


class SyncRun(models.Model):
    """One pull of everything that is ready on one connection."""

    class Trigger(models.TextChoices):
        POLL = "poll", "Poll"
        WEBHOOK = "webhook", "Webhook"
        MANUAL = "manual", "Run now"
        BUTTON = "button", "Sync button"
        BACKFILL = "backfill", "Backfill"
        RECONCILE = "reconcile", "Reconciliation"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="runs")
    trigger = models.CharField(max_length=9, choices=Trigger)
    actor = models.CharField(
        max_length=150, blank=True, default="", db_default="", help_text="Who asked for it."
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    pages = models.PositiveIntegerField(default=0)
    seen = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unannounced = models.PositiveIntegerField(
        default=0, help_text="New ones that a webhook should have announced, and none did."
    )
    calls = models.PositiveIntegerField(default=0, db_default=0, help_text="To Ramp.")
    throttled_ms = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Spent waiting for our turn at Ramp's rate limit."
    )
    problem = models.TextField(blank=True, default="")
    trace_id = models.CharField(max_length=100, blank=True, default="")
    hook_is_quiet: bool = False
    """Not kept: whether webhooks had been silent for a while as a poll began."""

    class Meta:
        indexes = [
            models.Index(fields=["connection", "-started_at"], name="runs_of_connection"),
            models.Index(fields=["-started_at", "-id"], name="runs_newest"),
            models.Index(
                fields=["-started_at", "-id"],
                condition=models.Q(finished_at__isnull=True),
                name="runs_under_way",
            ),
            models.Index(
                fields=["-started_at", "-id"],
                condition=~models.Q(problem=""),
                name="runs_with_problem",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trigger} of {self.connection_id} at {self.started_at}"


class AckBatch(models.Model):
    """A frozen report to Ramp: what it says and its key never change once it exists.

    Items in POSTED are the outbox. Successes and failures go in separate batches (contract 7).
    """

    class Outcome(models.TextChoices):
        SUCCESS = "success", "Successes"
        FAILURE = "failure", "Failures"

    class State(models.TextChoices):
        OPEN = "open", "Not confirmed yet"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected, members re-read"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="ack_batches")
    sync_type = models.CharField(max_length=40)
    sync_request = models.ForeignKey(
        "syncing.SyncRequest", models.PROTECT, null=True, blank=True, related_name="batches"
    )
    outcome = models.CharField(max_length=7, choices=Outcome)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    key = models.UUIDField(help_text="Idempotency key, computed from what the batch says.")
    body = models.BinaryField(help_text="The exact bytes that are sent, however often.")
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    tries = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    sync_id = models.CharField(max_length=100, blank=True, default="")
    trace_id = models.CharField(max_length=100, blank=True, default="")
    problem = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "key"], name="ack_key_once"),
        ]
        indexes = [
            models.Index(
                fields=["connection", "due_at"],
                condition=models.Q(state="open"),
                name="open_ack_batches",
            ),
            models.Index(fields=["-created_at", "-id"], name="reports_newest"),
            models.Index(fields=["connection", "-created_at"], name="reports_of_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.sync_type} {self.outcome} x {self.size} ({self.state})"
