"""The chart counted on three sides: as the ERP lists it, as we keep it, and as Ramp lists it.

Each side is told by its own list, none by what we remember of the other two. Compared are the
records that can be chosen: their ids, names and codes.
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, cast

import orjson
from django.db.models import Q

from connections.erp.port import ErpAdapter
from connections.erp.records import Master, MasterKind, Page
from connections.mirror.conditions import MODELS, WANTED
from connections.mirror.diff import FIELD, OPTION, TAX_CODE, TAX_RATE, VENDOR
from connections.mirror.kinds import Columns
from connections.mirror.our_copy import SHELVES, Desk, KeptBack, NotHere
from connections.models import Connection, CustomField

Key = tuple[str, str]
"""A kind, and whose options they are by the ERP's id of the field; empty for all other kinds."""
Records = dict[Key, dict[str, tuple[str, str]]]
"""By the ERP's id, of the records that can be chosen: the name, and beside it the code; of a tax
rate how much it is, of a tax code which rates it has."""

MOST_SHOWN = 200
_MORE: Mapping[str, tuple[str, ...]] = {
    VENDOR: ("name_is_held", "ramp_name"),
    OPTION: ("field__erp_id",),
    TAX_RATE: ("rate",),
    TAX_CODE: ("rate_erp_ids",),
}
"""Columns of ours that are looked at beside id, name and code."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One record that the three sides do not have alike."""

    kind: str
    field: str
    erp_id: str
    name: str
    words: str


@dataclass(frozen=True, slots=True)
class Parity:
    """What came of counting. `counts` and `checksums` are per kind, options per field."""

    counts: Mapping[str, Mapping[str, int]]
    checksums: Mapping[str, Mapping[str, str]]
    differences: list[Difference]
    total: int
    """Of differences, more than are listed."""

    @property
    def is_given(self) -> bool:
        return not self.total

    @property
    def checksum(self) -> str:
        """Of all of it, as Ramp has it."""
        of_ramp = {name: sides["ramp"] for name, sides in self.checksums.items()}
        return hashlib.sha256(orjson.dumps(of_ramp, option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass
class Sides:
    """What was heard so far of a connection's chart."""

    connection: Connection
    kinds: Collection[str]
    erp: Records = field(default_factory=dict)
    ramp: Records = field(default_factory=dict)
    heard: int = 0
    """Records of Ramp's lists."""

    def overhear(self, erp: ErpAdapter) -> ErpAdapter:
        """The ERP, with every record that it lists counted on its way."""
        return cast(ErpAdapter, _Overheard(erp, self))

    def hear(self, kind: str, of_field: CustomField | None, shown: Columns) -> None:
        """A record of Ramp's list."""
        self.heard += 1
        if not shown["ramp_is_active"] or shown.get("ramp_is_hidden"):
            return
        known_as = shown["erp_id"] or f"without an id, {shown['ramp_id']}"
        key = (kind, of_field.erp_id if of_field else "")
        self.ramp.setdefault(key, {})[known_as] = (
            shown["ramp_name"],
            _beside_name(kind, lambda column: shown[f"ramp_{column}"]),
        )

    def compare(self) -> Parity:
        """All three sides against each other, from the records heard and our rows as they are."""
        ours = {key: records for kind in self.kinds for key, records in self._ours(kind).items()}
        counts, checksums = {}, {}
        differences: list[Difference] = []
        for key in sorted({*ours, *self.erp, *self.ramp}):
            sides = {
                "erp": self.erp.get(key, {}),
                "ours": ours.get(key, {}),
                "ramp": self.ramp.get(key, {}),
            }
            name = " of ".join(part for part in key if part)
            counts[name] = {side: len(records) for side, records in sides.items()}
            checksums[name] = {side: _checksum(records) for side, records in sides.items()}
            if len(set(checksums[name].values())) > 1:
                differences += self._differences(key, sides)
        return Parity(counts, checksums, differences[:MOST_SHOWN], len(differences))

    def _ours(self, kind: str) -> Records:
        rows = MODELS[kind].objects.filter(WANTED[kind], connection=self.connection)
        found: Records = {(kind, ""): {}} if kind != OPTION else {}
        if kind == OPTION:
            rows = rows.filter(field__is_active=True, field__gone_at=None)
        for row in rows.values("erp_id", "name", "code", *_MORE.get(kind, ())).iterator():
            key = (kind, row.get("field__erp_id", ""))
            name = row["ramp_name"] if row.get("name_is_held") and row["ramp_name"] else row["name"]
            beside = _beside_name(kind, row.__getitem__)
            found.setdefault(key, {})[row["erp_id"]] = (name, beside)
        return found

    def _differences(
        self, key: Key, sides: Mapping[str, Mapping[str, tuple[str, str]]]
    ) -> list[Difference]:
        erp, ours, ramp = sides["erp"], sides["ours"], sides["ramp"]
        ids = sorted({*erp, *ours, *ramp})
        unlike = [one for one in ids if not erp.get(one) == ours.get(one) == ramp.get(one)]
        refusals = self._refusals(key, [one for one in unlike if one not in ramp][:MOST_SHOWN])
        return [
            Difference(
                key[0],
                key[1],
                one,
                _label(ours.get(one) or erp.get(one) or ramp[one]),
                _words(erp.get(one), ours.get(one), ramp.get(one), refusals.get(one, "")),
            )
            for one in unlike
        ]

    def _refusals(self, key: Key, erp_ids: Collection[str]) -> dict[str, str]:
        kind, of_field = key
        rows = MODELS[kind].objects.filter(connection=self.connection, erp_id__in=erp_ids)
        if kind == OPTION:
            rows = rows.filter(field__erp_id=of_field)
        refused = rows.filter(~Q(refusal="")).values_list("erp_id", "refusal", "refusal_field")
        return {erp_id: f"{words} ({of})" if of else words for erp_id, words, of in refused}


class _Overheard:
    """An ERP whose lists are counted while somebody else reads them."""

    def __init__(self, erp: ErpAdapter, sides: Sides) -> None:
        self._erp = erp
        self._sides = sides

    def changes(self, kind: MasterKind, cursor: str | None) -> Iterator[Page]:
        desk: Desk | None = None
        for page in self._erp.changes(kind, cursor):
            desk = desk or self._desk(kind)  # fields are listed, and kept, before their options
            for master in page.items:
                self._count(kind, master, desk)
            yield page

    def _count(self, kind: MasterKind, master: Master, desk: Desk) -> None:
        for shelf in SHELVES[kind]:
            if shelf.name not in self._sides.kinds:
                continue
            try:
                row = shelf.candidate(master, desk).row
            except (KeptBack, NotHere):
                continue
            if _is_wanted(shelf.name, row, self._sides.erp.get((FIELD, ""), {}), master.parent):
                key = (shelf.name, master.parent if shelf.name == OPTION else "")
                beside = _beside_name(shelf.name, row.__getattribute__)
                self._sides.erp.setdefault(key, {})[row.erp_id] = (row.name, beside)

    def _desk(self, kind: MasterKind) -> Desk:
        connection = self._sides.connection
        fields = CustomField.objects.filter(connection=connection)
        is_of_fields = kind == MasterKind.DIMENSION_VALUE
        return Desk(connection, dict(fields.values_list("erp_id", "pk")) if is_of_fields else {})


def _beside_name(kind: str, column: Callable[[str], Any]) -> str:
    """What of a record is compared beside its name, as Ramp can hold it: a field has no code."""
    match kind:
        case "account" | "option" | "vendor":
            return str(column("code"))
        case "tax_rate":
            return f"{Decimal(column('rate')).normalize():f}"
        case "tax_code":
            return ", ".join(sorted(column("rate_erp_ids")))
        case _:
            return ""


def _is_wanted(kind: str, row: Any, fields: Collection[str], parent: str) -> bool:
    """As `conditions.WANTED` has it of rows, here of records that are none yet."""
    match kind:
        case "account":
            return bool(row.is_active and row.is_postable)
        case "vendor":
            return bool(row.is_active and not row.merged_into)
        case "option":
            return bool(row.is_active and parent in fields)
        case _:
            return bool(row.is_active)


def _checksum(records: Mapping[str, tuple[str, str]]) -> str:
    """Over id, name, code and that it can be chosen; in whatever order they came."""
    lines = [[erp_id, name, code, True] for erp_id, (name, code) in sorted(records.items())]
    return hashlib.sha256(orjson.dumps(lines)).hexdigest()


def _label(record: tuple[str, str]) -> str:
    name, code = record
    return f"{code} {name}".strip()


def _words(
    erp: tuple[str, str] | None,
    ours: tuple[str, str] | None,
    ramp: tuple[str, str] | None,
    refusal: str,
) -> str:
    if ours is None and ramp is not None:
        return f"Ramp offers “{_label(ramp)}”, and the ERP does not have it."
    if ours != erp:
        return "The ERP lists it otherwise than it was read. Check again."
    if ramp is None:
        return refusal or "It is not in Ramp yet. Apply this step."
    return f"Ramp has it as “{_label(ramp)}”. Apply this step."
