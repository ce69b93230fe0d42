"""What Ramp has, in the `ramp_*` columns of our rows: one statement for up to a batch of them."""

import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import Any

import orjson

from connections.mirror.conditions import MODELS
from connections.mirror.diff import KINDS
from connections.mirror.kinds import Columns, Mirrored
from connections.models import Mirror
from rampbridge.lib.statements import execute, rows
from rampbridge.lib.text import storable

_COMMON = {
    "ramp_id": "uuid",
    "ramp_name": "text",
    "ramp_code": "text",
    "ramp_is_active": "boolean",
}
_ACCEPTED = "refusal = '', refusal_field = '', refused_content = '', refused_at = NULL"
_LONGEST_REFUSAL = 500
_LONGEST = {"ramp_name": 300, "ramp_code": 100, "ramp_display_name": 100}


@dataclass(frozen=True, slots=True)
class Compared:
    """What a part of Ramp's list said of our rows."""

    met: Sequence[int]
    """Primary keys of ours that are on it."""
    known: Set[str]
    """The ERP's ids of those."""
    changed: int
    """Those of which Ramp has something else than we thought."""


def confirm(kind: Mirrored, taken: Sequence[tuple[int, Columns]]) -> None:
    """Keep what Ramp has taken, by primary key; a refusal from before is over."""
    if not taken:
        return
    names = sorted({name for _, columns in taken for name in columns})
    types = _COMMON | dict(kind.columns)
    execute(
        f"""
        UPDATE {_table(kind)} AS r
        SET {", ".join(f"{name} = s.{name}" for name in names)}, ramp_confirmed_at = now(),
            {_ACCEPTED}
        FROM jsonb_to_recordset(%s::jsonb)
            AS s(pk bigint, {", ".join(f"{name} {types[name]}" for name in names)})
        WHERE r.id = s.pk
        """,  # noqa: S608  names of our own columns
        [_json([{"pk": pk, **_fitting(columns)} for pk, columns in taken])],
    )


def refuse(kind: Mirrored, row: Any, *, text: str, field: str, by_ramp: bool) -> None:
    """Say on a row why it is not in Ramp. What Ramp refused is not sent again as it is (R-32);
    what only we did is looked at anew each time, for that costs no call.
    """
    kind.model.objects.filter(pk=row.pk).update(
        refusal=text[:_LONGEST_REFUSAL].replace("\0", ""),
        refusal_field=field[:60],
        refused_content=row.digest if by_ramp else "",
    )
    execute(
        f"UPDATE {_table(kind)} SET refused_at = coalesce(refused_at, now()) WHERE id = %s",  # noqa: S608
        [row.pk],
    )


def compare(
    kind: Mirrored, connection_id: uuid.UUID, shown: Sequence[Columns], *, field_pk: int | None
) -> Compared:
    """Bring our rows to what Ramp shows, by the ERP's ids. `shown` holds `erp_id` and columns.

    :param field_pk: whose options they are
    """
    if not shown:
        return Compared((), frozenset(), 0)
    types = _COMMON | dict(kind.columns)
    names = list(types)
    of_field = "AND r.field_id = %(field)s" if field_pk is not None else ""
    found = rows(
        f"""
        WITH shown AS (
            SELECT * FROM jsonb_to_recordset(%(shown)s::jsonb)
                AS s(erp_id text, {", ".join(f"{name} {types[name]}" for name in names)})
        ), met AS (
            SELECT r.id, s.*, r.erp_id AS known, ({", ".join(f"r.{name}" for name in names)})
                IS DISTINCT FROM ({", ".join(f"s.{name}" for name in names)}) AS differs
            FROM {_table(kind)} r JOIN shown s ON s.erp_id = r.erp_id
            WHERE r.connection_id = %(connection)s {of_field}
        ), written AS (
            UPDATE {_table(kind)} r
            SET {", ".join(f"{name} = met.{name}" for name in names)}, ramp_confirmed_at = now()
            FROM met WHERE r.id = met.id AND met.differs
        )
        SELECT id, known, differs FROM met
        """,  # noqa: S608  names of our own columns
        {
            "shown": _json([_fitting(one) for one in shown]),
            "connection": connection_id,
            "field": field_pk,
        },
    )
    return Compared(
        met=[pk for pk, _, _ in found],
        known={erp_id for _, erp_id, _ in found},
        changed=sum(differs for _, _, differs in found),
    )


def lose(kind: Mirrored, pks: Sequence[int]) -> None:
    """Ramp has nothing of these rows any more: they are to be created anew."""
    kind.model.objects.filter(pk__in=pks).update(
        ramp_id=None, ramp_name="", ramp_code="", ramp_is_active=False
    )


def start_over(
    connection_id: uuid.UUID, *, is_empty: bool, is_being_prepared: bool = False
) -> None:
    """Another accounting connection than before: what the last one had is none of its own.

    :param is_empty: it was made by us just now, so there is nothing in it to look for
    :param is_being_prepared: it stands beside another one that is active, and a migration fills it
    """
    for name in KINDS:
        known = MODELS[name].objects.filter(connection_id=connection_id, ramp_id__isnull=False)
        known.update(ramp_id=None, ramp_name="", ramp_code="", ramp_is_active=False)
        refused = MODELS[name].objects.filter(connection_id=connection_id).exclude(refusal="")
        refused.update(refusal="", refusal_field="", refused_content="", refused_at=None)
    Mirror.objects.update_or_create(
        connection_id=connection_id,
        defaults={
            "ramp_is_empty": is_empty,
            "is_being_prepared": is_being_prepared,
            "tax_field_ramp_id": None,
            "last_push_at": None,
            "last_verified_at": None,
        },
    )


def _table(kind: Mirrored) -> str:
    return str(kind.model._meta.db_table)  # noqa: SLF001  Django's public name for it


def _fitting(columns: Columns) -> Columns:
    """Ramp may hold longer names than we keep, and characters that no text here may have."""
    return {
        name: storable(value)[: _LONGEST.get(name)] if isinstance(value, str) else value
        for name, value in columns.items()
    }


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
