"""Which backups there are, and what becomes of one that was never finished."""

from django.db import transaction
from django.db.models import Max

from migrations_tool import page_memory
from migrations_tool.models import Backup, BackupPart, ConnectionMigration, FormerCoding


def newest_first(migration: ConnectionMigration) -> list[Backup]:
    """All of them, sealed or not; they are few."""
    found = Backup.objects.filter(migration=migration).order_by("-number")
    return page_memory.once(migration, "backups", lambda: list(found))


def latest(migration: ConnectionMigration) -> Backup | None:
    """The newest sealed backup."""
    return _newest(migration, Backup.State.SEALED)


def unfinished(migration: ConnectionMigration) -> Backup | None:
    """The one that is being read."""
    return _newest(migration, Backup.State.READING)


def _newest(migration: ConnectionMigration, state: Backup.State) -> Backup | None:
    return next((one for one in newest_first(migration) if one.state == state), None)


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
