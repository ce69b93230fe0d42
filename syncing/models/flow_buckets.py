"""What came and went, by the minute, the hour and the day. Triggers of the items write entries."""

from django.db import models

from connections.models import Connection


class FlowEntry(models.Model):
    """What one statement changed, of one key; only sums are true of them.

    The items' triggers add a row for each statement and never update one, so that nobody waits
    for anybody. `syncing.backlog.folding` moves them into buckets; whoever reads adds both.
    """

    connection = models.ForeignKey(
        Connection, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    entity_ramp_id = models.UUIDField(null=True, blank=True)
    object_type = models.CharField(max_length=16)
    change = models.CharField(
        max_length=10,
        help_text="arrived, done, failed, review, external, withdrawn, mismatch; moved: any step.",
    )
    detail = models.CharField(
        max_length=24,
        blank=True,
        default="",
        help_text="done: first or again; failed: the category; moved: from>to.",
    )
    arrived_by = models.CharField(max_length=9, blank=True, default="")
    bin = models.SmallIntegerField(default=-1, help_text="done: of `latency_bins`.")
    currency = models.CharField(max_length=3, blank=True, default="")
    exponent = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(help_text="The minute.")
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.items} {self.object_type} {self.change}"


class Span(models.TextChoices):
    """How long a bucket is. Minutes and longer of the whole fleet, hours and days of customers."""

    MINUTE = "minute", "Minute"
    HOUR = "hour", "Hour"
    DAY = "day", "Day"
    FLEET_DAY = "all", "Day of everything"
    """All types of all customers, of one ERP's and of one owner's: charts of a year read it."""
    FLEET_HOUR = "hours", "Hour of everything"


class FlowBucket(models.Model):
    """What came and went within one minute, hour or day (UTC).

    A row without a customer is the fleet's, by the ERP and the owner that customers had then. Of
    everything, an empty ERP or owner is whatever it was.
    """

    span = models.CharField(max_length=6, choices=Span)
    at = models.DateTimeField(help_text="Its beginning.")
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
    change = models.CharField(max_length=10)
    detail = models.CharField(max_length=24, blank=True, default="")
    currency = models.CharField(max_length=3, blank=True, default="")
    exponent = models.PositiveSmallIntegerField(default=0)
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection", "span", "at", "change", "object_type", "detail", "erp_name",
                    "owner", "entity_ramp_id", "currency", "exponent",
                ],
                nulls_distinct=False,
                name="flow_bucket_once",
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["span", "at"], name="flow_buckets_by_age"),
            models.Index(  # of one ERP or owner, or of all, and not of each beside it
                fields=["span", "erp_name", "owner", "at"],
                # A sum's days lie apart from each other, each in a page of its own.
                include=["change", "detail", "items"],
                condition=models.Q(connection=None, span__in=["all", "hours"]),
                name="flow_sums_alone",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} {self.object_type} {self.change} in the {self.span} {self.at}"


class LatencyBucket(models.Model):
    """How long what was done within an hour or a day (UTC) had taken from ready to confirmed."""

    span = models.CharField(max_length=6, choices=Span)
    at = models.DateTimeField(help_text="Its beginning.")
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
    object_type = models.CharField(max_length=16)
    arrived_by = models.CharField(max_length=9, blank=True, default="")
    bin = models.SmallIntegerField(help_text="Of `latency_bins`.")
    items = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection", "span", "at", "object_type", "arrived_by", "erp_name", "owner",
                    "bin",
                ],
                nulls_distinct=False,
                name="latency_bucket_once",
            ),
        ]  # fmt: skip
        indexes = [models.Index(fields=["span", "at"], name="latency_buckets_by_age")]

    def __str__(self) -> str:
        return f"{self.items} in bin {self.bin} in the {self.span} {self.at}"
