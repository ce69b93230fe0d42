"""Bring our copy up to the ERP's chart: whole lists, or what changed since."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models import Q

from connections.erp.errors import Code, ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import Master, MasterKind
from connections.erp.refusals import refusal
from connections.mirror.our_copy import (
    SHELVES,
    Candidate,
    ComesLater,
    Desk,
    KeptBack,
    NotHere,
    Shelf,
    Unfit,
)
from connections.models import Connection, CustomField, Mirror
from connections.models.reference import Reference

Seen = dict[str, dict[str, int]]
"""Per table ("account", "vendor", "field", "option", "tax_rate", "tax_code", "entity"): how many
records were "read", are "new", "changed" or "gone", and how many were "kept_back"."""

_MANY = 10
"""So many records do not vanish from an ERP at once, down to the last one."""
_logger = logging.getLogger(__name__)


def read_erp(
    connection: Connection,
    erp: ErpAdapter,
    *,
    full: bool,
    keep: Callable[[], None] = lambda: None,
) -> Seen:
    """Read what changed in the ERP since the last time, or with `full` all of it.

    Pages are kept as they come; what did not change is not written. Only a whole list that came to
    its end tells what is gone (M5). A list that breaks off leaves its cursor where it was, so the
    next read begins there again; what was read of it until then is kept, and so are the lists
    before it.

    :param keep: called before each page is kept; what it raises ends the reading
    :raises ErpError: when the ERP breaks off, or what it lists cannot be true
    """
    cursors = _cursors(connection)
    seen: Seen = {}
    for kind, shelves in SHELVES.items():
        walk = _Walk(connection, kind, shelves, keep)
        try:
            walk.read(erp, None if full else cursors.get(kind))
        finally:
            seen |= walk.seen
    return seen


@dataclass
class _Walk:
    """One list of the ERP, read to its end."""

    connection: Connection
    kind: MasterKind
    shelves: Sequence[Shelf]
    keep: Callable[[], None]
    seen: Seen = field(init=False)

    def __post_init__(self) -> None:
        zero = ("read", "new", "changed", "gone", "kept_back")
        self.seen = {shelf.name: dict.fromkeys(zero, 0) for shelf in self.shelves}
        self._desk = Desk(self.connection, _fields(self.connection, self.kind))
        self._met: dict[str, set[tuple[Any, ...]]] = {shelf.name: set() for shelf in self.shelves}
        self._kept_back: set[str] = set()
        self._must_repeat = False

    def read(self, erp: ErpAdapter, cursor: str | None) -> None:
        for page in erp.changes(self.kind, cursor):
            self.keep()
            for shelf in self.shelves:
                self._keep_page(shelf, page.items)
            if page.complete:
                self._finish(page.cursor, is_whole=page.snapshot)
                return
        raise _ended_early(self.kind)

    def _keep_page(self, shelf: Shelf, masters: Iterable[Master]) -> None:
        seen = self.seen[shelf.name]
        wanted: dict[tuple[Any, ...], Candidate] = {}
        leavers: list[str] = []
        for master in masters:
            try:
                candidate = shelf.candidate(master, self._desk)
            except NotHere as why:
                leavers.append(master.id)
                if isinstance(why, Unfit):
                    self._say_kept_back(shelf, master, why)
            except KeptBack as why:
                self._kept_back.add(master.id)
                self._must_repeat |= isinstance(why, ComesLater)
                self._say_kept_back(shelf, master, why)
            else:
                seen["read"] += 1
                wanted[shelf.key(candidate.row)] = candidate
        self._met[shelf.name].update(wanted)
        _write(shelf, self._known(shelf, wanted), wanted, seen)
        seen["gone"] += self._say_gone(shelf, erp_id__in=leavers) if leavers else 0

    def _say_kept_back(self, shelf: Shelf, master: Master, why: Exception) -> None:
        self.seen[shelf.name]["kept_back"] += 1
        _logger.warning("%s %s is kept back: %s", shelf.name, master.id, why)

    def _known(
        self, shelf: Shelf, wanted: Mapping[tuple[Any, ...], Candidate]
    ) -> dict[tuple[Any, ...], Any]:
        erp_ids = [candidate.row.erp_id for candidate in wanted.values()]
        rows = shelf.model.objects.filter(connection=self.connection, erp_id__in=erp_ids)
        return {shelf.key(row): row for row in rows}

    def _finish(self, cursor: str, *, is_whole: bool) -> None:
        """What is absent from a whole list is gone; only then the next read may begin later."""
        with transaction.atomic():
            if is_whole:
                for shelf in self.shelves:
                    self.seen[shelf.name]["gone"] += self._drop_absent(shelf)
            if not self._must_repeat:
                _move_cursor(self.connection, self.kind, cursor)

    def _drop_absent(self, shelf: Shelf) -> int:
        """:raises ErpError: if many would be gone, and nothing is left"""
        met = self._met[shelf.name]
        present = shelf.model.objects.filter(connection=self.connection, **shelf.present)
        absent = [
            pk
            for pk, erp_id, *key in present.values_list("pk", "erp_id", *shelf.identity)
            if tuple(key) not in met and erp_id not in self._kept_back
        ]
        if not met and len(absent) >= _MANY:
            raise _listed_nothing(self.kind, len(absent))
        return self._say_gone(shelf, pk__in=absent) if absent else 0

    def _say_gone(self, shelf: Shelf, **which: Any) -> int:
        present = Q(connection=self.connection, **shelf.present, **which)
        return int(shelf.model.objects.filter(present).update(**shelf.gone))


def _write(
    shelf: Shelf,
    known: Mapping[tuple[Any, ...], Any],
    wanted: Mapping[tuple[Any, ...], Candidate],
    seen: dict[str, int],
) -> None:
    """One statement for all rows of a page that are not yet as the ERP has them."""
    rows = []
    for key, candidate in wanted.items():
        old, row = known.get(key), candidate.row
        if old is None:
            seen["new"] += 1
        else:
            other = [name for name in shelf.columns if getattr(old, name) != getattr(row, name)]
            if not other:
                continue
            if all(getattr(old, name) in candidate.aliases for name in other):
                row.changed_at = old.changed_at  # the same digest, under a newer key
            else:
                seen["changed"] += 1
        rows.append(row)
    stamps = ("changed_at", "updated_at") if issubclass(shelf.model, Reference) else ()
    shelf.model.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=list(shelf.identity),
        update_fields=[*shelf.columns, *stamps],
    )


def _fields(connection: Connection, kind: MasterKind) -> dict[str, int]:
    if kind != MasterKind.DIMENSION_VALUE:
        return {}
    return dict(CustomField.objects.filter(connection=connection).values_list("erp_id", "pk"))


def _cursors(connection: Connection) -> dict[str, str]:
    found = Mirror.objects.filter(connection=connection).values_list("cursors", flat=True).first()
    return found or {}


def _move_cursor(connection: Connection, kind: MasterKind, cursor: str) -> None:
    mirror, _ = Mirror.objects.get_or_create(connection=connection)
    if cursor and mirror.cursors.get(kind) != cursor:
        mirror.cursors = mirror.cursors | {kind.value: cursor}
        mirror.save(update_fields=["cursors"])


def _ended_early(kind: MasterKind) -> ErpError:
    error = refusal(Code.UNKNOWN, erp="the ERP")
    error.title = f"The ERP's list of {_NAMES[kind]} broke off before its end."
    error.fix = "It is read again a little later. Contact us if it goes on."
    return error


def _listed_nothing(kind: MasterKind, known: int) -> ErpError:
    error = refusal(Code.FORBIDDEN, erp="the ERP")
    error.title = f"The ERP listed no {_NAMES[kind]} at all, where there were {known}."
    error.fix = "Nothing was taken as deleted. See in the ERP whether our user may still read them."
    return error


_NAMES: Mapping[MasterKind, str] = {
    MasterKind.ENTITY: "companies",
    MasterKind.ACCOUNT: "accounts",
    MasterKind.DIMENSION: "departments and other dimensions",
    MasterKind.DIMENSION_VALUE: "values of dimensions",
    MasterKind.VENDOR: "vendors",
    MasterKind.TAX_CODE: "tax codes",
}
