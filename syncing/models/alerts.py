"""Rules that watch, alerts that they raise, and the messages about them."""

from django.db import models

from connections.models import AlertChannel, Connection


class AlertRule(models.Model):
    """What is watched, from when on it is an alert, and who hears of it. Rules are data."""

    class Severity(models.TextChoices):
        PAGE = "page", "Page: somebody gets up"
        TICKET = "ticket", "Ticket: within the day"
        NOTE = "note", "Note: good to know"

    class Scope(models.TextChoices):
        ALL = "all", "All customers"
        ERP = "erp", "Customers of one ERP"
        OWNER = "owner", "Customers of one owner"
        TAG = "tag", "Customers with a tag"
        CUSTOMER = "customer", "One customer"

    name = models.CharField(max_length=120)
    shipped_as = models.CharField(
        max_length=40, null=True, blank=True, unique=True, help_text="Of those that come with us."
    )
    kind = models.CharField(max_length=30, help_text="Of `alert_kinds.KINDS`.")
    thresholds = models.JSONField(help_text="As the kind's settings say.")
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.ALL)
    scope_value = models.CharField(max_length=150, blank=True, default="")
    holds_minutes = models.PositiveIntegerField(
        default=0, help_text="How long it must last before an alert opens."
    )
    severity = models.CharField(max_length=6, choices=Severity, default=Severity.TICKET)
    channels = models.ManyToManyField(AlertChannel, blank=True, related_name="rules")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_until = models.TimeField(null=True, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    is_on = models.BooleanField(default=True)
    muted_until = models.DateTimeField(
        null=True, blank=True, help_text="Alerts open and close; nobody is told."
    )
    muted_by = models.CharField(max_length=150, blank=True, default="")
    mute_reason = models.CharField(max_length=300, blank=True, default="")
    owner = models.CharField(max_length=150, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope="all", scope_value="")
                | (~models.Q(scope="all") & ~models.Q(scope_value="")),
                name="alert_scopes_say_whose",
            ),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False),
                name="quiet_hours_have_both_ends",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlertWatch(models.Model):
    """A subject that is as bad as a rule says, and not for long enough yet."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="watches")
    subject = models.CharField(max_length=100, blank=True)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "subject"], name="alert_watch_once"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} watches {self.subject} since {self.since}"


class Alert(models.Model):
    """That a rule found something wrong with one subject; one at a time. It ends by itself."""

    MANY = "*"
    """The subject of an alert about many customers of whom each would have its own."""

    rule = models.ForeignKey(AlertRule, models.PROTECT, related_name="alerts")
    subject = models.CharField(max_length=100, blank=True)
    subject_name = models.CharField(max_length=200, blank=True, default="")
    connection = models.ForeignKey(
        Connection, models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    severity = models.CharField(max_length=6, choices=AlertRule.Severity)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField(help_text="When it was last measured.")
    value = models.FloatField()
    worst = models.FloatField()
    title = models.CharField(max_length=500)
    why = models.CharField(max_length=500)
    first_step = models.CharField(max_length=700)
    link = models.CharField(max_length=400, help_text="A path of ours.")
    names = models.JSONField(default=list, help_text="Of many: the worst of them.")
    calm_since = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True, default="")
    note = models.CharField(max_length=300, blank=True, default="")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "subject"],
                condition=models.Q(resolved_at__isnull=True),
                name="one_alert_at_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["-resolved_at", "-id"],
                condition=models.Q(resolved_at__isnull=False),
                name="alerts_over",
            ),
            models.Index(fields=["rule", "-opened_at"], name="alerts_of_rule"),
        ]

    def __str__(self) -> str:
        return self.title


class AlertDelivery(models.Model):
    """One message to one channel: a row before it is sent, until it is known to have arrived.

    It may be sent more than once, if we die between sending and writing so; its key says that it is
    the same message.
    """

    class About(models.TextChoices):
        OPENED = "opened", "Opened"
        RESOLVED = "resolved", "Over"
        DIGEST = "digest", "Digest"
        TEST = "test", "Test"

    class State(models.TextChoices):
        WAITING = "waiting", "Waits for its turn"
        HELD = "held", "Held until quiet hours end"
        SENDING = "sending", "Being sent"
        SENT = "sent", "Sent"
        FOLDED = "folded", "In a digest"
        GIVEN_UP = "given_up", "Given up"

    alert = models.ForeignKey(
        Alert, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    channel = models.ForeignKey(AlertChannel, models.CASCADE, related_name="deliveries")
    about = models.CharField(max_length=8, choices=About)
    key = models.CharField(max_length=120, unique=True, help_text="The same message, the same key.")
    message = models.JSONField(help_text="Subject, lines and link, as they were when it happened.")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True, help_text="Not before; empty: done with.")
    sent_at = models.DateTimeField(null=True, blank=True)
    answer = models.CharField(max_length=300, blank=True, default="", help_text="The last one.")
    digest = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="folded"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["next_at"],
                condition=models.Q(next_at__isnull=False),
                name="deliveries_due",
            ),
            models.Index(fields=["-created_at", "-id"], name="deliveries_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.about} to {self.channel_id} ({self.state})"


class AlertHour(models.Model):
    """How bad one subject was by five minutes of an hour: what previews are made of."""

    kind = models.CharField(max_length=30)
    subject = models.CharField(max_length=100, blank=True)
    name = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField(help_text="The hour.")
    values = models.JSONField(help_text="The last of each five minutes; null: nothing to tell.")
    worst = models.FloatField()
    facts = models.JSONField(
        default=dict, help_text="As last measured, for what rules ask of them."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "subject", "at"], name="alert_hour_once"),
        ]
        indexes = [
            models.Index(fields=["kind", "worst"], name="alert_hours_by_worst"),
            models.Index(fields=["at"], name="alert_hours_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.subject or 'the fleet'} at {self.at}"


class AlertRound(models.Model):
    """The one row that says when somebody last looked, and what is open."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    at = models.DateTimeField(null=True, blank=True)
    since = models.DateTimeField(help_text="When the first round was: history begins there.")
    problem = models.CharField(max_length=300, blank=True, default="")
    open_alerts = models.PositiveIntegerField(default=0)
    unacknowledged = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0, help_text="Unacknowledged, of that severity.")
    heartbeat_problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_alert_round")]

    def __str__(self) -> str:
        return f"looked at {self.at}"
