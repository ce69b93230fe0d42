"""What people decide about items that nobody was sure of, and what was asked and sent before."""

from django.db import models

from syncing.models.items import SyncItem


class ErpLook(models.Model):
    """A question to the ERP about one item: is it there? Asked by a person, answered by a task."""

    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="looks")
    number = models.CharField(
        max_length=100,
        blank=True,
        default="",
        help_text="The document that a person has in mind. Empty: ours, or what resembles it.",
    )
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True, help_text="Empty: answered.")
    tries = models.PositiveIntegerField(default=0)
    answered_at = models.DateTimeField(null=True, blank=True)
    asked_for = models.JSONField(default=list, help_text="What was searched, in words.")
    is_conclusive = models.BooleanField(
        default=False, help_text="The ERP was searched by our reference, and said what it has."
    )
    candidates = models.JSONField(default=list, help_text="What was found, the best match first.")
    problem = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], condition=models.Q(due_at__isnull=False), name="looks_due"
            ),
            models.Index(fields=["item", "-asked_at"], name="looks_of_item"),
        ]

    def __str__(self) -> str:
        return f"look for {self.item_id} asked by {self.asked_by}"


class Settlement(models.Model):
    """One decision of a person about one item. What needs two waits for the second (P-12)."""

    class Act(models.TextChoices):
        ADOPT = "adopt", "It is this document"
        POST = "post", "Not there: post it"
        WAIT = "wait", "Keep waiting"
        AGREE = "agree", "Both sides agree"
        REPORT = "report", "Report it again"

    class State(models.TextChoices):
        ASKED = "asked", "Waits for a second person"
        DONE = "done", "Settled"
        REFUSED = "refused", "Refused by the second person"

    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="settlements")
    act = models.CharField(max_length=6, choices=Act)
    state = models.CharField(max_length=7, choices=State)
    reason = models.CharField(max_length=300, blank=True, default="")
    document = models.JSONField(
        null=True, blank=True, help_text="Of an adoption: the ERP's document as it was shown."
    )
    about = models.CharField(
        max_length=400,
        blank=True,
        default="",
        help_text="The difference that somebody looked at: the same one is not raised again.",
    )
    until = models.DateTimeField(null=True, blank=True, help_text="Wait: look again then.")
    needs_second = models.BooleanField(default=False)
    asked_by = models.CharField(max_length=150)
    asked_at = models.DateTimeField()
    decided_by = models.CharField(max_length=150, blank=True, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_because = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(needs_second=False) | ~models.Q(reason=""),
                name="settlements_of_two_have_a_reason",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="done", needs_second=True)
                | (~models.Q(decided_by="") & ~models.Q(decided_by=models.F("asked_by"))),
                name="large_settlements_need_two",
            ),
            models.UniqueConstraint(
                fields=["item"], condition=models.Q(state="asked"), name="one_open_settlement"
            ),
        ]
        indexes = [
            models.Index(fields=["item", "-asked_at"], name="settlements_of_item"),
            models.Index(
                fields=["asked_at"],
                condition=models.Q(state="asked"),
                name="settlements_to_decide",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.act} of {self.item_id} ({self.state})"


class FormerDocument(models.Model):
    """A frozen document whose place another one has taken: what an earlier attempt sent.

    Kept only where the two differ, in the statement that freezes the new one, so that most items
    have none.
    """

    item = models.ForeignKey(SyncItem, models.CASCADE, related_name="former_documents")
    document = models.JSONField()
    replaced_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["item", "id"], name="former_documents_of_item")]

    def __str__(self) -> str:
        return f"document of {self.item_id} until {self.replaced_at}"
