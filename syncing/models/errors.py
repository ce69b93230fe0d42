"""The error desk: failures with one cause across customers, who cares for them, and what became."""

from django.db import models

from connections.models import Connection
from syncing.models.items import SyncItem


class ErrorGroup(models.Model):
    """One cause in plain words, whoever it hits. Made by the items' triggers at the first sight.

    Whether it is new, ongoing, regressed, snoozed or resolved follows from these columns and the
    counts; only what people decide and what must be remembered is kept.
    """

    fingerprint = models.CharField(max_length=32, primary_key=True)
    code = models.CharField(max_length=60)
    title = models.CharField(max_length=300, help_text="With … for what differs between items.")
    category = models.CharField(max_length=16, help_text="As first judged; a ruling may differ.")
    origin = models.CharField(max_length=8)
    first_seen_at = models.DateTimeField()
    owner = models.CharField(max_length=150, blank=True, default="")
    owned_since = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(
        null=True, blank=True, help_text="When nothing of it had been open for a while."
    )
    resolved_by_item = models.ForeignKey(
        SyncItem,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The proof: one of its items that went through.",
    )
    regressed_at = models.DateTimeField(
        null=True, blank=True, help_text="When it came back after it was resolved."
    )

    # Snoozed until one of these; none of them set: not snoozed.
    snoozed_at = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.CharField(max_length=150, blank=True, default="")
    snooze_reason = models.CharField(max_length=300, blank=True, default="")
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_for_more = models.PositiveIntegerField(
        null=True, blank=True, help_text="Ends once so many more items have failed with it."
    )
    snoozed_until_freed = models.BooleanField(
        default=False, help_text="Ends once its cause is gone, such as a period reopened."
    )
    snoozed_in_version = models.CharField(
        max_length=40, blank=True, default="", help_text="Ends once another version runs."
    )
    woken_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(fields=["owner"], condition=~models.Q(owner=""), name="groups_of_owner"),
            models.Index(fields=["code"], name="groups_of_code"),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"

    @property
    def heading(self) -> str:
        """The title as people read it."""
        return heading(self.title)


def heading(title: str) -> str:
    """A group's title without the full stop behind what was struck out."""
    return title.replace("….", "…")


class ErrorCount(models.Model):
    """How many open items, and how much money, a group holds at one customer. Kept by triggers."""

    fingerprint = models.CharField(max_length=32)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    object_type = models.CharField(max_length=16)
    state = models.CharField(max_length=9)
    error_category = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    last_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "fingerprint",
                    "connection",
                    "object_type",
                    "state",
                    "error_category",
                    "currency",
                    "exponent",
                ],
                name="error_count_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["fingerprint", "connection"],
                condition=models.Q(items__gt=0),
                name="error_counts_open",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} x {self.fingerprint}"


class ErrorTotal(models.Model):
    """The same of all customers together, in any number of rows that only their sums are true of.

    Triggers add a row for each statement and never update one: nobody waits for anybody there.
    `syncing.rollups` folds them up.
    """

    connection = models.ForeignKey(
        Connection,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Whose they are, until they are folded up: then it is in `ErrorShare`.",
    )
    fingerprint = models.CharField(max_length=32)
    error_category = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.items} of {self.fingerprint}"


class Occurrence(models.Model):
    """That an item failed for a cause, also after it is through: the proof and the trend."""

    fingerprint = models.CharField(max_length=32)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="occurrences")
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    times = models.PositiveIntegerField(default=1)
    left_at = models.DateTimeField(null=True, blank=True, help_text="When it no longer had it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["item", "fingerprint"], name="occurrence_once"),
        ]
        indexes = [
            models.Index(fields=["fingerprint", "-last_at"], name="occurrences_newest"),
            models.Index(fields=["fingerprint", "-left_at"], name="occurrences_left"),
            models.Index(fields=["connection", "-last_at", "-id"], name="occurrences_of_customer"),
        ]

    def __str__(self) -> str:
        return f"{self.fingerprint} of {self.item_id}"


class Ruling(models.Model):
    """A person's decision that failures of a group belong to another category (R-77).

    The classifier follows it from then on. One that is withdrawn is kept.
    """

    fingerprint = models.CharField(max_length=32)
    category = models.CharField(max_length=16)
    before = models.CharField(max_length=16)
    fix = models.CharField(
        max_length=500, blank=True, default="", help_text="What the customer is told to do."
    )
    reason = models.CharField(max_length=300)
    made_by = models.CharField(max_length=150)
    made_at = models.DateTimeField()
    withdrawn_by = models.CharField(max_length=150, blank=True, default="")
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=models.Q(withdrawn_at__isnull=True),
                name="one_ruling_at_a_time",
            ),
            models.CheckConstraint(
                condition=~models.Q(category="user_actionable") | ~models.Q(fix=""),
                name="customers_are_told_what_to_do",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.fingerprint} is {self.category}"


class Incident(models.Model):
    """One cause that hits many customers of one ERP at once. They pause and resume as one."""

    erp_kind = models.CharField(max_length=30)
    erp_name = models.CharField(max_length=60)
    fingerprint = models.CharField(max_length=32)
    title = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    customers = models.PositiveIntegerField(help_text="How many it had hit when it was opened.")
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_by = models.CharField(
        max_length=150, blank=True, default="", help_text="Empty: rampbridge."
    )
    ended_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["erp_kind", "fingerprint"],
                condition=models.Q(ended_at__isnull=True),
                name="one_incident_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["-opened_at"], name="incidents_newest")]

    def __str__(self) -> str:
        return f"{self.erp_name}: {self.title}"
