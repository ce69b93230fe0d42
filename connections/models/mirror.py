"""The mirror of the ERP's chart into Ramp: when it is due, what it did, what people decided."""

import uuid

import pghistory
from django.db import models

from connections.models.connection import Connection
from connections.models.reference import ReferenceKind


class Mirror(models.Model):
    """When a connection's chart is read and uploaded next, who is at it, what stops it."""

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="mirror"
    )
    is_automatic = models.BooleanField(
        default=True, help_text="Upload what changed by itself; else only when somebody says so."
    )
    read_due_at = models.DateTimeField(null=True, blank=True, help_text="What changed in the ERP.")
    full_due_at = models.DateTimeField(
        null=True, blank=True, help_text="The ERP's whole lists: only they tell what is gone."
    )
    push_due_at = models.DateTimeField(null=True, blank=True, help_text="Upload to Ramp.")
    verify_due_at = models.DateTimeField(
        null=True, blank=True, help_text="Read back what Ramp has, and its switches."
    )
    asked_by = models.CharField(max_length=150, blank=True, default="")
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    cursors = models.JSONField(
        default=dict, help_text="How far each kind was read, by the ERP's own mark."
    )
    ramp_is_empty = models.BooleanField(
        default=False, help_text="We made the connection and nothing was uploaded before."
    )
    is_being_prepared = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Another connection is active: a migration fills ours, and nothing else does.",
    )
    tax_field_ramp_id = models.UUIDField(null=True, blank=True)
    strangers = models.JSONField(
        default=dict,
        db_default=models.Value({}, models.JSONField()),
        help_text="Per kind: active records of Ramp that the ERP lacks, when last read back.",
    )
    failures = models.PositiveIntegerField(default=0)
    blocked_code = models.CharField(max_length=60, blank=True, default="")
    blocked_title = models.CharField(max_length=300, blank=True, default="")
    blocked_fix = models.CharField(max_length=500, blank=True, default="")
    blocked_at = models.DateTimeField(null=True, blank=True)
    last_read_at = models.DateTimeField(null=True, blank=True)
    last_full_at = models.DateTimeField(null=True, blank=True)
    last_push_at = models.DateTimeField(null=True, blank=True)
    last_verified_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"mirror of {self.connection_id}"


class MirrorRun(models.Model):
    """One refresh of a connection's chart: what was read, found different, and sent."""

    class Trigger(models.TextChoices):
        SCHEDULE = "schedule", "Schedule"
        PERSON = "person", "Person"
        ERP = "erp", "Word from the ERP"
        ONBOARDING = "onboarding", "Onboarding"
        MIGRATION = "migration", "Migration"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Broken off"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="mirror_runs")
    trigger = models.CharField(max_length=10, choices=Trigger)
    actor = models.CharField(max_length=150, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seen = models.JSONField(default=dict, help_text="Per kind: records read, new, changed, gone.")
    sent = models.JSONField(default=dict, help_text="Per kind and action: records Ramp took.")
    refused = models.PositiveIntegerField(default=0)
    title = models.CharField(max_length=300, blank=True, default="")
    fix = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["connection", "-started_at"], name="mirror_runs_of_connection"),
            models.Index(fields=["-started_at", "-id"], name="mirror_runs_newest"),
        ]

    def __str__(self) -> str:
        return f"refresh of {self.connection_id}, {self.started_at:%Y-%m-%d %H:%M}"


class UploadBatch(models.Model):
    """Up to 500 records on their way to Ramp. Sent is not yet done: an answer can be lost (M2)."""

    class Action(models.TextChoices):
        CREATE = "create", "Create"
        CHANGE = "change", "Rename"
        HIDE = "hide", "Hide"
        SHOW = "show", "Show again"
        DEACTIVATE = "deactivate", "Deactivate"
        REACTIVATE = "reactivate", "Reactivate"

    class State(models.TextChoices):
        SENDING = "sending", "On its way"
        DONE = "done", "In Ramp"
        PARTLY = "partly", "In Ramp, but for some"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="upload_batches")
    run = models.ForeignKey(MirrorRun, models.CASCADE, null=True, related_name="batches")
    kind = models.CharField(max_length=8, choices=ReferenceKind)
    action = models.CharField(max_length=10, choices=Action)
    field_erp_id = models.CharField(max_length=100, blank=True, default="", help_text="Of options.")
    erp_ids = models.JSONField(default=list)
    size = models.PositiveIntegerField()
    taken = models.PositiveIntegerField(default=0, help_text="Records that Ramp has taken.")
    refused = models.PositiveIntegerField(default=0)
    calls = models.PositiveIntegerField(default=0)
    content = models.CharField(max_length=64, help_text="Digest of what is sent.")
    state = models.CharField(max_length=8, choices=State, default=State.SENDING)
    trace_id = models.CharField(max_length=100, blank=True, default="")
    detail = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["connection", "-started_at"], name="batches_of_connection"),
            models.Index(
                fields=["connection"],
                condition=models.Q(state="sending"),
                name="batches_under_way",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.size} {self.kind} ({self.action})"


@pghistory.track()
class DriftDecision(models.Model):
    """What a person decided about one record that the mirror does not settle by itself (R-26)."""

    class Action(models.TextChoices):
        DEACTIVATE = "deactivate", "Deactivate in Ramp"
        LEAVE = "leave", "Leave as it is"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="drift_decisions")
    kind = models.CharField(max_length=8, choices=ReferenceKind)
    erp_id = models.CharField(max_length=100)
    field_erp_id = models.CharField(max_length=100, blank=True, default="")
    action = models.CharField(max_length=10, choices=Action)
    unsynced_items = models.PositiveIntegerField(
        default=0, help_text="Items that used the record when it was decided."
    )
    reason = models.CharField(max_length=300, blank=True, default="", help_text="The waiver.")
    actor = models.CharField(max_length=150)
    decided_at = models.DateTimeField(auto_now_add=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "field_erp_id", "erp_id"], name="one_drift_decision"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.kind} {self.erp_id}"
