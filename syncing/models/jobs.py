"""Acts on many items: what somebody chose, the job that does it, and lists kept by name."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from syncing.models.items import SyncItem


class Selection(models.Model):
    """What one person has ticked in one list. It survives paging, polling and another tab.

    `query` is the list's filter as its address says it. Everything in it but `ids`, or only `ids`.
    """

    owner = models.CharField(max_length=150)
    query = models.CharField(max_length=1000)
    is_all = models.BooleanField(default=False)
    ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "query"], name="one_selection_per_list"),
        ]
        indexes = [models.Index(fields=["changed_at"], name="selections_oldest")]

    def __str__(self) -> str:
        return f"{'all but ' if self.is_all else ''}{len(self.ids)} of {self.query or 'everything'}"


class Job(models.Model):
    """One act on many items. Its items are frozen when it is made; a double submit is one job."""

    class Act(models.TextChoices):
        RETRY = "retry", "Retry"
        ASSIGN = "assign", "Assign"
        TAG = "tag", "Tag"
        UNTAG = "untag", "Remove a tag"
        SNOOZE = "snooze", "Snooze"
        OUTSIDE = "outside", "Mark handled outside"
        UNDO = "undo", "Undo"

    class State(models.TextChoices):
        OPEN = "open", "To be done"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        STOPPED = "stopped", "Stopped"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    act = models.CharField(max_length=8, choices=Act)
    argument = models.JSONField(default=dict, help_text="Owner, tag, until when, reason, ...")
    query = models.CharField(max_length=1000, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    key = models.UUIDField(unique=True, help_text="Of the form that asked for it.")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.CharField(max_length=150, blank=True, default="")
    total = models.PositiveIntegerField()
    customers = models.PositiveIntegerField()
    amounts = models.JSONField(default=list, help_text="Minor units, currency, exponent.")
    done = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-asked_at"], name="jobs_newest"),
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state__in=["open", "running"]),
                name="jobs_to_do",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} of {self.total} ({self.state})"


class JobItem(models.Model):
    """One item of a job and what came of it."""

    class Outcome(models.TextChoices):
        WAITING = "", "Not yet"
        DONE = "done", "Done"
        REFUSED = "refused", "Not done"

    job = models.ForeignKey(Job, models.CASCADE, related_name="members", db_index=False)
    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="+")
    outcome = models.CharField(max_length=7, choices=Outcome, blank=True, default=Outcome.WAITING)
    text = models.CharField(max_length=300, blank=True, default="")
    before = models.JSONField(
        null=True, blank=True, help_text="What the job has replaced, to be put back by an undo."
    )
    at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "item"], name="once_per_job"),
        ]
        indexes = [models.Index(fields=["job", "outcome", "id"], name="members_by_outcome")]

    def __str__(self) -> str:
        return f"{self.item_id} of {self.job_id} ({self.outcome or 'waiting'})"


class SavedView(models.Model):
    """A list that somebody keeps by a name: its page and its filters, as the address says them."""

    name = models.CharField(max_length=80)
    page = models.CharField(max_length=20, help_text="Name of the list: items, errors, customers.")
    query = models.CharField(max_length=1000, blank=True, default="")
    owner = models.CharField(max_length=150)
    is_team = models.BooleanField(default=False)
    is_pinned = models.BooleanField(default=False)
    default_for = models.CharField(
        max_length=20, blank=True, default="", help_text="A role that begins with it."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="view_name_once"),
            models.UniqueConstraint(
                fields=["page", "default_for"],
                condition=~models.Q(default_for=""),
                name="one_default_view_per_role",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.page})"
