"""What changes by the second: when to look, who is at work, what stops a connection."""

import pgtrigger
from django.db import models

from connections.models import Connection
from syncing.models.standings import TELL_FLEET


class Schedule(models.Model):
    """When a connection is due and who holds it. Any number of beats may ring; rows decide."""

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="schedule"
    )
    next_poll_at = models.DateTimeField()
    fetch_due_at = models.DateTimeField(
        null=True, blank=True, help_text="A webhook rang: pull then, without waiting for the poll."
    )
    fetch_types = models.JSONField(
        default=list, help_text="What rang: the object types to pull. Empty: all of them."
    )
    fetch_asked_by = models.CharField(
        max_length=150,
        blank=True,
        default="",
        db_default="",
        help_text="Who wants Ramp to be read now; empty once it is.",
    )
    reconcile_due_at = models.DateTimeField(null=True, blank=True)
    last_pull_started_at = models.DateTimeField(null=True, blank=True)
    poll_lease = models.UUIDField(null=True, blank=True)
    poll_lease_until = models.DateTimeField(null=True, blank=True)
    last_poll_at = models.DateTimeField(null=True, blank=True, help_text="Last complete pull.")
    poll_failures = models.PositiveIntegerField(default=0)
    work_lease = models.UUIDField(null=True, blank=True)
    work_lease_until = models.DateTimeField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    last_posted_at = models.DateTimeField(null=True, blank=True)
    last_acked_at = models.DateTimeField(null=True, blank=True)

    # How fast the ERP takes documents, learnt from its answers.
    erp_limit = models.FloatField(
        null=True,
        blank=True,
        help_text="Calls at a time that it bears. Empty: as many as its adapter says (fault X16).",
    )
    posts_per_second = models.FloatField(
        null=True, blank=True, help_text="Documents booked while there was work; moving average."
    )

    # One problem that stops everything is one row here, not one error per item (faults X15, X17).
    erp_failures = models.PositiveIntegerField(default=0)
    erp_silent_since = models.DateTimeField(
        null=True, blank=True, help_text="When the ERP first stopped us since it last booked."
    )
    resume_at = models.DateTimeField(
        null=True, blank=True, help_text="Posting waits until then; the first item is the probe."
    )
    blocked_at = models.DateTimeField(null=True, blank=True)
    blocked_side = models.CharField(max_length=4, blank=True, default="")
    blocked_code = models.CharField(max_length=60, blank=True, default="")
    blocked_title = models.CharField(max_length=300, blank=True, default="")
    blocked_fix = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["next_poll_at"], name="polls_due"),
            models.Index(fields=["last_poll_at"], name="polls_last_done"),
            models.Index(
                fields=["fetch_due_at"],
                condition=models.Q(fetch_due_at__isnull=False),
                name="fetches_due",
            ),
        ]
        triggers = [
            pgtrigger.Trigger(
                name="fleet_gets_schedule",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=TELL_FLEET,
            ),
            pgtrigger.Trigger(
                name="fleet_hears_of_schedule",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "blocked_at", "blocked_title", "resume_at", "poll_failures"
                ),
                func=TELL_FLEET,
            ),
        ]

    def __str__(self) -> str:
        return f"schedule of {self.connection_id}"


class WorkerBeat(models.Model):
    """A worker's last progress: it finished a doorbell, whatever it found (faults I2)."""

    worker = models.CharField(max_length=200, primary_key=True)
    beat_at = models.DateTimeField()
    started_at = models.DateTimeField()
    tasks = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return self.worker
