"""Who is connected to what, and with which secrets."""

import uuid
from collections.abc import Mapping

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Lower


def every_type() -> list[str]:
    """Everything that Ramp offers, in the order it is read in."""
    return [
        "transaction",
        "reimbursement",
        "bill",
        "transfer",
        "cashback",
        "vendor_credit",
    ]


def _words_of(field: str) -> models.Func:
    words = models.Func(Lower(field), models.Value(" "), function="string_to_array")
    without_empty = models.Func(words, models.Value(""), function="array_remove")
    return models.Func(without_empty, function="array_to_tsvector")


@pghistory.track()
class Connection(models.Model):
    """One customer's connection between Ramp and its ERP.

    Only configuration lives here, so that every change by a person leaves a line of history.
    What changes by the second (polls, leases, blocks) is `syncing.models.Schedule`.
    """

    class Stage(models.TextChoices):
        SETTING_UP = "setting_up", "Setting up"
        LIVE = "live", "Live"
        PAUSED = "paused", "Paused"
        CLOSED = "closed", "Closed"

    known_credentials: "Mapping[str, Credential] | None" = None
    """Not kept: those of both sides, where they were read along with it."""
    known_token: "RampToken | None" = None
    """Not kept: Ramp's token, if it was."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    slug = models.SlugField(max_length=80, unique=True)
    name = models.CharField(max_length=200)
    stage = models.CharField(max_length=12, choices=Stage, default=Stage.SETTING_UP)
    paused_reason = models.CharField(max_length=300, blank=True, default="")
    time_zone = models.CharField(max_length=64, default="UTC")
    owner = models.CharField(max_length=150, blank=True, default="")
    tags = ArrayField(
        models.CharField(max_length=40),
        default=list,
        blank=True,
        db_default=models.Value([], ArrayField(models.CharField(max_length=40))),
    )
    ramp_business_id = models.UUIDField(null=True, blank=True)
    ramp_connection_id = models.UUIDField(null=True, blank=True)
    ramp_provider_name = models.CharField(
        max_length=100, help_text="The label the customer sees when choosing providers in Ramp."
    )
    erp_kind = models.CharField(max_length=30, help_text="Name of the adapter in the registry.")
    erp_name = models.CharField(max_length=60, help_text="The ERP as the customer calls it.")
    object_types = models.JSONField(
        default=every_type, help_text="What is synced, as syncing's items name their types."
    )
    button_types = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Of what Ramp shows a sync button: as last switched here and read back.",
    )
    scoped_by_entity = models.BooleanField(
        default=False, help_text="Read Ramp's lists entity by entity, as its guide asks (R-70)."
    )
    ack_batch_size = models.PositiveIntegerField(
        default=5000, help_text="Items per report; 500 once Ramp has refused a larger one (R-59)."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["ramp_business_id"],
                condition=models.Q(ramp_business_id__isnull=False) & ~models.Q(stage="closed"),
                name="one_open_connection_per_business",
            ),
        ]
        # What filters offer, read without looking at each customer
        indexes = [
            models.Index(
                fields=["erp_name"], condition=~models.Q(stage="closed"), name="open_by_erp"
            ),
            models.Index(
                fields=["erp_kind", "erp_name"],
                condition=~models.Q(stage="closed"),
                name="open_by_erp_kind",
            ),
            models.Index(
                fields=["owner"],
                condition=~models.Q(stage="closed") & ~models.Q(owner=""),
                name="open_by_owner",
            ),
            models.Index(
                fields=["name", "slug"], condition=~models.Q(stage="closed"), name="open_by_name"
            ),
            # A search asks for any word of a name; by beginnings, which no dictionary may shorten
            GinIndex(_words_of("name"), name="connection_by_word"),
        ]

    def __str__(self) -> str:
        return self.name


class Credential(models.Model):
    """The secrets of one side of a connection, sealed and bound to this row."""

    class Side(models.TextChoices):
        RAMP = "ramp", "Ramp"
        ERP = "erp", "ERP"

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="credentials")
    side = models.CharField(max_length=4, choices=Side)
    sealed = models.BinaryField()
    hint = models.CharField(max_length=40, blank=True, default="", help_text="Last characters.")
    expires_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "side"], name="one_credential_per_side"),
        ]

    def __str__(self) -> str:
        return f"{self.side} credential of {self.connection_id}"


class RampToken(models.Model):
    """Ramp's access token for one connection, shared by all processes until it expires."""

    connection = models.OneToOneField(
        Connection, models.CASCADE, primary_key=True, related_name="ramp_token"
    )
    sealed = models.BinaryField()
    scopes = models.TextField(blank=True, default="")
    expires_at = models.DateTimeField()
    minted_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Ramp token of {self.connection_id}"


@pghistory.track()
class Entity(models.Model):
    """A Ramp entity and the ERP company or subsidiary it stands for."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="entities")
    ramp_id = models.UUIDField()
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    is_primary = models.BooleanField(default=False)
    erp_entity = models.CharField(
        max_length=100, blank=True, default="", help_text="Empty: the ERP has one company only."
    )
    is_mapped = models.BooleanField(
        default=False, help_text="Someone has said which ERP company this entity is."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "ramp_id"], name="entity_once"),
        ]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class PostingProfile(models.Model):
    """Which ERP accounts stand for card liability and bank, per entity or for all of them."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="profiles")
    entity = models.ForeignKey(Entity, models.CASCADE, null=True, blank=True)
    card_liability_account = models.CharField(max_length=100, help_text="ERP account id.")
    bank_account = models.CharField(
        max_length=100, blank=True, default="", help_text="What bills are paid from."
    )
    payables_account = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="What bills are owed on. Empty: the ERP's own account of the vendor.",
    )
    reimbursement_account = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="What reimbursements are credited to: the bank, or payables to employees.",
    )
    transfer_bank_account = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="What card statements are paid from. Empty: the bank account of bills.",
    )
    cashback_account = models.CharField(
        max_length=100, blank=True, default="", help_text="The income account of cashback."
    )
    fallback_expense_account = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="Where a line without coding goes. Empty: such an item is held.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "entity"],
                nulls_distinct=False,
                name="one_profile_per_entity",
            ),
        ]

    def __str__(self) -> str:
        return f"posting profile {self.pk}"


class WebhookSubscription(models.Model):
    """One webhook of Ramp that rings for one connection."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting for Ramp's challenge"
        ACTIVE = "active", "Active"
        REMOVED = "removed", "Removed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    connection = models.ForeignKey(Connection, models.CASCADE, related_name="subscriptions")
    ramp_webhook_id = models.UUIDField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=Status, default=Status.PENDING)
    event_types = models.JSONField(default=list)
    base_url = models.URLField(
        max_length=300, default="", help_text="Where we were when we subscribed."
    )
    sealed_secret = models.BinaryField(default=b"")
    sealed_previous_secret = models.BinaryField(default=b"")
    previous_secret_until = models.DateTimeField(null=True, blank=True)
    sealed_header = models.BinaryField(
        default=b"",
        help_text="Our own header value: proves the challenge, which may come before the secret.",
    )
    challenge = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(auto_now_add=True)
    last_event_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["connection", "status"], name="subscription_of_connection")]

    def __str__(self) -> str:
        return f"webhook of {self.connection_id}"
