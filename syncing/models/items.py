"""The items: one row per object of Ramp and phase, its payload, its timeline and the counts."""

import pgtrigger
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Lower

from connections.models import Connection
from rampbridge.lib.money import Money
from syncing.models.error_triggers import ERROR_TRIGGERS, Fingerprint
from syncing.models.flow_triggers import FLOW_TRIGGERS
from syncing.models.period_triggers import PERIOD_TRIGGERS
from syncing.models.word_triggers import WORD_TRIGGERS
from syncing.references import speakable
from syncing.states import TRANSITIONS, ItemState

TOTAL_KEYS = "object_type, state, error_category, currency, exponent"
_COUNT_KEYS = f"connection_id, {TOTAL_KEYS}"

_ADD_DELTAS = f"""
    WITH moved AS (
        SELECT {_COUNT_KEYS}, sum(n) AS items, sum(n * amount_minor) AS amount_minor
        FROM (%s) deltas
        GROUP BY {_COUNT_KEYS}
        HAVING sum(n) <> 0 OR sum(n * amount_minor) <> 0
    ), counted AS (
        INSERT INTO syncing_itemcount ({_COUNT_KEYS}, items, amount_minor)
        SELECT {_COUNT_KEYS}, items, amount_minor FROM moved
        ORDER BY {_COUNT_KEYS}
        ON CONFLICT ({_COUNT_KEYS}) DO UPDATE
        SET items = syncing_itemcount.items + excluded.items,
            amount_minor = syncing_itemcount.amount_minor + excluded.amount_minor
    )
    INSERT INTO syncing_itemtotal ({_COUNT_KEYS}, items, amount_minor)
    SELECT {_COUNT_KEYS}, items, amount_minor FROM moved;
    RETURN NULL;
"""  # noqa: S608  the pieces are constants of this file
_NEW = f"SELECT {_COUNT_KEYS}, amount_minor, 1 AS n FROM new_rows"  # noqa: S608
_OLD = f"SELECT {_COUNT_KEYS}, amount_minor, -1 AS n FROM old_rows"  # noqa: S608


def _count_trigger(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, rows: str
) -> pgtrigger.Trigger:
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=pgtrigger.Func(_ADD_DELTAS % rows),
    )


def _tell_fleet(
    name: str, operation: pgtrigger.Operation, referencing: pgtrigger.Referencing, rows: str
) -> pgtrigger.Trigger:
    """Have the fleet's lines be looked at again, with what was done and what failed."""
    return pgtrigger.Trigger(
        name=name,
        level=pgtrigger.Statement,
        when=pgtrigger.After,
        operation=operation,
        referencing=referencing,
        func=pgtrigger.Func(
            f"""
            INSERT INTO syncing_standingchange (connection_id, done, failed, in_chart)
            SELECT connection_id,
                coalesce(sum(items) FILTER (WHERE state = 'ACKED' AND items > 0), 0),
                coalesce(sum(items) FILTER (WHERE state = 'FAILED' AND items > 0), 0), false
            FROM ({rows}) moved GROUP BY connection_id;
            RETURN NULL;
            """  # noqa: S608  the pieces are constants of this file
        ),
    )


class SyncItem(models.Model):
    """One object of Ramp in one phase, on its way into one ERP.

    Identity is unique on (connection, object type, ramp id, phase), so webhook, poll, button and
    redelivery all land on the same row. `due_at` is the queue. Amounts are integers in minor units.
    The hot path writes these rows through `syncing.claims`, set by set.
    """

    class ObjectType(models.TextChoices):
        TRANSACTION = "transaction", "Card transaction"
        REIMBURSEMENT = "reimbursement", "Reimbursement"
        BILL = "bill", "Bill"
        BILL_PAYMENT = "bill_payment", "Bill payment"
        TRANSFER = "transfer", "Transfer"
        CASHBACK = "cashback", "Cashback"
        VENDOR_CREDIT = "vendor_credit", "Vendor credit"

    class Arrival(models.TextChoices):
        """What brought an item to us first."""

        POLL = "poll", "Poll"
        WEBHOOK = "webhook", "Webhook"
        MANUAL = "manual", "Run now"
        BUTTON = "button", "Sync button"
        BACKFILL = "backfill", "Backfill"
        RECONCILE = "reconcile", "Reconciliation"

    class State(models.TextChoices):
        READY = ItemState.READY
        POSTING = ItemState.POSTING
        POSTED = ItemState.POSTED
        ACKING = ItemState.ACKING
        ACKED = ItemState.ACKED
        FAILED = ItemState.FAILED
        REVIEW = ItemState.REVIEW
        EXTERNAL = ItemState.EXTERNAL
        WITHDRAWN = ItemState.WITHDRAWN
        MISMATCH = ItemState.MISMATCH

    class Telling(models.TextChoices):
        """How far Ramp has been told of a failure."""

        NOTHING = "", "Nothing to tell"
        DUE = "due", "To be told"
        SENDING = "sending", "Being told"
        TOLD = "told", "Shown in Ramp"

    # Identity
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="items")
    object_type = models.CharField(max_length=16, choices=ObjectType)
    ramp_id = models.UUIDField()
    phase = models.PositiveSmallIntegerField(default=0)

    # What people see in lists
    entity_ramp_id = models.UUIDField(null=True, blank=True)
    label = models.CharField(max_length=300, help_text="Merchant or vendor.")
    memo = models.CharField(max_length=300, blank=True, default="")
    invoice_number = models.CharField(max_length=100, blank=True, default="", db_default="")
    card_last_four = models.CharField(max_length=4, blank=True, default="", db_default="")
    person = models.CharField(max_length=200, blank=True, default="", help_text="Card holder.")
    accounting_date = models.DateField(null=True, blank=True)
    payable_on = models.DateField(
        null=True, blank=True, help_text="When a bill's vendor wants its money (R-148)."
    )
    amount_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="USD")
    exponent = models.PositiveSmallIntegerField(default=2)

    # Where it stands
    state = models.CharField(max_length=9, choices=State, default=State.READY)
    state_at = models.DateTimeField()
    ready_at = models.DateTimeField(help_text="When we first learnt that it is ready.")
    arrived_by = models.CharField(
        max_length=9, choices=Arrival, default=Arrival.POLL, db_default=Arrival.POLL
    )
    sync_request = models.ForeignKey(
        "syncing.SyncRequest",
        models.SET_NULL,
        null=True,
        blank=True,
        db_index=False,  # a partial one serves
        related_name="items",
        help_text="The newest press of the sync button that asks for it (R-83).",
    )
    due_at = models.DateTimeField(
        null=True, help_text="The queue: not to be touched before. Empty: not by time alone."
    )
    seen_ready_at = models.DateTimeField(help_text="When Ramp last said it is ready to sync.")
    snapshot_at = models.DateTimeField(help_text="When the payload was last read.")
    content_hash = models.CharField(max_length=64, help_text="Of what a document is made from.")

    # Claim
    attempts = models.PositiveIntegerField(default=0, help_text="Posts tried for this content.")
    claims_without_result = models.PositiveIntegerField(
        default=0, help_text="Workers that claimed it and were not heard of again."
    )
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    may_be_in_erp_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then a request we gave up may still land."
    )
    intended_at = models.DateTimeField(
        null=True, blank=True, help_text="When a document was last frozen, to be sent."
    )
    was_absent = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Looked up since its answer was lost, and not found (fault X19).",
    )

    # In the ERP
    erp_ref = models.CharField(max_length=200, blank=True, default="")
    erp_id = models.CharField(max_length=100, blank=True, default="")
    erp_number = models.CharField(max_length=100, blank=True, default="")
    erp_url = models.CharField(max_length=500, blank=True, default="")
    posted_at = models.DateTimeField(null=True, blank=True)

    # Told to Ramp
    report_attempt = models.PositiveIntegerField(default=0)
    ack_batch = models.ForeignKey(
        "syncing.AckBatch", models.PROTECT, null=True, blank=True, related_name="items"
    )
    acked_at = models.DateTimeField(null=True, blank=True)
    reack_due = models.BooleanField(
        default=False, help_text="Ramp offers it again although we reported it: report it again."
    )
    failure_telling = models.CharField(
        max_length=8, choices=Telling, blank=True, default=Telling.NOTHING
    )
    failure_batch = models.ForeignKey(
        "syncing.AckBatch", models.PROTECT, null=True, blank=True, related_name="failed_items"
    )

    # What is wrong, in words
    error_category = models.CharField(max_length=16, blank=True, default="")
    error_origin = models.CharField(max_length=8, blank=True, default="")
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_title = models.CharField(max_length=300, blank=True, default="")
    error_fix = models.CharField(max_length=500, blank=True, default="")
    error_text = models.TextField(
        blank=True, default="", help_text="The text the customer sees in Ramp, to the letter."
    )
    error_detail = models.TextField(blank=True, default="", help_text="As the other side said it.")
    error_at = models.DateTimeField(null=True, blank=True)
    error_fingerprint = models.GeneratedField(
        expression=Fingerprint("error_code", "error_title"),
        output_field=models.CharField(max_length=32),
        db_persist=True,
        help_text="The same for all items with one cause in other words, dates and numbers.",
    )
    blocked_by = models.CharField(
        max_length=200,
        blank=True,
        default="",
        help_text="The cause it shares with others, such as a closed period: one check frees all."
        " Of a READY item without a due time: what it waits for, such as its bill.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "object_type", "ramp_id", "phase"], name="item_identity"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="POSTED") | ~models.Q(erp_id=""),
                name="posted_items_know_their_document",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="POSTING") | models.Q(lease_token__isnull=False),
                name="posting_items_have_a_lease",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="FAILED") | ~models.Q(error_category=""),
                name="failed_items_have_a_category",
            ),
        ]
        indexes = [
            models.Index(  # by type, so that paused types are passed over and not looked through
                fields=["connection", "object_type", "due_at", "id"],
                condition=models.Q(state="READY", due_at__isnull=False),
                name="item_queue_by_type",
            ),
            models.Index(  # what a backfill brought comes after these
                fields=["connection", "object_type", "due_at", "id"],
                condition=models.Q(state="READY", due_at__isnull=False)
                & ~models.Q(arrived_by="backfill"),
                name="item_queue_fresh",
            ),
            models.Index(
                fields=["connection", "blocked_by"],
                condition=models.Q(state__in=["READY", "FAILED"]) & ~models.Q(blocked_by=""),
                name="item_waiting",
            ),
            models.Index(
                fields=["sync_request"],
                condition=models.Q(sync_request__isnull=False),
                name="item_requested",
            ),
            models.Index(
                fields=["connection", "lease_until"],
                condition=models.Q(state="POSTING"),
                name="item_lapsed",
            ),
            models.Index(
                fields=["connection", "may_be_in_erp_until"],
                condition=models.Q(state="POSTING"),
                name="item_recovery",
            ),
            models.Index(
                fields=["connection", "object_type", "id"],
                condition=models.Q(state="POSTED"),
                name="item_outbox",
            ),
            models.Index(
                fields=["connection", "due_at"],
                condition=models.Q(state="FAILED"),
                name="item_failed",
            ),
            models.Index(
                fields=["connection", "id"],
                condition=models.Q(failure_telling="due"),
                name="item_failure_to_tell",
            ),
            models.Index(
                fields=["connection", "id"],
                condition=models.Q(reack_due=True),
                name="item_reack",
            ),
            models.Index(
                fields=["connection", "ready_at"],
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_by_age",
            ),
            models.Index(  # with what the backlog's bands add up, and whose it is
                fields=["ready_at", "id"],
                include=["connection", "currency", "exponent", "amount_minor"],
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_since",
            ),
            models.Index(fields=["connection", "-ready_at", "-id"], name="item_of_connection"),
            models.Index(fields=["-ready_at", "-id"], name="item_newest"),
            models.Index(fields=["state", "-ready_at", "-id"], name="item_by_state"),
            models.Index(fields=["ramp_id"], name="item_by_ramp_id"),
            models.Index(
                OpClass(Lower("erp_number"), name="text_pattern_ops"),
                condition=~models.Q(erp_number=""),
                name="item_by_erp_number",
            ),
            models.Index(fields=["erp_id"], condition=~models.Q(erp_id=""), name="item_by_erp_id"),
            models.Index(fields=["accounting_date", "-id"], name="item_by_day"),
            models.Index(OpClass(Lower("label"), name="text_pattern_ops"), name="item_by_label"),
            models.Index(
                OpClass(Lower("label"), name="text_pattern_ops"),
                # With all that counts them and puts them in order. Without the label itself
                # PostgreSQL does not see that the index alone would do.
                include=["id", "label", "ready_at", "currency", "exponent", "amount_minor"],
                condition=~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_open_of_label",
            ),
            models.Index(
                fields=["amount_minor", "exponent", "-id"],
                include=["connection"],
                name="item_by_amount",
            ),
            models.Index(
                OpClass(Lower("invoice_number"), name="text_pattern_ops"),
                "connection",
                condition=~models.Q(invoice_number=""),
                name="item_by_invoice_number",
            ),
            models.Index(
                fields=["card_last_four", "-id"],
                condition=~models.Q(card_last_four=""),
                name="item_by_card",
            ),
            models.Index(
                fields=["error_fingerprint", "ready_at", "id"],
                condition=~models.Q(error_fingerprint="")
                & ~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_by_error",
            ),
            models.Index(
                fields=["acked_at"], condition=models.Q(state="ACKED"), name="item_acked_at"
            ),
            models.Index(
                fields=["state_at"], condition=models.Q(state="FAILED"), name="item_failed_since"
            ),
            models.Index(  # bills that are not in the ERP, by when they must be paid
                fields=["payable_on", "connection"],
                include=["accounting_date", "ready_at"],
                condition=models.Q(object_type="bill", payable_on__isnull=False)
                & ~models.Q(state__in=["ACKED", "EXTERNAL", "WITHDRAWN"]),
                name="item_bills_due",
            ),
        ]
        triggers = [
            pgtrigger.FSM(
                name="states_follow_the_arrows",
                field="state",
                transitions=[
                    (a.value, b.value) for a, bs in TRANSITIONS.items() for b in sorted(bs)
                ],
            ),
            _count_trigger(
                "count_inserts", pgtrigger.Insert, pgtrigger.Referencing(new="new_rows"), _NEW
            ),
            _count_trigger(
                "count_updates",
                pgtrigger.Update,
                pgtrigger.Referencing(new="new_rows", old="old_rows"),
                f"{_NEW} UNION ALL {_OLD}",
            ),
            _count_trigger(
                "count_deletes", pgtrigger.Delete, pgtrigger.Referencing(old="old_rows"), _OLD
            ),
            *ERROR_TRIGGERS,
            *FLOW_TRIGGERS,
            *PERIOD_TRIGGERS,
            *WORD_TRIGGERS,
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.ramp_id} ({self.state})"

    @property
    def money(self) -> Money:
        """The amount with its currency."""
        return Money(self.amount_minor, self.currency, self.exponent)

    @property
    def reference(self) -> str:
        """The short reference people quote, like RB-7K3Q (R-75)."""
        return speakable(self.pk)


class ItemPayload(models.Model):
    """The object as Ramp gave it and the document made from it, apart so that lists stay small."""

    item = models.OneToOneField(SyncItem, models.CASCADE, primary_key=True, related_name="payload")
    ramp = models.JSONField(help_text="The object as last read.")
    document = models.JSONField(
        null=True, blank=True, help_text="Frozen before it is sent; a retry sends these bytes."
    )

    def __str__(self) -> str:
        return f"payload of {self.item_id}"


class ItemEvent(models.Model):
    """One line of an item's timeline. Append-only: the database refuses updates."""

    class Kind(models.TextChoices):
        READY = "ready", "Ready in Ramp"
        CHANGED = "changed", "Changed in Ramp"
        SENT = "sent", "Sent to the ERP"
        POSTED = "posted", "Posted in the ERP"
        FOUND = "found", "Found in the ERP"
        LOOKED = "looked", "Looked for in the ERP"
        SETTLED = "settled", "Settled by a person"
        REFUSED = "refused", "Refused"
        RETRYING = "retrying", "Will be tried again"
        UNCERTAIN = "uncertain", "Outcome unknown"
        HELD = "held", "Held for a person"
        REPORTED = "reported", "Reported to Ramp"
        FAILURE_TOLD = "failure_told", "Error shown in Ramp"
        REPORT_REFUSED = "report_refused", "Report refused by Ramp"
        RELEASED = "released", "Released"
        EXTERNAL = "external", "Synced outside rampbridge"
        WITHDRAWN = "withdrawn", "Withdrawn in Ramp"
        WAITING = "waiting", "Waits for something else"
        ATTACHED = "attached", "Receipt attached"
        NOT_ATTACHED = "not_attached", "Receipt not attached"
        RECONCILED = "reconciled", "Found by reconciliation"
        NOTE = "note", "Note"

    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="events")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=Kind)
    text = models.TextField(blank=True, default="")
    data = models.JSONField(default=dict, blank=True)
    actor = models.CharField(max_length=150, blank=True, default="", help_text="Empty: rampbridge.")

    class Meta:
        indexes = [
            models.Index(fields=["item", "id"], name="timeline"),
            models.Index(  # rare kinds: which items a comparison has found
                fields=["at"],
                condition=models.Q(kind__in=["reconciled", "external"]),
                name="found_by_comparisons",
            ),
        ]
        triggers = [pgtrigger.Protect(name="append_only", operation=pgtrigger.Update)]

    def __str__(self) -> str:
        return f"{self.kind} {self.item_id}"


class ItemCount(models.Model):
    """How many items and how much money stand where. Kept by triggers in the items' transaction."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="+")
    object_type = models.CharField(max_length=16)
    state = models.CharField(max_length=9)
    error_category = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "connection",
                    "object_type",
                    "state",
                    "error_category",
                    "currency",
                    "exponent",
                ],
                name="count_once",
            ),
        ]
        triggers = [
            _tell_fleet(
                "fleet_hears_of_new_counts",
                pgtrigger.Insert,
                pgtrigger.Referencing(new="new_rows"),
                "SELECT connection_id, state, items FROM new_rows",
            ),
            _tell_fleet(
                "fleet_hears_of_counts",
                pgtrigger.Update,
                pgtrigger.Referencing(new="new_rows", old="old_rows"),
                "SELECT n.connection_id, n.state, n.items - o.items AS items"
                " FROM new_rows n JOIN old_rows o ON o.id = n.id",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} {self.object_type} {self.state}"


class ItemTotal(models.Model):
    """The same of all customers together, in any number of rows that only their sums are true of.

    Triggers add a row for each statement and never update one: all customers' items share these
    sums, and nobody waits for anybody there. `syncing.rollups` folds them up.
    """

    connection = models.ForeignKey(
        Connection,
        models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
        help_text="Whose they are, until they are folded up: then it is in `ItemShare`.",
    )
    object_type = models.CharField(max_length=16)
    state = models.CharField(max_length=9)
    error_category = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.items} {self.object_type} {self.state}"
