"""What is left of Ramp's budget for one source address."""

from django.db import models


class RateBucket(models.Model):
    """The token bucket of one egress address. Read and written by `connections.egress` alone."""

    egress = models.CharField(primary_key=True, max_length=100)
    tokens = models.FloatField()
    rate = models.FloatField(help_text="Tokens per second; lower for a while after a refusal.")
    refilled_at = models.DateTimeField()
    frozen_until = models.DateTimeField()
    granted = models.PositiveIntegerField(
        help_text="What the last taker was given. PostgreSQL returns new values only."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(tokens__gte=0) & models.Q(rate__gt=0), name="bucket_is_sound"
            ),
        ]

    def __str__(self) -> str:
        return f"budget of {self.egress}"
