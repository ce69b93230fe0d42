"""What a connection should be like in Ramp, what it was found to be, and how both sides are."""

import uuid

import pghistory
from django.db import models
from django.db.models.functions import Now

from connections.models.connection import Connection, Credential


@pghistory.track()
class Switch(models.Model):
    """One switch of a customer's accounting connection in Ramp, as wanted and as found (R-12)."""

    class Name(models.TextChoices):
        """As Ramp's settings name them."""

        ENTITY_SELECTION = "entity_selection_enabled", "Entity selection"
        TRANSACTION_BUTTON = "transaction_sync_button_enabled", "Sync button, transactions"
        REIMBURSEMENT_BUTTON = "reimbursement_sync_button_enabled", "Sync button, reimbursements"
        VENDOR_CREATION = (
            "transaction_accounting_vendor_creation_on_sync_enabled",
            "Vendor creation",
        )
        VENDOR_CREDITS = "vendor_credits_enabled", "Vendor credits"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="switches")
    name = models.CharField(max_length=60, choices=Name)
    wanted = models.BooleanField(null=True, help_text="Empty: nobody has decided.")
    wanted_by = models.CharField(max_length=150, blank=True, default="")
    wanted_at = models.DateTimeField(null=True, blank=True)
    found = models.BooleanField(null=True, help_text="Empty: never read back.")
    found_at = models.DateTimeField(null=True, blank=True)
    drifted_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when Ramp has it otherwise than wanted."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "name"], name="switch_once"),
        ]

    def __str__(self) -> str:
        return str(self.get_name_display())


class HealthCheck(models.Model):
    """How one side of a connection was when we last looked (R-14)."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="health_checks")
    side = models.CharField(max_length=4, choices=Credential.Side)
    is_ok = models.BooleanField()
    title = models.CharField(max_length=300, blank=True, default="")
    fix = models.CharField(max_length=500, blank=True, default="")
    about = models.CharField(max_length=200, blank=True, default="", help_text="Company, version.")
    checked_at = models.DateTimeField()
    ok_at = models.DateTimeField(null=True, blank=True)
    due_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "side"], name="one_check_per_side"),
        ]

    def __str__(self) -> str:
        return f"{self.side} of {self.connection_id}: {'well' if self.is_ok else self.title}"


class Chore(models.Model):
    """Something a person asked for that takes calls to Ramp or an ERP: who, what, what came of it.

    Pages write the row, a worker carries it out. Each is safe to repeat, so a dead worker's comes
    due again. Rows stay: with `trace_id` they are the evidence of what was done (R-05, R-06).
    """

    class Kind(models.TextChoices):
        CHECK = "check", "Check both sides"
        SEAT = "seat", "Connect in Ramp"
        SWITCH = "switch", "Change a switch in Ramp"
        WEBHOOK = "webhook", "Renew the webhook"
        CREDENTIAL = "credential", "New credentials"
        GO_LIVE = "go_live", "Go live"
        DISCONNECT = "disconnect", "Disconnect in Ramp"

    class State(models.TextChoices):
        WANTED = "wanted", "Under way"
        DONE = "done", "Done"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="chores")
    kind = models.CharField(max_length=10, choices=Kind)
    about = models.CharField(
        max_length=60, blank=True, default="", help_text="A switch's name, a credential's side."
    )
    sealed = models.BinaryField(
        default=b"", help_text="New credentials until they are checked; then nothing."
    )
    hint = models.CharField(max_length=40, blank=True, default="")
    state = models.CharField(max_length=8, choices=State, default=State.WANTED)
    actor = models.CharField(max_length=150)
    wanted_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField(null=True, db_default=Now())
    attempts = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True, blank=True)
    title = models.CharField(max_length=300, blank=True, default="", help_text="What came of it.")
    fix = models.CharField(max_length=500, blank=True, default="")
    trace_id = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "kind", "about"],
                condition=models.Q(state="wanted"),
                name="one_wanted_chore_of_a_kind",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(state="wanted"), name="chores_to_be_done"
            ),
            models.Index(fields=["connection", "-wanted_at"], name="chores_of_connection"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.about}".strip()
