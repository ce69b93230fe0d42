"""The daily comparison of Ramp, us and the ERP, and what bills paid by card and statements need."""

from datetime import date, timedelta

from django.db import models

from connections.models import Connection


class Reconciliation(models.Model):
    """One comparison of one connection. What it found is a state and a line of each item."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="reconciliations")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    in_ramp = models.PositiveIntegerField(default=0, help_text="Objects read from Ramp.")
    items = models.PositiveIntegerField(default=0, help_text="Items compared.")
    in_erp = models.PositiveIntegerField(default=0, help_text="Documents read from the ERP.")
    ready_in_ramp = models.PositiveIntegerField(default=0)
    ready_and_known = models.PositiveIntegerField(
        default=0, help_text="Of those, how many we knew already: the coverage."
    )
    found = models.JSONField(default=dict, help_text="Number of items by kind of finding.")
    problem = models.TextField(blank=True, default="", help_text="Why it is not complete.")

    class Meta:
        indexes = [
            models.Index(fields=["connection", "-started_at"], name="reconciled_last"),
            models.Index(fields=["-started_at", "-id"], name="reconciled_newest"),
        ]

    def __str__(self) -> str:
        return f"reconciliation of {self.connection_id} at {self.started_at}"


class CardStatement(models.Model):
    """A card statement of Ramp, to compare synced spend with (R-64). It is never posted.

    `end_date` is the first day that is not on it any more.
    """

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="statements")
    ramp_id = models.UUIDField()
    start_date = models.DateField()
    end_date = models.DateField()
    body = models.JSONField(help_text="As Ramp gave it.")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "ramp_id"], name="statement_once"),
        ]
        indexes = [models.Index(fields=["connection", "-end_date"], name="newest_statements")]

    def __str__(self) -> str:
        return f"statement {self.start_date} to {self.last_day} of {self.connection_id}"

    @property
    def last_day(self) -> date:
        """What people call its end."""
        return self.end_date - timedelta(days=1)


class CardPayment(models.Model):
    """A card transaction that pays a bill: it settles the payable instead of an expense (F-07)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="card_payments")
    transaction_ramp_id = models.UUIDField()
    bill_ramp_id = models.UUIDField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "transaction_ramp_id", "bill_ramp_id"],
                name="card_payment_once",
            ),
        ]
        indexes = [
            models.Index(fields=["connection", "bill_ramp_id"], name="cards_of_bill"),
        ]

    def __str__(self) -> str:
        return f"{self.transaction_ramp_id} pays {self.bill_ramp_id}"
