"""The backup: the old chart and the codings of all objects, as they were and for good (R-90)."""

import uuid

import pgtrigger
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from migrations_tool.models.migration import ConnectionMigration

_ONLY_WHILE_READ = pgtrigger.Trigger(
    name="only_while_it_is_read",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Delete,
    declare=[("of_backup", "uuid")],
    func="""
        of_backup := CASE TG_OP WHEN 'DELETE' THEN OLD.backup_id ELSE NEW.backup_id END;
        PERFORM FROM migrations_tool_backup WHERE id = of_backup AND state = 'sealed';
        IF FOUND THEN RAISE EXCEPTION 'A sealed backup gains and loses nothing.'; END IF;
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    """,
)
"""A sealed backup keeps exactly the rows that it was sealed with."""


class Backup(models.Model):
    """One version of the archive. Once sealed, nothing of it can change."""

    class State(models.TextChoices):
        READING = "reading", "Being read"
        SEALED = "sealed", "Sealed"
        BROKEN_OFF = "broken_off", "Broken off"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    migration = models.ForeignKey(ConnectionMigration, models.PROTECT, related_name="backups")
    number = models.PositiveSmallIntegerField(help_text="Version: 1, 2, ...")
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    made_by = models.CharField(max_length=150)
    began_at = models.DateTimeField()
    sealed_at = models.DateTimeField(null=True, blank=True)
    counts = models.JSONField(default=dict, blank=True, help_text="Records of each kind.")
    digests = models.JSONField(default=dict, blank=True, help_text="SHA-256 of each kind.")
    checksum = models.CharField(max_length=64, blank=True, default="", help_text="Of all of it.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["migration", "number"], name="backup_versions"),
        ]
        triggers = [
            pgtrigger.Protect(
                name="sealed_for_good",
                operation=pgtrigger.Update | pgtrigger.Delete,
                condition=pgtrigger.Condition("OLD.state = 'sealed'"),
            ),
        ]

    def __str__(self) -> str:
        return f"backup {self.number} of {self.migration_id}"


class BackupPart(models.Model):
    """Up to a page of records of one kind, as Ramp sent them: JSON lines, compressed."""

    backup = models.ForeignKey(Backup, models.PROTECT, related_name="parts")
    kind = models.CharField(max_length=20, help_text="accounts, options, transaction, ...")
    number = models.PositiveIntegerField()
    records = models.PositiveIntegerField()
    content = models.BinaryField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the lines.")
    field = models.CharField(
        max_length=36,
        blank=True,
        default="",
        db_default="",
        help_text="Of options: Ramp's id of their field, which no option says itself.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["backup", "kind", "number"], name="backup_part_once"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept_as_it_is", operation=pgtrigger.Update),
            _ONLY_WHILE_READ,
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number}"


class FormerCoding(models.Model):
    """What an object was coded to before the switch, to be found afterwards (R-91)."""

    backup = models.ForeignKey(Backup, models.PROTECT, related_name="codings")
    object_type = models.CharField(max_length=20)
    ramp_id = models.UUIDField()
    label = models.CharField(max_length=300, blank=True, default="")
    number = models.CharField(max_length=200, blank=True, default="", help_text="Of the invoice.")
    spent_on = models.DateField(null=True, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    standing = models.CharField(max_length=12, help_text="ready, synced or not ready, then.")
    codings = models.JSONField(
        help_text="Per line: its amount and, per field, the old id, code and name."
    )
    words = SearchVectorField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["backup", "object_type", "ramp_id"], name="former_coding_once"
            ),
        ]
        indexes = [
            models.Index(fields=["ramp_id"], name="former_codings_by_object"),
            models.Index(fields=["backup", "-spent_on", "-id"], name="former_codings_newest"),
            models.Index(fields=["backup", "amount_minor"], name="former_codings_by_amount"),
            GinIndex(fields=["words"], name="former_codings_by_word"),
        ]
        triggers = [
            pgtrigger.Protect(name="kept_as_it_is", operation=pgtrigger.Update),
            _ONLY_WHILE_READ,
        ]

    def __str__(self) -> str:
        return f"{self.object_type} {self.ramp_id}"
