"""Closing a month: what stands in it, until when, frozen figures of it, and who calls it clean."""

import uuid

import pgtrigger
from django.db import models

from connections.models import Connection
from syncing.models.reconciliation import CardStatement
from syncing.references import speakable

NO_ENTITY = uuid.UUID(int=0)
"""Stands for "of no entity" where an empty one means the whole customer."""


class PeriodStanding(models.TextChoices):
    """Who has to move, as the roll-up knows it: by state, whatever the time."""

    PERSON = "person", "Needs a person"
    UNCERTAIN = "uncertain", "Uncertain"
    CUSTOMER = "customer", "Waiting for customer"
    RETRYING = "retrying", "Retrying"
    MOVING = "moving", "Under way"
    DONE = "done", "Done"
    ASIDE = "aside", "Handled outside or withdrawn"


class PeriodCount(models.Model):
    """How many items and how much money of a month stand where. Triggers of the items keep it."""

    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False, related_name="+")
    entity_ramp_id = models.UUIDField(help_text="NO_ENTITY where Ramp names none.")
    period = models.DateField(help_text="The first day of the month.")
    standing = models.CharField(max_length=9, choices=PeriodStanding)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection",
                    "entity_ramp_id",
                    "period",
                    "standing",
                    "currency",
                    "exponent",
                ],
                name="period_count_once",
            ),
        ]
        indexes = [
            models.Index(  # with all that ranks a month: the board reads nothing but the index
                fields=["period", "connection"],
                include=["standing", "currency", "exponent", "items", "amount_minor"],
                condition=models.Q(items__gt=0),
                name="period_lines_of_month",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} {self.standing} in {self.period:%Y-%m} of {self.connection_id}"


class PeriodChange(models.Model):
    """How often the set of items of a month has changed: who has called it clean looks again.

    A number that only grows. Figures that are equal again do not hide that something came and went.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False, related_name="+")
    entity_ramp_id = models.UUIDField()
    period = models.DateField()
    changes = models.BigIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "entity_ramp_id", "period"], name="period_change_once"
            ),
        ]
        indexes = [models.Index(fields=["period", "connection"], name="period_changes_of_month")]

    def __str__(self) -> str:
        return f"{self.changes} changes of {self.period:%Y-%m} of {self.connection_id}"


class CloseDay(models.Model):
    """On which working day after a month's end a customer closes its books, if not the usual."""

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="close_day"
    )
    working_day = models.PositiveSmallIntegerField()
    changed_by = models.CharField(max_length=150)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(working_day__gte=1, working_day__lte=20),
                name="close_day_within_a_month",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} closes on working day {self.working_day}"


class CloseSnapshot(models.Model):
    """Figures as of a moment, frozen: exports carry its name, and nobody can change it (R-146)."""

    class Kind(models.TextChoices):
        PERIOD = "period", "One customer's month"
        BOARD = "board", "Close board"
        STATEMENT = "statement", "Card statement"

    kind = models.CharField(max_length=9, choices=Kind)
    connection = models.ForeignKey(
        Connection, models.PROTECT, null=True, blank=True, related_name="+"
    )
    entity_ramp_id = models.UUIDField(
        null=True, blank=True, help_text="Empty: all entities; NO_ENTITY: what is of none."
    )
    period = models.DateField(null=True, blank=True)
    statement = models.ForeignKey(
        CardStatement, models.PROTECT, null=True, blank=True, related_name="snapshots"
    )
    filters = models.JSONField(default=dict, help_text="Of a board: what it was narrowed to.")
    taken_at = models.DateTimeField()
    taken_by = models.CharField(max_length=150)
    changes = models.BigIntegerField(
        default=0, help_text="Of a customer's month: the sum of its PeriodChanges then."
    )
    items = models.BigIntegerField(help_text="Behind the checksum.")
    checksum = models.CharField(max_length=64, help_text="SHA-256 over what the figures are of.")
    figures = models.JSONField()

    class Meta:
        indexes = [
            models.Index(fields=["connection", "period", "-id"], name="snapshots_of_period"),
            models.Index(fields=["statement", "-id"], name="snapshots_of_statement"),
        ]
        triggers = [pgtrigger.Protect(name="frozen", operation=pgtrigger.Update | pgtrigger.Delete)]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people quote, such as SN-7K3Q-20261122; the day is UTC's."""
        return f"SN-{speakable(self.pk).removeprefix('RB-')}-{self.taken_at:%Y%m%d}"


class PeriodStamp(models.Model):
    """A person's word that a month is clean, or the wish for it that a second person must grant.

    It holds as long as the month's changes are those of its snapshot.
    """

    class State(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        STANDING = "standing", "Clean"
        REFUSED = "refused", "Not agreed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    connection = models.ForeignKey(Connection, models.CASCADE, db_index=False, related_name="+")
    entity_ramp_id = models.UUIDField(null=True, blank=True, help_text="Empty: all entities.")
    period = models.DateField()
    snapshot = models.ForeignKey(CloseSnapshot, models.PROTECT, related_name="stamps")
    state = models.CharField(max_length=9, choices=State)
    changes = models.BigIntegerField(help_text="Those of its snapshot.")
    open_items = models.BigIntegerField(default=0, help_text="What was unsynced all the same.")
    reason = models.CharField(max_length=300, blank=True, default="")
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_because = models.CharField(max_length=300, blank=True, default="")
    withdrawn_by = models.CharField(max_length=150, blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "entity_ramp_id", "period"],
                condition=models.Q(state__in=["asked", "standing"]),
                nulls_distinct=False,
                name="one_stamp_at_a_time",
            ),
            models.CheckConstraint(
                condition=models.Q(open_items=0) | ~models.Q(reason=""),
                name="stamps_over_open_items_have_a_reason",
            ),
            models.CheckConstraint(
                condition=models.Q(open_items=0)
                | ~models.Q(state="standing")
                | (~models.Q(decided_by="") & ~models.Q(decided_by=models.F("asked_by"))),
                name="stamps_over_open_items_need_two",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "period", "-id"], name="stamps_of_customer"),
            models.Index(
                fields=["period", "connection"],
                condition=models.Q(state__in=["asked", "standing"]),
                name="stamps_of_month",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period:%Y-%m} of {self.connection_id}: {self.state}"
