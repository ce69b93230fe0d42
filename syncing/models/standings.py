"""Where each customer stands, ready to be listed: one row each, kept up by a task."""

import pgtrigger
from django.db import models

from connections.models import Connection, Credential, Mirror
from syncing.models.shares import SHARE_TRIGGER

_TELL = """
    INSERT INTO syncing_standingchange (connection_id, done, failed, in_chart)
    VALUES (NEW.%s, 0, 0, %s);
    RETURN NULL;
"""
TELL_FLEET = _TELL % ("connection_id", "false")
"""The body of a row's trigger: its customer's line is to be looked at again."""


class CustomerStanding(models.Model):
    """One customer's line of the fleet list, as of a moment. Kept up by `syncing.fleet`.

    Of ten thousand customers the list can neither judge nor sort each one while somebody waits.
    """

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="standing"
    )
    as_of = models.DateTimeField()
    health = models.CharField(max_length=20, help_text="The word, as the list filters by it.")
    meaning = models.CharField(max_length=400, blank=True, default="")
    party = models.CharField(max_length=8)
    severity = models.PositiveSmallIntegerField()
    risk = models.FloatField(help_text="The higher, the sooner to look.")
    oldest_at = models.DateTimeField(null=True, blank=True)
    words = models.JSONField(default=dict, help_text="Open items by word.")
    open_items = models.BigIntegerField(default=0)
    failed_items = models.BigIntegerField(default=0)
    uncertain_items = models.BigIntegerField(default=0)
    unsynced = models.JSONField(default=list, help_text="Minor units, currency, exponent.")
    worth = models.FloatField(
        default=0, help_text="What is unsynced, roughly in US dollars: for order, never to show."
    )
    drifting = models.PositiveIntegerField(
        default=0, help_text="Records of the chart that Ramp does not have alike."
    )
    days = models.JSONField(default=list, help_text="Of 14 days, the oldest first: done, failed.")
    day = models.DateField(null=True, help_text="The last of the days, where the customer is.")
    expires_at = models.DateTimeField(
        null=True, blank=True, help_text="When the first of its credentials ends."
    )
    look_again_at = models.DateTimeField(
        null=True, help_text="When time alone may have changed it."
    )

    class Meta:
        indexes = [
            models.Index(fields=["-risk", "connection"], name="standings_by_risk"),
            models.Index(fields=["health", "-risk", "connection"], name="standings_by_health"),
            models.Index(
                models.F("oldest_at").asc(nulls_last=True), "connection", name="standings_by_age"
            ),
            models.Index(fields=["-worth", "connection"], name="standings_by_worth"),
            models.Index(fields=["-failed_items", "connection"], name="standings_by_failed"),
            models.Index(fields=["look_again_at"], name="standings_to_look_at"),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.health}"


class StandingChange(models.Model):
    """That something of a customer changed that its line shows. Triggers write, the task takes.

    A line each time, and none is ever updated: what writes items waits for nobody here.
    """

    connection = models.ForeignKey(
        Connection,
        models.DO_NOTHING,
        db_constraint=False,  # it would lock the customer's row in the items' transaction
        db_index=False,
        related_name="+",
    )
    done = models.BigIntegerField(default=0, help_text="Items that Ramp has confirmed by it.")
    failed = models.BigIntegerField(default=0, help_text="Items that were refused by it.")
    in_chart = models.BooleanField(default=False, help_text="The chart's differences may differ.")

    def __str__(self) -> str:
        return f"something of {self.connection_id} changed"


class FleetRound(models.Model):
    """The one row that says as of when all lines are right, and what they come to."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField()
    customers = models.PositiveIntegerField(default=0)
    in_trouble = models.PositiveIntegerField(default=0)
    severities = models.BigIntegerField(
        default=0, help_text="Added up: with the failed items it tells that some line changed."
    )
    failed_items = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_fleet_round")]

    def __str__(self) -> str:
        return f"as of {self.at}"


class WatchedConnection(Connection):
    """The triggers stand on the table of `connections`, which knows nothing of lists."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="fleet_gets_customer",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                func=_TELL % ("id", "false"),
            ),
            pgtrigger.Trigger(
                name="fleet_hears_of_customer",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
                    "stage", "paused_reason", "erp_name", "time_zone"
                ),
                func=_TELL % ("id", "false"),
            ),
            SHARE_TRIGGER,
        ]


class WatchedCredential(Credential):
    """As `WatchedConnection`."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="fleet_gets_credential",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Q(new__expires_at__isnull=False),
                func=TELL_FLEET,
            ),
            pgtrigger.Trigger(
                name="fleet_hears_of_credential",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("expires_at"),
                func=TELL_FLEET,
            ),
        ]


class WatchedMirror(Mirror):
    """As `WatchedConnection`."""

    class Meta:
        proxy = True
        triggers = [
            pgtrigger.Trigger(
                name="fleet_hears_of_chart",
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange("last_read_at", "last_push_at", "last_verified_at"),
                func=_TELL % ("connection_id", "true"),
            ),
        ]
