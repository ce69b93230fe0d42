"""A sealed backup as files, for whoever has to check it without us."""

import io
import json
import tarfile
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings

from migrations_tool.backup.parts import all_parts, lines_of
from migrations_tool.models import Backup, BackupPart, FormerCoding

COLUMNS: Sequence[str] = (
    "Type", "Ramp id", "Label", "Invoice number", "Day", "Amount", "Currency", "Standing", "Line",
    "Line amount", "Field", "Field id", "Old id", "Code", "Name",
)  # fmt: skip
_ROWS_AT_ONCE = 500


class _Pipe(io.RawIOBase):
    """A file that gives back what was written to it since it was last asked."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def archive(backup: Backup) -> Iterator[bytes]:
    """A `.tar.gz`, a part at a time: the manifest, then each part as lines of JSON.

    Whoever has it computes the SHA-256 of each file, compares it with the manifest, and the
    manifest's own lines with the checksum of the whole.
    """
    pipe = _Pipe()
    with tarfile.open(fileobj=pipe, mode="w|gz") as tar:
        _add(tar, backup, "manifest.json", _manifest(backup))
        yield pipe.taken()
        for part in all_parts(backup):
            _add(tar, backup, _name(part), _content(part))
            yield pipe.taken()
    yield pipe.taken()


def coding_rows(backup: Backup) -> Iterator[list[Any]]:
    """One row for each field that was chosen on a line; a line without any has one row."""
    found = FormerCoding.objects.filter(backup=backup).order_by("object_type", "ramp_id")
    for coding in found.defer("words").iterator(chunk_size=_ROWS_AT_ONCE):
        for number, line in enumerate(coding.codings, start=1):
            for chosen in line["selections"] or [{}]:
                yield [*_of_object(coding), number, *_of_line(coding, line), *_of_choice(chosen)]


def _of_object(coding: FormerCoding) -> list[Any]:
    return [
        coding.object_type,
        str(coding.ramp_id),
        coding.label,
        coding.number,
        coding.spent_on,
        _major(coding.amount_minor, coding.exponent),
        coding.currency,
        coding.standing,
    ]


def _of_line(coding: FormerCoding, line: Any) -> list[Any]:
    minor = line["minor"]
    return ["" if minor is None else _major(minor, line.get("exponent", coding.exponent))]


def _of_choice(chosen: Any) -> list[Any]:
    field = chosen.get("field") or chosen.get("type", "")
    given = (chosen.get(key, "") for key in ("field_id", "id", "code", "name"))
    return [field, *given]


def _major(minor: int, exponent: int) -> Decimal:
    return Decimal(minor).scaleb(-exponent)


def _manifest(backup: Backup) -> bytes:
    """What is in the archive, and how its checksum comes about."""
    parts = backup.parts.order_by("kind", "number")
    files = [
        {
            "file": _name(part),
            "kind": part.kind,
            "number": part.number,
            "field": part.field,
            "records": part.records,
            "sha256": part.digest,
        }
        for part in parts.defer("content").iterator()
    ]
    manifest = {
        "customer": backup.migration.connection.name,
        "old_provider": backup.migration.old_provider_name,
        "old_connection": str(backup.migration.old_connection_id or ""),
        "version": backup.number,
        "made_by": backup.made_by,
        "began_at": backup.began_at.isoformat(),
        "sealed_at": backup.sealed_at.isoformat() if backup.sealed_at else "",
        "counts": backup.counts,
        "restored_sha256_by_kind": backup.digests,
        "checksum": backup.checksum,
        "checksum_is": "SHA-256 over one line per file, in this order:"
        " kind, number, field, records, sha256, with a space between and a line feed after each",
        "made_with": f"rampbridge {settings.RELEASE}".strip(),
        "files": files,
    }
    return json.dumps(manifest, indent=1, ensure_ascii=False).encode()


def _name(part: BackupPart) -> str:
    return f"{part.kind}/{part.number:06}.jsonl"


def _content(part: BackupPart) -> bytes:
    return "".join(f"{line}\n" for line in lines_of(part)).encode()


def _add(tar: tarfile.TarFile, backup: Backup, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    entry.mtime = int((backup.sealed_at or backup.began_at).timestamp())
    tar.addfile(entry, io.BytesIO(content))
