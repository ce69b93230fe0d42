"""Where alerts are sent: e-mail addresses, or a webhook whose address is a secret."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class AlertChannel(models.Model):
    """One place that hears of alerts. The address of a webhook opens for whoever holds it, so it is
    sealed and never shown again."""

    class Kind(models.TextChoices):
        EMAIL = "email", "E-mail"
        WEBHOOK = "webhook", "Webhook (Slack-compatible)"

    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=7, choices=Kind)
    addresses = ArrayField(
        models.EmailField(max_length=254), default=list, blank=True, help_text="Of e-mail."
    )
    sealed_url = models.BinaryField(default=b"", help_text="Of a webhook.")
    hint = models.CharField(
        max_length=120, blank=True, default="", help_text="Host and last characters of the address."
    )
    is_on = models.BooleanField(default=True)
    digest_at = models.TimeField(
        null=True, blank=True, help_text="When it hears once a day of what is still open."
    )
    time_zone = models.CharField(max_length=64, default="UTC")
    last_sent_at = models.DateTimeField(null=True, blank=True)
    last_problem = models.CharField(max_length=300, blank=True, default="")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="webhook") | ~models.Q(addresses=[]),
                name="email_channels_have_addresses",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def target(self) -> str:
        """Where it leads, as far as it may be shown."""
        return ", ".join(self.addresses) if self.kind == self.Kind.EMAIL else self.hint
