"""Who did what to whom and when: a line for each act of a person, which nobody can edit."""

import pgtrigger
from django.db import models

from connections.models.connection import Connection


class AuditLine(models.Model):
    """One act of one person. Written in the transaction of the act; the database keeps it as is."""

    at = models.DateTimeField()
    actor = models.CharField(max_length=150)
    act = models.CharField(max_length=40, help_text="Stable name, such as items.retry.")
    text = models.CharField(max_length=500, help_text="As a sentence.")
    connection = models.ForeignKey(
        Connection, models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+"
    )
    subject = models.CharField(max_length=60, blank=True, default="", help_text="item, job, ...")
    subject_id = models.CharField(max_length=100, blank=True, default="")
    data = models.JSONField(default=dict, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_newest"),
            models.Index(fields=["connection", "-at", "-id"], name="audit_of_connection"),
            models.Index(fields=["actor", "-at", "-id"], name="audit_of_actor"),
            models.Index(fields=["subject", "subject_id", "-id"], name="audit_of_subject"),
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.actor}: {self.text}"
