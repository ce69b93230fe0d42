"""What rows of a file would change in the book: an answer for every row, and nothing saved yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from connections.mapping_book import lines, records, targets
from connections.mapping_book.changes import Change, Key, Problem
from connections.mapping_book.csv_file import Row
from connections.models import (
    Connection,
    Entity,
    FieldOption,
    LedgerAccount,
    MappingKind,
    TaxCode,
    Vendor,
)
from connections.models import Mapping as MappingRow

_K = MappingKind

REMOVE = "-"
"""In erp_id: take the line out of the book. An empty cell leaves it as it is."""

LONGEST = {"ramp_id": 200, "ramp_name": 300, "erp_id": 100, "field": 100, "reason": 300}


class Outcome(StrEnum):
    """What becomes of a row."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of one row, and if it is refused, the column and the fix."""

    number: int
    row: Row
    outcome: Outcome
    field: str = ""
    words: str = ""
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Import:
    """The answer to a whole file."""

    results: Sequence[Result]

    @property
    def changes(self) -> list[Change]:
        """What can be saved."""
        return [
            one.change for one in self.results if one.change and one.outcome == Outcome.ACCEPTED
        ]

    def count(self, outcome: str) -> int:
        return sum(one.outcome == outcome for one in self.results)


def plan(connection: Connection, rows: Sequence[tuple[int, Row]]) -> Import:
    """Look at every row, against the book and the ERP's records as they are now."""
    desk = _Desk(connection, [row for _, row in rows])
    read = [(number, row, desk.change(row)) for number, row in rows]
    changes = [one for _, _, one in read if isinstance(one, Change)]
    standing = lines.standing(connection, [one.key for one in changes])
    moved = [one for one in changes if standing.get(one.key, "") != one.after]
    problems = {id(one.change): one for one in targets.problems(connection, moved)}
    return Import([_result(number, row, one, standing, problems) for number, row, one in read])


def exported(connection: Connection) -> Iterable[Row]:
    """Every line of the book as a row of the file, by kind and name."""
    book = lines.everything(connection)
    entities = {
        str(ramp_id): name
        for ramp_id, name in Entity.objects.filter(connection=connection).values_list(
            "ramp_id", "name"
        )
    }
    said = {
        lines.key_of(row): row
        for row in MappingRow.objects.filter(connection=connection).select_related("entity")
    }
    names = records.named(connection, {(key.kind, key.field, to) for key, to in book.items()})
    for key, erp_id in sorted(book.items()):
        own, record = said.get(key), names.get((key.kind, key.field, erp_id))
        yield Row(
            kind=key.kind,
            entity=key.entity,
            field=key.field,
            ramp_id=key.external_id,
            ramp_name=own.ramp_name if own else entities.get(key.external_id, ""),
            erp_id=erp_id,
            erp_code=record.code if record else "",
            erp_name=record.name if record else "",
            reason=own.reason if own else "",
        )


def _result(
    number: int,
    row: Row,
    read: Change | Problem | None,
    standing: Mapping[Key, str],
    problems: Mapping[int, Problem],
) -> Result:
    if read is None:
        return Result(number, row, Outcome.UNCHANGED, words="No ERP record is entered.")
    if isinstance(read, Problem):
        return Result(number, row, Outcome.REFUSED, read.field, str(read))
    if problem := problems.get(id(read)):
        return Result(number, row, Outcome.REFUSED, problem.field, str(problem))
    if standing.get(read.key, "") == read.after:
        return Result(number, row, Outcome.UNCHANGED, words="It is so already.")
    return Result(number, row, Outcome.ACCEPTED, change=read)


class _Desk:
    """Understands cells: kinds and entities by id or name, records by id or code."""

    def __init__(self, connection: Connection, rows: Sequence[Row]) -> None:
        self._erp = connection.erp_name
        self._kinds = {kind.value: kind for kind in MappingKind} | {
            str(kind.label).casefold(): kind for kind in MappingKind
        }
        self._entities: dict[str, str] = {}
        for ramp_id, name in Entity.objects.filter(connection=connection).values_list(
            "ramp_id", "name"
        ):
            self._entities |= {str(ramp_id): str(ramp_id), name.casefold(): str(ramp_id)}
        self._by_code = _by_code(connection, {row.erp_code for row in rows if not row.erp_id})

    def change(self, row: Row) -> Change | Problem | None:
        """What a row asks for; None if it asks for nothing."""
        kind = self._kinds.get(row.kind.casefold())
        blank = Change(kind or MappingKind.GL_ACCOUNT, row.ramp_id, row.erp_id)
        if kind is None:
            known = ", ".join(MappingKind.values)
            title = f"“{row.kind[:60]}” is no kind of mapping."
            return Problem(blank, "kind", title, f"Use one of {known}.")
        if column := row.rewritten:
            title = f"A spreadsheet has turned the id in {column} into a number."
            return Problem(blank, column, title, "Format the column as text and enter it again.")
        for column, longest in LONGEST.items():
            if len(getattr(row, column)) > longest:
                title = f"{column} has more than {longest} characters."
                return Problem(blank, column, title, "Shorten it.")
        entity = self._entities.get(row.entity.casefold(), "")
        if row.entity and not entity:
            title = f"There is no entity called {row.entity[:60]}."
            return Problem(blank, "entity", title, "Enter the name or the id that Ramp shows.")
        after = "" if row.erp_id == REMOVE else row.erp_id
        if not row.erp_id:
            if not row.erp_code:
                return None
            found = self._by_code.get((kind, row.field, row.erp_code.casefold()), set())
            if len(found) != 1:
                how = "has no record" if not found else "has several records"
                title = f"{self._erp} {how} with the code {row.erp_code[:60]}."
                return Problem(blank, "erp_code", title, "Enter the record's id in erp_id.")
            (after,) = found
        return Change(
            kind,
            row.ramp_id,
            after,
            entity_ramp_id="" if kind == MappingKind.ENTITY else entity,
            field_erp_id=row.field if kind == MappingKind.FIELD_OPTION else "",
            ramp_name=row.ramp_name,
            reason=row.reason,
        )


def _by_code(connection: Connection, codes: Iterable[str]) -> dict[tuple[str, str, str], set[str]]:
    """ERP ids by kind, field and folded code. Nothing is read if no row needs it."""
    wanted = sorted({code for code in codes if code})
    found: dict[tuple[str, str, str], set[str]] = {}
    if not wanted:
        return found
    chosen = {"connection": connection, "code__in": wanted, "is_active": True, "gone_at": None}
    listed: list[tuple[str, str, str, str]] = []
    for code, erp_id in LedgerAccount.objects.filter(**chosen).values_list("code", "erp_id"):
        listed += [(kind, "", code, erp_id) for kind in (_K.GL_ACCOUNT, _K.PROFILE)]
    options = FieldOption.objects.filter(**chosen)
    for code, erp_id, field in options.values_list("code", "erp_id", "field__erp_id"):
        listed.append((_K.FIELD_OPTION, field, code, erp_id))
    for code, erp_id in Vendor.objects.filter(**chosen).values_list("code", "erp_id"):
        listed.append((_K.VENDOR, "", code, erp_id))
    for code, erp_id in TaxCode.objects.filter(**chosen).values_list("code", "erp_id"):
        listed.append((_K.TAX_CODE, "", code, erp_id))
    for kind, field, code, erp_id in listed:
        found.setdefault((kind, field, code.casefold()), set()).add(erp_id)
    return found
