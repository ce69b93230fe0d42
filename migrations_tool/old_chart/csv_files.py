"""The mapping as a CSV file: out for a spreadsheet, and its decisions in with an answer per row."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from connections.mapping_book.csv_file import MOST_BYTES, MOST_ROWS, BadFile
from migrations_tool.models import ConnectionMigration, OldRecord
from migrations_tool.old_chart import targets
from migrations_tool.old_chart.coverage import COVERED
from migrations_tool.old_chart.deciding import Decision, write
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

Kind, State = OldRecord.Kind, OldRecord.State

COLUMNS = (
    "kind",
    "old_field",
    "old_id",
    "old_code",
    "old_name",
    "uses",
    "amount",
    "state",
    "erp_id",
    "erp_name",
    "park_because",
    "share_because",
)
"""`erp_code` may be added, in place of `erp_id`."""
_NEEDED = ("kind", "old_id")
_OTHERS = ("erp_id", "erp_code", "park_because")


class Outcome(StrEnum):
    """What became of a row."""

    SAVED = "saved"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """The answer to one row."""

    line: int
    name: str
    outcome: Outcome
    words: str = ""


def exported(
    migration: ConnectionMigration, *, exponent: int, everything: bool
) -> Iterator[Sequence[object]]:
    """Rows of the file, most money first: all records, or those that are not decided yet."""
    rows = OldRecord.objects.filter(migration=migration)
    if not everything:
        rows = rows.exclude(state__in=COVERED)
    for row in rows.order_by("-money_minor", "pk").iterator(chunk_size=2000):
        yield (
            row.kind,
            row.field_old_id,
            row.old_id,
            row.code,
            row.name,
            row.uses,
            f"{row.money_minor / 10**exponent:.{exponent}f}",
            row.state,
            row.erp_id,
            row.erp_name,
            row.parked_because,
            row.shared_because,
        )


def read(data: bytes) -> list[tuple[int, Mapping[str, str]]]:
    """The rows of a file, each with its line; columns in any order.

    :raises BadFile: if it is too large, or its columns are not there
    """
    if not data:
        raise BadFile("Choose a file that is not empty.")
    if len(data) > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES // 1000:,} kB. Split it.")
    text = _decoded(data)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
        names = [(name or "").strip().casefold() for name in reader.fieldnames or ()]
        _check(names)
        reader.fieldnames = names
        rows: list[tuple[int, Mapping[str, str]]] = [
            (reader.line_num, _plain(row)) for row in reader
        ]
    except csv.Error as error:
        raise BadFile(f"This is no CSV file: {error}.") from error
    rows = [(line, row) for line, row in rows if any(row.values())]
    if len(rows) > MOST_ROWS:
        raise BadFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")
    if not rows:
        raise BadFile("The file has a heading and no rows.")
    return rows


def written(rows: Sequence[tuple[int, Mapping[str, str]]]) -> str:
    """Rows that were read, as a file again: for a page that shows what they would do."""
    names = [name for name in (*COLUMNS, "erp_code") if any(name in row for _, row in rows)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    for _, row in rows:
        writer.writerow([f"'{row[name]}" if row.get(name) else "" for name in names])
    return text.getvalue()


@transaction.atomic
def take_in(
    migration: ConnectionMigration,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    *,
    version: int | None = None,
    actor: str,
    now: datetime,
) -> list[Result]:
    """Save the decisions of a file. A bad row is answered and stops no other.

    :param version: of the step, when somebody looked at what the file would do
    :raises StepNotCurrent: if somebody has worked on the step since
    """
    record = held(migration, Step.MAPPING, version=version)
    results = _taken(migration, rows, actor=actor, now=now)
    saved = sum(one.outcome is Outcome.SAVED for one in results)
    changed(record, now=now)
    text = f"Took {saved} decision{'' if saved == 1 else 's'} of the mapping from a CSV file."
    write_down(migration, Step.MAPPING, "import_mapping", text, actor=actor)
    return results


def preview(
    migration: ConnectionMigration,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    *,
    actor: str,
    now: datetime,
) -> list[Result]:
    """What taking the file in would answer. All of it is done and taken back at once, for a row may
    rest on another one.

    :raises Refused: if the migration has ended
    """
    with transaction.atomic():
        held(migration, Step.MAPPING)
        results = _taken(migration, rows, actor=actor, now=now)
        transaction.set_rollback(True)
    return results


def _taken(
    migration: ConnectionMigration,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    *,
    actor: str,
    now: datetime,
) -> list[Result]:
    known = _known(migration, [row for _, row in rows])
    results = [
        _take(migration, line, row, known, actor=actor, now=now)
        for line, row in _fields_first(rows)
    ]
    return sorted(results, key=lambda one: one.line)


def _take(
    migration: ConnectionMigration,
    line: int,
    row: Mapping[str, str],
    known: Mapping[tuple[str, str, str], OldRecord],
    *,
    actor: str,
    now: datetime,
) -> Result:
    old = known.get((row.get("kind", ""), row.get("old_field", ""), row.get("old_id", "")))
    if old is None:
        return Result(
            line,
            row.get("old_name") or row.get("old_id", ""),
            Outcome.REFUSED,
            "The old chart has no such record. Leave kind, old_field and old_id as they were"
            " downloaded.",
        )
    old.refresh_from_db()
    try:
        decision = _decision(migration, old, row)
        if decision is None:
            return Result(line, str(old), Outcome.UNCHANGED, "Nothing new is entered.")
        with transaction.atomic():
            after = write(migration, decision, actor=actor, now=now)
    except Refused as refused:
        return Result(line, str(old), Outcome.REFUSED, str(refused))
    to = after.erp_name or f"parked: {after.parked_because}"
    return Result(line, str(old), Outcome.SAVED, to)


def _decision(
    migration: ConnectionMigration, old: OldRecord, row: Mapping[str, str]
) -> Decision | None:
    erp_id, code = row.get("erp_id", ""), row.get("erp_code", "")
    because, shared = row.get("park_because", ""), row.get("share_because", "")
    if not erp_id and not code:
        is_new = because and (old.state != State.PARKED or because != old.parked_because)
        return Decision(old, because=because) if is_new else None
    if because:
        raise Refused(
            "It is mapped and parked at once. Empty erp_id and erp_code, or park_because."
        )
    if not erp_id:
        erp_id = _id_of(migration, old, code)
    if erp_id == old.erp_id and old.state in (State.MAPPED, State.MATCHED, State.SUGGESTED):
        return None
    return Decision(old, erp_id, "from a CSV file", shared)


def _id_of(migration: ConnectionMigration, old: OldRecord, code: str) -> str:
    field = ""
    if old.kind == Kind.OPTION:
        fields = OldRecord.objects.filter(
            migration=migration, kind=Kind.FIELD, old_id=old.field_old_id
        )
        field = fields.values_list("erp_id", flat=True).first() or ""
    found = targets.one(migration.connection, old.kind, code=code, field_erp_id=field)
    if found is None:
        raise Refused(
            f"{migration.connection.erp_name} has none, or several, with the code {code}."
            " Enter its id in erp_id."
        )
    return found.erp_id


def _known(
    migration: ConnectionMigration, rows: Sequence[Mapping[str, str]]
) -> dict[tuple[str, str, str], OldRecord]:
    found = OldRecord.objects.filter(
        migration=migration, old_id__in={row.get("old_id", "") for row in rows}
    )
    return {(one.kind, one.field_old_id, one.old_id): one for one in found}


def _fields_first(
    rows: Sequence[tuple[int, Mapping[str, str]]],
) -> Iterable[tuple[int, Mapping[str, str]]]:
    """Options need their field to be mapped."""
    return sorted(rows, key=lambda one: one[1].get("kind") == Kind.OPTION)


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _check(names: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if not set(_OTHERS) & set(names):
        missing.append("erp_id")
    if missing:
        raise BadFile(
            f"The first line names no column {' and no '.join(missing)}. Download the open ones to"
            " see a file as it should be."
        )


def _plain(row: Mapping[str, str | None]) -> dict[str, str]:
    """Without the apostrophe that keeps spreadsheets from running a cell."""
    cells = {name: (cell or "").replace("\0", "").strip() for name, cell in row.items() if name}
    return {name: cell[1:] if cell.startswith("'") else cell for name, cell in cells.items()}
