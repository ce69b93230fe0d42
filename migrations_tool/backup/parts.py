"""Parts of a backup: a page of records each, as JSON lines, compressed, with their digest."""

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Max

from connections.ramp.schemas import decode
from migrations_tool.models import Backup, BackupPart
from migrations_tool.wizard import Refused

_ANEW = "Make another version."


class PartDamaged(Refused):
    """What the database gave back is not what was kept. The message is fit to show."""


def write(backup: Backup, kind: str, lines: Sequence[str], *, field: str = "") -> BackupPart:
    """Keep records as the next part of their kind.

    :param field: of options: Ramp's id of their field
    """
    text = _as_bytes(lines)
    numbers = BackupPart.objects.filter(backup=backup, kind=kind)
    newest = numbers.aggregate(Max("number"))["number__max"] or 0
    return BackupPart.objects.create(
        backup=backup,
        kind=kind,
        number=newest + 1,
        records=len(lines),
        content=zlib.compress(text),
        digest=hashlib.sha256(text).hexdigest(),
        field=field,
    )


def lines_of(part: BackupPart) -> list[str]:
    """The records of a part, as Ramp sent them.

    :raises PartDamaged: if they are not those that were kept
    """
    try:
        text = zlib.decompress(part.content)
    except zlib.error as error:
        raise PartDamaged(f"Part {part} of the backup cannot be unpacked. {_ANEW}") from error
    if hashlib.sha256(text).hexdigest() != part.digest:
        raise PartDamaged(
            f"Part {part} of the backup is not what was kept: its checksum differs. {_ANEW}"
        )
    lines = text.decode().split("\n")[:-1]  # words may hold other signs that end lines
    if len(lines) != part.records:
        raise PartDamaged(
            f"Part {part} of the backup has {len(lines)} of {part.records} records. {_ANEW}"
        )
    return lines


def all_parts(backup: Backup, *kinds: str) -> Iterator[BackupPart]:
    """One at a time from the database, in the order in which they were kept within a kind."""
    found = BackupPart.objects.filter(backup=backup)
    if kinds:
        found = found.filter(kind__in=kinds)
    for pk in list(found.order_by("kind", "number").values_list("pk", flat=True)):
        yield BackupPart.objects.get(pk=pk)


def records(backup: Backup, kind: str) -> Iterator[dict[str, Any]]:
    """All records of a kind, as Ramp sent them, with exact figures; a page at a time in memory.

    A record that Ramp listed on two pages comes twice.

    :raises PartDamaged: if what is read is not what was kept
    """
    for part in all_parts(backup, kind):
        for line in lines_of(part):
            record = decode(line)
            if isinstance(record, dict):
                yield record


def options(backup: Backup) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every option with Ramp's id of its field, as `records` gives them.

    :raises PartDamaged: if what is read is not what was kept
    """
    for part in all_parts(backup, "options"):
        for line in lines_of(part):
            yield part.field, decode(line)


def checksum_of(backup: Backup) -> str:
    """SHA-256 over kind, number, field, records and digest of all parts."""
    whole = hashlib.sha256()
    found = BackupPart.objects.filter(backup=backup).order_by("kind", "number")
    for part in found.values_list("kind", "number", "field", "records", "digest").iterator():
        whole.update(f"{' '.join(map(str, part))}\n".encode())
    return whole.hexdigest()


def _as_bytes(lines: Sequence[str]) -> bytes:
    """With a line's end after each. A half character, which no encoding has, becomes U+FFFD."""
    text = "".join(f"{line}\n" for line in lines)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()
