"""Find what takes the place of each old record: matched, suggested with a reason, or not at all.

What a person has decided is left alone, unless the ERP has lost what it leads to.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from connections.mapping_book.suggestions import Candidate, Coding, Suggester
from connections.models import Connection
from migrations_tool.models import ConnectionMigration, OldRecord
from migrations_tool.old_chart import targets
from migrations_tool.old_chart.labels import key_of

Kind, State = OldRecord.Kind, OldRecord.State
LEAST = 60
"""In per cent: what is less sure than that is not even suggested."""
_COLUMNS = ("state", "erp_id", "field_erp_id", "erp_name", "evidence", "decided_by", "decided_at")
_AT_ONCE = 500
_FIELD_FIRST = "Map its field first."
_LOST = "no longer has"

Told = Callable[[int, int, str], None]
"""Is called with how many of how many records were looked at, and which."""


def _silent(_done: int, _of: int, _doing: str) -> None:
    """Nobody wants to know how far it is."""


@dataclass(frozen=True, slots=True)
class _Shelf:
    """The ERP's records of one kind, or of one field."""

    field_erp_id: str
    by_label: Mapping[tuple[str, str], Sequence[Candidate]]
    """By code and name, compared as `labels.is_alike` does: thousands may share a name."""
    suggester: Suggester


def match_all(migration: ConnectionMigration, *, told: Told = _silent) -> None:
    """Match and suggest for all records that nobody has decided about; fields before options."""
    drop_lost(migration)
    undecided = OldRecord.objects.filter(migration=migration, decided_by="")
    whole, done = undecided.count(), 0
    for kind in (Kind.ACCOUNT, Kind.TAX_CODE, Kind.VENDOR, Kind.FIELD):
        rows = undecided.filter(kind=kind).order_by("pk")
        shelf: _Shelf | None = None
        for chunk in _chunks(rows):
            shelf = shelf or _shelf(migration.connection, kind)
            _match(chunk, shelf)
            done += len(chunk)
            told(done, whole, f"Matching: {kind.label.lower()}s.")
    for field in OldRecord.objects.filter(migration=migration, kind=Kind.FIELD).order_by("pk"):
        done += match_options(field)
        told(done, whole, f"Matching: options of {field.name}.")


def match_options(field: OldRecord) -> int:
    """Match the options of one old field with those of the field that takes its place.

    :returns: how many nobody had decided about
    """
    migration = field.migration
    options = OldRecord.objects.filter(
        migration=migration, kind=Kind.OPTION, field_old_id=field.old_id, decided_by=""
    ).order_by("pk")
    done = 0
    shelf = _shelf(migration.connection, Kind.OPTION, field.erp_id) if field.erp_id else None
    for chunk in _chunks(options):
        if shelf is None:
            _forget(chunk, _FIELD_FIRST)
        else:
            _match(chunk, shelf)
        done += len(chunk)
    return done


def drop_lost(migration: ConnectionMigration) -> int:
    """Take back what leads to a record that the ERP has closed or no longer has.

    :returns: how many that were
    """
    lost = 0
    for kind in Kind:
        rows = OldRecord.objects.filter(migration=migration, kind=kind).exclude(erp_id="")
        wanted = set(rows.values_list("field_erp_id", "erp_id"))
        if kind != Kind.OPTION:
            wanted = {("", erp_id) for _, erp_id in wanted}
        gone = wanted - targets.still_usable(migration.connection, kind, wanted)
        if not gone:
            continue
        for row in rows.filter(erp_id__in={erp_id for _, erp_id in gone}):
            if (row.field_erp_id, row.erp_id) in gone:
                row.evidence = f"{migration.connection.erp_name} {_LOST} {row.erp_name}."[:200]
                row.state, row.erp_id, row.field_erp_id, row.erp_name = State.UNMAPPED, "", "", ""
                row.decided_by, row.decided_at = "", None
                row.save(update_fields=_COLUMNS)
                lost += 1
    return lost


def _shelf(connection: Connection, kind: str, field_erp_id: str = "") -> _Shelf:
    found = targets.candidates(connection, kind, field_erp_id)
    by_label: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for one in found:
        by_label[key_of(one.code, one.name)].append(one)
    return _Shelf(field_erp_id, by_label, Suggester(found))


def _match(rows: Sequence[OldRecord], shelf: _Shelf) -> None:
    changed = []
    for row in rows:
        before = _standing(row)
        _look_up(row, shelf)
        if _standing(row) != before:
            changed.append(row)
    OldRecord.objects.bulk_update(changed, _COLUMNS, batch_size=_AT_ONCE)


def _forget(rows: Sequence[OldRecord], why: str) -> None:
    changed = []
    for row in rows:
        before = _standing(row)
        _lead(row, State.UNMAPPED, None, "", why)
        if _standing(row) != before:
            changed.append(row)
    OldRecord.objects.bulk_update(changed, _COLUMNS, batch_size=_AT_ONCE)


def _look_up(row: OldRecord, shelf: _Shelf) -> None:
    same = shelf.by_label.get(key_of(row.code, row.name), ())
    if len(same) == 1:
        why = "same code and name" if row.code else "same name"
        _lead(row, State.MATCHED, same[0], shelf.field_erp_id, why)
        return
    # The old id is another program's number: as a code it would only match by chance.
    best = shelf.suggester.suggest(Coding("", row.name, row.code), limit=1)
    if best and best[0].confidence >= LEAST:
        why = f"{best[0].reason} · {best[0].confidence} %"
        _lead(row, State.SUGGESTED, best[0].candidate, shelf.field_erp_id, why)
    else:
        _lead(row, State.UNMAPPED, None, "", row.evidence if _LOST in row.evidence else "")


def _lead(
    row: OldRecord, state: OldRecord.State, to: Candidate | None, field_erp_id: str, why: str
) -> None:
    row.state = state
    row.erp_id = to.erp_id if to else ""
    row.erp_name = str(to)[:400] if to else ""
    row.field_erp_id = field_erp_id if to else ""
    row.evidence = why[:200]


def _standing(row: OldRecord) -> tuple[str, ...]:
    return row.state, row.erp_id, row.field_erp_id, row.erp_name, row.evidence


def _chunks(rows: QuerySet[OldRecord]) -> Iterator[list[OldRecord]]:
    """By primary key, so that a chunk may be written while the next one is read."""
    last = 0
    while chunk := list(rows.filter(pk__gt=last)[:_AT_ONCE]):
        yield chunk
        last = chunk[-1].pk
