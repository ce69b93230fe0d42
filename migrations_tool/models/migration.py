"""One customer's move off another integration: its steps, what is being run, and the evidence."""

import uuid

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models import Connection

_FOR_EVER = pgtrigger.Protect(name="kept_as_it_is", operation=pgtrigger.Update | pgtrigger.Delete)


class ConnectionMigration(models.Model):
    """A migration from plan to closing report. A customer has one open at most."""

    class State(models.TextChoices):
        OPEN = "open", "Under way"
        FINISHED = "finished", "Finished"
        ABANDONED = "abandoned", "Abandoned"
        ROLLED_BACK = "rolled_back", "Rolled back"

    connection = models.ForeignKey(Connection, models.PROTECT, related_name="migrations")
    path = models.CharField(max_length=9)
    state = models.CharField(max_length=11, choices=State, default=State.OPEN)
    old_connection_id = models.UUIDField(null=True, blank=True, help_text="Active in Ramp so far.")
    old_provider_name = models.CharField(max_length=200, blank=True, default="")
    old_connection_type = models.CharField(max_length=20, blank=True, default="")
    new_connection_id = models.UUIDField(null=True, blank=True, help_text="Ours, inactive first.")
    implementer = models.CharField(max_length=150, blank=True, default="")
    supporter = models.CharField(max_length=150, blank=True, default="")
    contact_name = models.CharField(max_length=150, blank=True, default="")
    contact_email = models.EmailField(blank=True, default="")
    contact_role = models.CharField(max_length=40, blank=True, default="", help_text="In Ramp.")
    flip_on = models.DateField(null=True, blank=True, help_text="The day agreed for the switch.")
    period_starts_on = models.DateField(null=True, blank=True, help_text="The ERP's next period.")
    hypercare_days = models.PositiveSmallIntegerField(default=7)
    rehearse = models.PositiveSmallIntegerField(default=20, help_text="Objects of each type.")
    baseline = models.JSONField(default=dict, blank=True, help_text="Of the old integration.")
    started_by = models.CharField(max_length=150)
    started_at = models.DateTimeField()
    marked_ready_at = models.DateTimeField(null=True, blank=True)
    flipped_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(max_length=150, blank=True, default="")
    ended_because = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=models.Q(state="open"),
                name="one_open_migration_per_customer",
            ),
            models.CheckConstraint(
                condition=models.Q(new_connection_id=None)
                | models.Q(old_connection_id=None)
                | ~models.Q(new_connection_id=models.F("old_connection_id")),
                name="new_connection_is_not_the_old_one",
            ),
        ]
        indexes = [models.Index(fields=["state", "-started_at", "-id"], name="migrations_newest")]

    def __str__(self) -> str:
        return f"migration of {self.connection_id}"


class StepRecord(models.Model):
    """How one step stands. `version` counts up with every change, so that a stale page is known."""

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="steps")
    step = models.CharField(max_length=12)
    status = models.CharField(max_length=20)
    status_since = models.DateTimeField()
    version = models.PositiveIntegerField(default=1)
    owner = models.CharField(max_length=150, blank=True, default="")
    looked_at = models.DateTimeField(null=True, blank=True, help_text="First by anybody.")
    done_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=150, blank=True, default="")
    stale_because = models.CharField(max_length=300, blank=True, default="")
    note = models.TextField(blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["migration", "step"], name="one_record_per_step"),
        ]

    def __str__(self) -> str:
        return f"{self.step}: {self.status}"


class StepRun(models.Model):
    """One act on one step, done by a worker. An open one keeps others from running the step."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for a worker"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"
        FAILED = "failed", "Failed"

    OPEN = (State.WAITING, State.RUNNING)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="runs")
    step = models.CharField(max_length=12)
    act = models.CharField(max_length=8)
    state = models.CharField(max_length=7, choices=State, default=State.WAITING)
    actor = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When a worker may take it, also again.")
    lease = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    settings = models.JSONField(default=dict, blank=True, help_text="What the person chose.")
    place = models.JSONField(default=dict, blank=True, help_text="Where to go on after a crash.")
    done_items = models.PositiveIntegerField(default=0)
    all_items = models.PositiveIntegerField(null=True, blank=True)
    doing = models.CharField(max_length=200, blank=True, default="")
    title = models.CharField(max_length=1000, blank=True, default="", help_text="How it ended.")
    fix = models.CharField(max_length=500, blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "step"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="one_run_of_a_step_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=models.Q(state__in=["waiting", "running"]),
                name="step_runs_due",
            ),
            models.Index(fields=["migration", "step", "-asked_at"], name="step_runs_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.act} {self.step}: {self.state}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN


class Watch(models.Model):
    """What is looked at again and again while a step is open, such as whether the customer has
    switched."""

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="watches")
    step = models.CharField(max_length=12)
    due_at = models.DateTimeField()
    lease = models.UUIDField(null=True, blank=True)
    last_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["migration", "step"], name="one_watch_per_step"),
        ]
        indexes = [models.Index(fields=["due_at"], name="watches_due")]

    def __str__(self) -> str:
        return f"watch of {self.step}"


class Evidence(models.Model):
    """What was checked, with whose eyes and what came of it. The database keeps it as it is."""

    migration = models.ForeignKey(ConnectionMigration, models.PROTECT, related_name="evidence")
    step = models.CharField(max_length=12)
    code = models.CharField(max_length=60, help_text="Stable, such as backup.verified.")
    at = models.DateTimeField()
    by = models.CharField(max_length=150)
    is_good = models.BooleanField(help_text="What was wanted was seen.")
    text = models.CharField(max_length=500, help_text="As a sentence.")
    inputs = models.JSONField(default=dict, blank=True)
    result = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    checksum = models.CharField(max_length=64, blank=True, default="")
    trace_ids = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    app_version = models.CharField(max_length=60, blank=True, default="")
    stale_at = models.DateTimeField(null=True, blank=True, help_text="Worth nothing from then on.")

    class Meta:
        indexes = [
            models.Index(fields=["migration", "step", "-at", "-id"], name="evidence_newest"),
            models.Index(fields=["migration", "code", "-id"], name="evidence_newest_of_code"),
        ]
        triggers = [_FOR_EVER]

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"


class Waiver(models.Model):
    """Somebody asks to pass a gate that is not green, or to skip a step; somebody else agrees."""

    class State(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        GRANTED = "granted", "Granted"
        REFUSED = "refused", "Refused"
        LAPSED = "lapsed", "Overtaken"

    migration = models.ForeignKey(ConnectionMigration, models.PROTECT, related_name="waivers")
    step = models.CharField(max_length=12)
    gate = models.CharField(max_length=60, blank=True, default="", help_text="Empty: the step.")
    reason = models.CharField(max_length=500)
    words = models.CharField(max_length=500, blank=True, default="", help_text="What was red then.")
    covers = models.PositiveIntegerField(
        null=True, blank=True, help_text="How many things were open then; more are not waived."
    )
    state = models.CharField(max_length=7, choices=State, default=State.ASKED)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "step", "gate"],
                condition=models.Q(state__in=["asked", "granted"]),
                name="one_waiver_per_gate",
            ),
            models.CheckConstraint(
                condition=models.Q(state="asked") | ~models.Q(decided_by=models.F("asked_by")),
                name="waiver_needs_a_second_person",
            ),
        ]
        triggers = [pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete)]

    def __str__(self) -> str:
        return f"waiver of {self.gate or self.step}"


class Presence(models.Model):
    """Who has a migration open, and at which step, a moment ago."""

    migration = models.ForeignKey(ConnectionMigration, models.CASCADE, related_name="present")
    person = models.CharField(max_length=150)
    step = models.CharField(max_length=12)
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["migration", "person"], name="one_place_per_person"),
        ]

    def __str__(self) -> str:
        return f"{self.person} at {self.step}"
