"""Which backups there are, and what becomes of one that was never finished."""

from django.db import transaction
from django.db.models import Max

from migrations_tool.models import Backup, BackupPart, ConnectionMigration, FormerCoding


def latest(migration: ConnectionMigration) -> Backup | None:
    """The newest sealed backup."""
    sealed = Backup.objects.filter(migration=migration, state=Backup.State.SEALED)
    return sealed.order_by("-number").first()


def unfinished(migration: ConnectionMigration) -> Backup | None:
    """The one that is being read."""
    return Backup.objects.filter(migration=migration, state=Backup.State.READING).first()


def break_off(backup: Backup) -> None:
    """Give up a backup that is not sealed. Nothing of it is kept but that there was one."""
    with transaction.atomic():
        drop(backup)
        Backup.objects.filter(pk=backup.pk).update(state=Backup.State.BROKEN_OFF)


def drop(backup: Backup, kinds: tuple[str, ...] | None = None) -> None:
    """Take parts away from a backup that is not sealed: of some kinds, or all with the codings."""
    parts = BackupPart.objects.filter(backup=backup)
    if kinds is not None:
        parts.filter(kind__in=kinds).delete()
        return
    parts.delete()
    FormerCoding.objects.filter(backup=backup).delete()


def next_number(migration: ConnectionMigration) -> int:
    newest = Backup.objects.filter(migration=migration).aggregate(Max("number"))["number__max"]
    return (newest or 0) + 1
