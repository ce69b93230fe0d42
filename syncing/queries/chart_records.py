"""The chart as it is mirrored, both sides of each record: is account 6200 in Ramp, and as what?"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connections.models import ReferenceKind
from connections.models.match_key import MatchKey
from connections.queries import REFERENCE_TABLES, WANTED
from syncing.queries.words import Look
from syncing.statements import rows, storable

PAGE_SIZE = 50
_HAVE_CODES = {ReferenceKind.ACCOUNT, ReferenceKind.OPTION, ReferenceKind.VENDOR}
_RANKS = {kind: rank for rank, kind in enumerate(REFERENCE_TABLES)}


@dataclass(frozen=True, slots=True)
class After:
    """The last row of a page: the next page starts below it."""

    rank: int
    pk: int
    sort: str

    def __str__(self) -> str:
        return f"{self.rank}~{self.pk}~{self.sort}"

    @classmethod
    def parse(cls, text: str) -> "After | None":
        """Read it from a URL; None for anything that is not one."""
        try:
            rank, pk, sort = text.split("~", 2)
            return cls(int(rank), int(pk), storable(sort))
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the chart: the ERP's side, and what Ramp last confirmed."""

    kind: str
    pk: int
    sort: str
    erp_id: str
    name: str
    code: str
    is_active: bool
    is_wanted: bool
    gone_at: datetime | None
    ramp_id: uuid.UUID | None
    ramp_name: str
    ramp_code: str
    ramp_is_active: bool
    ramp_is_hidden: bool
    ramp_confirmed_at: datetime | None
    refusal: str
    refusal_field: str
    field_pk: int | None
    field_name: str
    field_erp_id: str
    merged_into: str

    @property
    def kind_label(self) -> str:
        return str(ReferenceKind(self.kind).label)

    @property
    def noun(self) -> str:
        """Its kind, within a sentence."""
        return self.kind_label if self.kind == ReferenceKind.ACCOUNT else self.kind_label.lower()

    @property
    def title(self) -> str:
        return f"{self.code} {self.name}".strip()

    @property
    def in_erp(self) -> Look:
        """How it stands on the ERP's side."""
        if self.gone_at:
            return Look("Gone", "neutral", "ban", "Complete lists of the ERP no longer have it.")
        if self.merged_into:
            return Look("Merged", "neutral", "ban", "The ERP has merged it into another one.")
        if not self.is_active:
            return Look("Closed", "neutral", "ban", "The ERP no longer lets anybody use it.")
        if not self.is_wanted:
            return Look("Heading", "neutral", "list", "Nothing can be posted on it.")
        return Look("Active", "done", "circle-check")

    @property
    def in_ramp(self) -> Look:
        """How it stands in Ramp."""
        if self.ramp_id is None:
            return Look("Not in Ramp", "neutral", "circle-dashed")
        if not self.ramp_is_active:
            return Look("Inactive", "neutral", "ban", "What is coded with it cannot be synced.")
        if self.ramp_is_hidden:
            return Look("Hidden", "neutral", "circle-slash", "Not to be chosen; history syncs.")
        return Look("Active", "done", "circle-check")

    @property
    def is_renamed(self) -> bool:
        """Whether Ramp knows it by another name or code than the ERP has now."""
        if self.ramp_id is None:
            return False
        codes_differ = self.kind in _HAVE_CODES and self.ramp_code != self.code
        return codes_differ or self.ramp_name not in ("", self.name)


@dataclass(frozen=True, slots=True)
class Records:
    """One page of records, and where the next one starts if there is one."""

    rows: Sequence[Record]
    next: After | None
    is_first: bool


def records(
    connection_id: uuid.UUID,
    *,
    kind: str = "",
    text: str = "",
    erp_id: str | None = None,
    field_erp_id: str | None = None,
    only_refused: bool = False,
    after: After | None = None,
    size: int = PAGE_SIZE,
) -> Records:
    """One page of a customer's chart, kind by kind. One statement.

    :param text: a part of either side's name, the beginning of a code, or an id of either side
    :param erp_id: the one id that is looked for
    :param field_erp_id: the field that options are of
    :param only_refused: only what Ramp, or we, refuse to have in Ramp
    """
    kinds = [kind] if kind in _RANKS else list(_RANKS)
    branches = [_branch(one, after) for one in kinds if after is None or _RANKS[one] >= after.rank]
    if not branches:
        return Records((), None, is_first=after is None)
    each = " UNION ALL ".join(branches)
    found = [
        Record(*row[1:])
        for row in rows(
            f"SELECT * FROM ({each}) AS kinds ORDER BY rank, sort, pk LIMIT %(size)s",  # noqa: S608
            {
                "connection": connection_id,
                "size": size + 1,
                "erp_id": erp_id,
                "field": field_erp_id,
                "only_refused": only_refused,
                **_matching(text),
                **({"after_sort": after.sort, "after_pk": after.pk} if after else {}),
            },
        )
    ]
    page = found[:size]
    last = page[-1] if len(found) > size else None
    return Records(
        page,
        After(_RANKS[last.kind], last.pk, last.sort) if last else None,
        is_first=after is None,
    )


def record(
    connection_id: uuid.UUID, *, kind: str, erp_id: str, field_erp_id: str = ""
) -> Record | None:
    """One record of the chart, if there is such a one. One statement."""
    if kind not in _RANKS:
        return None
    found = records(
        connection_id,
        kind=kind,
        erp_id=storable(erp_id),
        field_erp_id=storable(field_erp_id) if kind == ReferenceKind.OPTION else None,
        size=1,
    )
    return found.rows[0] if found.rows else None


def _matching(text: str) -> Mapping[str, Any]:
    text = storable(text.strip())
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    try:
        ramp_id = uuid.UUID(text)
    except ValueError:
        ramp_id = None
    return {
        "text": text,
        "inside": f"%{escaped}%",
        "inside_upper": f"%{escaped.upper()}%",
        "start": f"{escaped}%",
        "start_upper": f"{escaped.upper()}%",
        "ramp_id": ramp_id,
        "searched": bool(text),
    }


_KEY_OF_TEXT = "SELECT " + MatchKey.template.replace("%(expressions)s", "%(text)s::text")
_OWN_COLUMNS: Mapping[str, Mapping[str, str]] = {
    ReferenceKind.VENDOR: {"merged_into": "r.merged_into"},
    ReferenceKind.OPTION: {
        "hidden": "r.ramp_is_hidden",
        "field": "f.id, f.name, f.erp_id",
        "join": "JOIN connections_customfield f ON f.id = r.field_id",
        "of": "AND (%(field)s::text IS NULL OR f.erp_id = %(field)s)",
    },
}
_FOUND_ELSEWHERE = (
    "upper(r.name) LIKE %(inside_upper)s OR upper(r.ramp_name) LIKE %(inside_upper)s"
    " OR upper(r.code) LIKE %(start_upper)s"
)
_FOUND = {
    # Changing the case of 50,000 names takes half a second: names are compared by their stored key.
    ReferenceKind.VENDOR: (
        "(r.ramp_name <> r.name AND r.ramp_name LIKE %(inside)s)"
        " OR r.code LIKE %(start)s OR r.code LIKE %(start_upper)s"
        f" OR r.match_key LIKE '%%' || nullif(({_KEY_OF_TEXT}), '') || '%%'"
    )
}
_SORT = {ReferenceKind.ACCOUNT: "r.code"}


def _branch(kind: str, after: After | None) -> str:
    """What one kind adds to the page; its own beginning only, so that no table is read whole."""
    own = _OWN_COLUMNS.get(kind, {})
    sort = _SORT.get(ReferenceKind(kind), "r.name")
    beyond = (
        f"AND ({sort}, r.id) > (%(after_sort)s, %(after_pk)s)"
        if after and _RANKS[kind] == after.rank
        else ""
    )
    return f"""(
        SELECT {_RANKS[kind]} AS rank, '{kind}' AS kind, r.id AS pk, {sort} AS sort, r.erp_id,
            r.name, r.code, r.is_active, {WANTED[kind]}, r.gone_at, r.ramp_id, r.ramp_name,
            r.ramp_code, r.ramp_is_active, {own.get("hidden", "false")}, r.ramp_confirmed_at,
            r.refusal, r.refusal_field, {own.get("field", "NULL::bigint, '', ''")},
            {own.get("merged_into", "''")}
        FROM {REFERENCE_TABLES[kind]} r {own.get("join", "")}
        WHERE r.connection_id = %(connection)s {own.get("of", "")} {beyond}
            AND (%(erp_id)s::text IS NULL OR r.erp_id = %(erp_id)s)
            AND (NOT %(only_refused)s OR r.refusal <> '')
            AND (NOT %(searched)s OR r.erp_id = %(text)s OR r.ramp_id = %(ramp_id)s
                OR {_FOUND.get(ReferenceKind(kind), _FOUND_ELSEWHERE)})
        ORDER BY sort, r.id LIMIT %(size)s
    )"""  # noqa: S608  constants of this program
