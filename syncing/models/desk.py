"""What people do with items: who cares for one, what they say, and what they settle by hand."""

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models

from connections.models import Connection
from syncing.models.errors import ErrorGroup
from syncing.models.items import SyncItem


class Handling(models.Model):
    """Who cares for an item, and how it is filed. Only items that somebody touched have a row."""

    item = models.OneToOneField(SyncItem, models.CASCADE, primary_key=True, related_name="handling")
    owner = models.CharField(max_length=150, blank=True, default="")
    owned_since = models.DateTimeField(null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.CharField(max_length=150, blank=True, default="")
    snooze_reason = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["owner", "item"], name="items_of_owner"),
            GinIndex(fields=["tags"], name="items_by_tag"),
            models.Index(
                fields=["snoozed_until"],
                condition=models.Q(snoozed_until__isnull=False),
                name="items_snoozed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id}: {self.owner or 'nobody'} {self.tags}"


class Comment(models.Model):
    """What somebody wrote about an item, a group of errors or a customer. Never changed."""

    item = models.ForeignKey(
        SyncItem, models.CASCADE, null=True, blank=True, related_name="comments"
    )
    group = models.ForeignKey(
        ErrorGroup, models.CASCADE, null=True, blank=True, related_name="comments"
    )
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="comments"
    )
    at = models.DateTimeField()
    author = models.CharField(max_length=150)
    text = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(item__isnull=False, group=None, connection=None)
                | models.Q(item=None, group__isnull=False, connection=None)
                | models.Q(item=None, group=None, connection__isnull=False),
                name="comment_is_about_one_thing",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.author} at {self.at}"


class OutsideMark(models.Model):
    """The claim that an item was handled outside: with the ERP's number, or with a reason (P-12).

    Above the limit a second person must confirm it; until then nothing moves.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        DONE = "done", "Handled outside"
        REFUSED = "refused", "Refused by the second person"

    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="outside_marks")
    erp_reference = models.CharField(max_length=100, blank=True, default="")
    reason = models.CharField(max_length=300, blank=True, default="")
    needs_second = models.BooleanField(default=False)
    state = models.CharField(max_length=7, choices=State)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(erp_reference="") | ~models.Q(reason=""),
                name="outside_needs_number_or_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done", needs_second=True)
                | (~models.Q(decided_by="") & ~models.Q(decided_by=models.F("asked_by"))),
                name="large_outside_marks_need_two",
            ),
            models.UniqueConstraint(
                fields=["item"], condition=models.Q(state="asked"), name="one_open_outside_mark"
            ),
        ]
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state="asked"),
                name="outside_marks_to_decide",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} outside ({self.state})"


class Inquiry(models.Model):
    """A question to Ramp about one object, answered by a task: why is it not here?"""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="inquiries")
    object_type = models.CharField(max_length=16)
    ramp_id = models.UUIDField()
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="Empty: answered.")
    tries = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    is_there = models.BooleanField(null=True, blank=True, help_text="Whether Ramp has it.")
    is_listed = models.BooleanField(
        null=True, blank=True, help_text="Whether Ramp lists it as ready; empty: not asked."
    )
    body = models.JSONField(null=True, blank=True, help_text="As Ramp gave it.")
    problem = models.CharField(max_length=300, blank=True, default="")
    problem_code = models.CharField(max_length=60, blank=True, default="")
    trace_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="inquiries_due"
            ),
            models.Index(
                fields=["connection", "object_type", "ramp_id", "-asked_at"],
                name="inquiries_of_object",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.ramp_id} asked by {self.asked_by}"
