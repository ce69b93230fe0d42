"""What a change of the book would let go, and the letting go."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from connections.mapping_book.changes import Change, Key
from connections.mapping_book.targets import PURPOSES
from connections.models import Connection, MappingKind, PostingProfile
from connections.models import Mapping as MappingRow
from rampbridge.lib.money import Money
from syncing import releases
from syncing.classifier import LONGEST_CAUSE
from syncing.mapping_backlog import CODED_WITH, currency_of, fields_of, sums_of
from syncing.mapping_causes import causes_of, closed_codes
from syncing.statements import as_json, rows

Kind = MappingKind


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change lets go."""

    items: int = 0
    sums: tuple[Money, ...] = ()


def would_release(
    connection: Connection, changes: Sequence[Change], before: Mapping[Key, str] | None = None
) -> Effect:
    """What saving the changes would let go: as many items as `release` will then count.

    :param before: where the lines lead now, as `lines.standing` says
    """
    gates = _gates(connection, changes, before or {})
    if not gates:
        return Effect()
    found = rows(
        f"""
        SELECT '', currency, exponent, count(*), sum(amount_minor)
        FROM ({_gated(gates)}) gated GROUP BY currency, exponent
        """,  # noqa: S608  constants of this program
        {"connection": connection.pk, "gates": as_json(gates)},
    )
    return Effect(sum(line[3] for line in found), sums_of(found, currency_of(connection)))


def release(
    connection: Connection,
    changes: Sequence[Change],
    before: Mapping[Key, str],
    *,
    why: str,
    actor: str,
) -> list[int]:
    """Queue what the changes, saved just now, let go. Returns the items' ids."""
    gates = _gates(connection, changes, before)
    if not gates:
        return []
    found = rows(
        f"SELECT id FROM ({_gated(gates)}) gated ORDER BY id",  # noqa: S608  constants of ours
        {"connection": connection.pk, "gates": as_json(gates)},
    )
    ids = [line[0] for line in found]
    if ids:
        releases.release(connection.pk, ids=ids, why=why, actor=actor)
    return ids


# `coded` narrows a cause to the items with that coding: others may lead to the same record.
_BY_CAUSE = f"""
    SELECT DISTINCT i.id, i.currency, i.exponent, i.amount_minor
    FROM jsonb_to_recordset(%(gates)s::jsonb)
        AS g(cause text, entity text, others text[], coded text)
    JOIN syncing_syncitem i ON i.connection_id = %(connection)s AND i.state = 'FAILED'
        AND i.state IN ('READY', 'FAILED') AND i.blocked_by <> '' AND i.blocked_by = g.cause
    LEFT JOIN syncing_itempayload p ON p.item_id = i.id AND g.coded <> ''
    WHERE (g.entity = '' OR i.entity_ramp_id::text = g.entity)
      AND coalesce(i.entity_ramp_id::text, '') <> ALL(g.others)
      AND (g.coded = '' OR jsonb_path_exists(
          p.ramp, '{CODED_WITH}', jsonb_build_object('id', g.coded), true))
"""  # noqa: S608  the pieces are constants of this file

_UNCODED = """
    UNION
    SELECT i.id, i.currency, i.exponent, i.amount_minor
    FROM jsonb_to_recordset(%(gates)s::jsonb) AS g(uncoded bool, entity text, others text[])
    JOIN syncing_syncitem i ON i.connection_id = %(connection)s AND i.state = 'FAILED'
        AND i.error_code = 'data.no_coding'
    WHERE g.uncoded AND (g.entity = '' OR i.entity_ramp_id::text = g.entity)
      AND coalesce(i.entity_ramp_id::text, '') <> ALL(g.others)
"""
"""Lines without a coding share no cause, so all that failed is looked through; only if need be."""


def _gated(gates: Sequence[Mapping[str, Any]]) -> str:
    """SQL: the items that the gates hold."""
    return _BY_CAUSE + (_UNCODED if any(gate.get("uncoded") for gate in gates) else "")


def _gates(
    connection: Connection, changes: Sequence[Change], before: Mapping[Key, str]
) -> list[dict[str, Any]]:
    """The causes that end when the lines change, and for whose items."""
    names = {change.field_erp_id for change in changes if change.field_erp_id}
    fields = dict(fields_of(connection)) if names else {}
    own = _entities_with_own_lines(connection, [one for one in changes if not one.entity_ramp_id])
    gates: list[dict[str, Any]] = []
    for change in changes:
        among: dict[str, Any] = {"entity": change.entity_ramp_id, "others": own.get(change.key, [])}
        was = before.get(change.key, "")
        if change.after == was:
            continue
        if change.after:
            causes = causes_of(change, fields)
            gates += [{"cause": cause, "coded": "", **among} for cause in causes]
            if change.ramp_external_id == "fallback_expense_account":
                gates.append({"cause": "", "coded": "", "uncoded": True, **among})
        if was:
            coded = change.ramp_external_id if change.kind == Kind.GL_ACCOUNT else ""
            gates += [
                {"cause": f"{code}:{was}"[:LONGEST_CAUSE], "coded": coded, **among}
                for code in closed_codes(change.kind)
            ]
    return gates


def _entities_with_own_lines(
    connection: Connection, general: Sequence[Change]
) -> dict[Key, list[str]]:
    """Entities that a general line does not hold for, by its key. Two queries at most."""
    found: dict[Key, list[str]] = defaultdict(list)
    ids = {one.ramp_external_id for one in general if one.kind != Kind.PROFILE}
    if ids:
        own = MappingRow.objects.filter(
            connection=connection, entity__isnull=False, ramp_external_id__in=ids
        ).select_related("entity")
        for row in own:
            key = Key(row.kind, "", row.field_erp_id, row.ramp_external_id)
            found[key].append(str(row.entity.ramp_id) if row.entity else "")
    said = {one.ramp_external_id for one in general if one.kind == Kind.PROFILE}
    purposes = [one for one in PURPOSES if one in said]
    if purposes:
        profiles: QuerySet[PostingProfile] = connection.profiles.filter(entity__isnull=False)
        for profile in profiles.select_related("entity"):
            for purpose in purposes:
                if profile.entity and getattr(profile, purpose):
                    key = Key(Kind.PROFILE, "", "", purpose)
                    found[key].append(str(profile.entity.ramp_id))
    return found
