"""What was open at a moment, by age, kept so that a page can show how the backlog went."""

from django.db import models
from django.db.models.functions import Greatest

from connections.models import Connection


class BacklogSample(models.Model):
    """How much was open at a moment, of one key and age. Without a customer it is the fleet's."""

    at = models.DateTimeField()
    connection = models.ForeignKey(
        Connection,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    erp_name = models.CharField(max_length=60, blank=True, default="")
    owner = models.CharField(max_length=150, blank=True, default="")
    entity_ramp_id = models.UUIDField(null=True, blank=True)
    object_type = models.CharField(max_length=16)
    word = models.CharField(max_length=24, help_text="As `queries.words` has it.")
    party = models.CharField(max_length=8)
    error_category = models.CharField(max_length=16, blank=True, default="")
    band = models.PositiveSmallIntegerField(help_text="Of `age_bands`, the youngest first.")
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["connection", "at", "erp_name"], name="samples_by_time")]

    def __str__(self) -> str:
        return f"{self.items} {self.word} at {self.at}"


class FleetSample(models.Model):
    """The same of all customers together, and of those of one ERP or owner, so that the fleet's
    charts need not add them up."""

    at = models.DateTimeField()
    erp_name = models.CharField(
        max_length=60, blank=True, default="", help_text="Empty: of all ERPs."
    )
    owner = models.CharField(
        max_length=150, blank=True, default="", help_text="Empty: whoever looks after them."
    )
    object_type = models.CharField(
        max_length=16, blank=True, default="", help_text="Empty: of all types and categories."
    )
    error_category = models.CharField(max_length=16, blank=True, default="")
    band = models.PositiveSmallIntegerField(help_text="Of `age_bands`, the youngest first.")
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        indexes = [
            models.Index(
                fields=["at", "object_type", "erp_name", "owner"],
                # One moment's lie apart from each other, each in a page of its own.
                include=["band", "currency", "items", "amount_minor"],
                name="fleet_samples_alone",
            )
        ]

    def __str__(self) -> str:
        return f"{self.items} at {self.at}"


class SampleRound(models.Model):
    """That the backlog was sampled at a moment: also when nothing was open."""

    at = models.DateTimeField(primary_key=True)
    has_customers = models.BooleanField(
        default=False, help_text="Whether each customer was, too: the first of each hour."
    )

    def __str__(self) -> str:
        return f"sampled at {self.at}"


class CustomerDay(models.Model):
    """How long items of a customer waited on a day (UTC)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+", db_index=False)
    day = models.DateField()
    open_items = models.BigIntegerField(default=0, help_text="When it was last sampled.")
    p95_open_seconds = models.FloatField(
        default=0, help_text="Of the ages of what was open, the longest of its hours."
    )
    p95_done_seconds = models.FloatField(
        default=0, help_text="From ready to confirmed, of what was done, rounded up to a bin."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "day"], name="customer_day_once"),
        ]
        indexes = [
            models.Index(  # the slowest of each day first
                "day",
                Greatest("p95_open_seconds", "p95_done_seconds").desc(),
                name="customer_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.connection_id} on {self.day}"


class RecountFinding(models.Model):
    """A roll-up that said something else than its items, and what was put right."""

    at = models.DateTimeField()
    roll_up = models.CharField(max_length=30)
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="+"
    )
    keys = models.JSONField(help_text="Which line of it.")
    items_kept = models.BigIntegerField(help_text="What the roll-up said.")
    items_found = models.BigIntegerField(help_text="What the items say.")
    minor_kept = models.BigIntegerField()
    minor_found = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["-at", "-id"], name="recount_newest")]

    def __str__(self) -> str:
        return f"{self.roll_up}: {self.items_kept} for {self.items_found}"


class RecountRound(models.Model):
    """How far the recount has got: the one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    after = models.UUIDField(null=True, blank=True, help_text="The last customer counted.")
    round_began_at = models.DateTimeField(null=True, blank=True)
    round_ended_at = models.DateTimeField(null=True, blank=True)
    customers = models.PositiveIntegerField(default=0, help_text="Counted in this round.")
    last_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_recount_round")]

    def __str__(self) -> str:
        return f"recounted {self.customers}"
