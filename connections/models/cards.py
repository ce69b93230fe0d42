"""The ends of card numbers, by which people look for what was bought."""

from django.db import models

from connections.models.connection import Connection


class PaymentCard(models.Model):
    """One card of a customer's people. Of its number only the end is known."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="payment_cards")
    ramp_id = models.UUIDField()
    last_four = models.CharField(max_length=4)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "ramp_id"], name="payment_card_once"),
        ]

    def __str__(self) -> str:
        return f"card •{self.last_four}"
