"""One type of object on one connection: how far its lists were read, and what stops it."""

import pgtrigger
from django.db import models

from connections.models import Connection
from syncing.models.standings import TELL_FLEET


class PullCursor(models.Model):
    """How far one list of Ramp was read; a long list is read in turns (fault P1, S1)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="cursors")
    object_type = models.CharField(max_length=16)
    entity_ramp_id = models.UUIDField(null=True, blank=True, help_text="Empty: all entities.")
    cursor = models.CharField(
        max_length=512, blank=True, default="", help_text="Where to go on. Empty: at its start."
    )
    began_at = models.DateTimeField(
        null=True, blank=True, help_text="When the reading at hand began. Empty: none is."
    )
    pages = models.PositiveIntegerField(default=0)
    completed_at = models.DateTimeField(null=True, blank=True, help_text="Last complete reading.")
    problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "object_type", "entity_ramp_id"],
                nulls_distinct=False,
                name="cursor_once",
            ),
        ]

    def __str__(self) -> str:
        return f"cursor of {self.object_type} on {self.connection_id}"


class Flow(models.Model):
    """How posting one type of object goes on one connection lately."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="flows")
    object_type = models.CharField(max_length=16)
    refused_in_a_row = models.PositiveIntegerField(default=0)
    refused_code = models.CharField(max_length=60, blank=True, default="")
    last_posted_at = models.DateTimeField(null=True, blank=True)
    warned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "object_type"], name="flow_once"),
        ]

    def __str__(self) -> str:
        return f"{self.object_type} on {self.connection_id}"


class Pause(models.Model):
    """Why nothing is posted, of one type or of all, and until when. One that has ended is kept."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="pauses")
    object_type = models.CharField(
        max_length=16, blank=True, default="", help_text="Empty: all types."
    )
    reason = models.CharField(max_length=300)
    is_automatic = models.BooleanField(default=False)
    paused_at = models.DateTimeField()
    paused_by = models.CharField(max_length=150, blank=True, default="")
    canary_due_at = models.DateTimeField(
        null=True, blank=True, help_text="When one item is let through to see. Empty: never."
    )
    canaries = models.PositiveIntegerField(default=0)
    incident = models.ForeignKey(
        "syncing.Incident",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="pauses",
        help_text="Many customers pause for one reason, and go on together.",
    )
    resumed_at = models.DateTimeField(null=True, blank=True)
    resumed_by = models.CharField(max_length=150, blank=True, default="")
    resumed_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "object_type"],
                condition=models.Q(resumed_at__isnull=True),
                name="one_pause_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["connection", "-paused_at"], name="pauses_of_connection")]
        triggers = [
            pgtrigger.Trigger(
                name="fleet_hears_of_pause",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=TELL_FLEET,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.object_type or 'everything'} of {self.connection_id}: {self.reason}"
