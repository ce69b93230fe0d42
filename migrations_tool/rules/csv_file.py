"""Rules from a spreadsheet: an answer for every row, and the good ones are kept."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db import transaction

from migrations_tool.models import ConnectionMigration, Rule
from migrations_tool.rules.services import Written, add, edit

MOST_BYTES = 500_000
MOST_ROWS = 1_000
COLUMNS = ("kind", "name", "what", "owner")
_NEEDED = ("kind", "name")
_LONGEST = {"name": 200, "what": 10_000, "owner": 150}
_KINDS: Mapping[str, str] = {
    word.casefold(): value for value, label in Rule.Kind.choices for word in (value, str(label))
}


class BadFile(Exception):
    """Nothing of the file can be read. The message is fit to show."""


class Outcome(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one row."""

    line: int
    name: str
    outcome: Outcome
    words: str = ""
    """Which column is wrong, and what to do."""


def read(data: bytes) -> list[tuple[int, dict[str, str]]]:
    """The rows with the number of the line each stands in; blank ones are left out.

    Commas, semicolons or tabs; UTF-8, Excel's UTF-16 or Western European.

    :raises BadFile: if it is too large, empty, or its columns are not there
    """
    if len(data) > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES // 1000} kB. Split it.")
    text = _decoded(data)
    header = text.partition("\n")[0]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=header.count))
    try:
        names = [cell.strip().casefold() for cell in next(lines, [])]
        if missing := [name for name in _NEEDED if name not in names]:
            raise BadFile(
                f"The first line names no column {' and no '.join(missing)}. It must have kind and"
                " name, and may have what and owner."
            )
        found = [
            (lines.line_num, _row(names, cells)) for cells in lines if any(map(str.strip, cells))
        ]
    except csv.Error as error:
        raise BadFile(f"This is no CSV file: {error}.") from error
    if not found:
        raise BadFile("The file has a heading and no rows.")
    if len(found) > MOST_ROWS:
        raise BadFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")
    return found


@transaction.atomic
def take_in(
    migration: ConnectionMigration,
    rows: Sequence[tuple[int, Mapping[str, str]]],
    *,
    people: Sequence[str],
    actor: str,
    now: datetime,
) -> list[Result]:
    """Add what is new and change what differs. Nothing is taken off the list.

    :raises Refused: if the migration has ended
    """
    known = {(one.kind, one.name): one for one in Rule.objects.filter(migration=migration)}
    results = []
    for line, row in rows:
        words = _fault(row, people)
        if words:
            results.append(Result(line, row["name"], Outcome.REFUSED, words))
            continue
        written = Written(_KINDS[row["kind"].casefold()], row["name"], row["what"], row["owner"])
        rule = known.get((written.kind, written.name))
        if rule is None:
            made = add(migration, written, actor=actor, now=now)
            known[(made.kind, made.name)] = made
            outcome = Outcome.ADDED
        else:
            is_other = edit(rule, _filled(written, rule), actor=actor, now=now)
            outcome = Outcome.CHANGED if is_other else Outcome.UNCHANGED
        results.append(Result(line, row["name"], outcome))
    return results


def _filled(written: Written, rule: Rule) -> Written:
    """An empty cell leaves what is there."""
    return Written(
        written.kind, written.name, written.what or rule.what, written.owner or rule.owner
    )


def _fault(row: Mapping[str, str], people: Sequence[str]) -> str:
    if not row["name"]:
        return "name is empty. Enter what the rule is called in Ramp."
    if row["kind"].casefold() not in _KINDS:
        kinds = ", ".join(str(label) for _, label in Rule.Kind.choices)
        return f"kind “{row['kind'][:40]}” is not known. Enter one of: {kinds}."
    for column, longest in _LONGEST.items():
        if len(row[column]) > longest:
            return f"{column} has more than {longest:,} characters. Shorten it."
    if row["owner"] and row["owner"] not in people:
        return f"owner: nobody is called {row['owner']} here. Leave it empty, or use a user name."
    return ""


def _row(names: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    found = {name: _plain(cell) for name, cell in zip(names, cells, strict=False)}
    return {name: found.get(name, "") for name in COLUMNS}


def _plain(cell: str) -> str:
    """Without the apostrophe that keeps a cell of ours from being a formula."""
    cell = cell.replace("\0", "").strip()
    return cell[1:] if cell.startswith("'") else cell


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")
