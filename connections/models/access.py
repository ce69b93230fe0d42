"""Keys to the API, and what people keep at hand."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from connections.models.connection import Connection


class ApiToken(models.Model):
    """A key to the API, kept as a digest only. It can do no more than its scopes and its owner."""

    name = models.CharField(max_length=80)
    hint = models.CharField(max_length=12, help_text="Its first characters.")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=40))
    owner = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=150, blank=True, default="")
    calls_left = models.FloatField(
        default=0, db_default=0, help_text="Of its allowance, at that time; it refills."
    )
    calls_left_at = models.DateTimeField(null=True, blank=True, help_text="Empty: all of it.")

    class Meta:
        indexes = [models.Index(fields=["owner", "-created_at"], name="tokens_of_owner")]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class Pin(models.Model):
    """A customer that somebody keeps at the top of the list."""

    owner = models.CharField(max_length=150)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="pins")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "connection"], name="pin_once")]

    def __str__(self) -> str:
        return f"{self.connection_id} of {self.owner}"
