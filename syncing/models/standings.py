"""Where each customer stands, ready to be listed: one row each, kept up by a task."""

from django.db import models

from connections.models import Connection


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
    days = models.JSONField(default=list, help_text="Of 14 days, the oldest first: done, failed.")

    class Meta:
        indexes = [
            models.Index(fields=["-risk", "connection"], name="standings_by_risk"),
            models.Index(fields=["health", "-risk", "connection"], name="standings_by_health"),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id}: {self.health}"
