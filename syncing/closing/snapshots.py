"""Take figures as of a moment and freeze them (R-146): one statement, so one moment for all."""

import hashlib
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from connections import audit
from connections.models import Connection
from syncing.models import CardStatement, CloseSnapshot
from syncing.models.period_triggers import ENTITY, PERIOD, STANDING
from syncing.queries.close_board import BoardFilter, BoardRow
from syncing.references import number_of
from syncing.statement_rules import Comparison
from syncing.statements import from_json, rows

OPEN_KEPT = 500
"""Of what is unsynced so many items are kept by their numbers, to tell what became of them."""


def named(name: str) -> CloseSnapshot | None:
    """The snapshot of a name, however it was typed."""
    prefix, _, rest = name.strip().upper().partition("-")
    code, _, day = rest.rpartition("-")
    number = number_of(f"RB-{code}") if prefix == "SN" and code else None
    if number is None or number >= 2**63:
        return None
    found = (
        CloseSnapshot.objects.select_related("connection", "statement").filter(pk=number).first()
    )
    return found if found and f"{found.taken_at:%Y%m%d}" == day else None


def take_of_period(
    *,
    connection: Connection,
    period: date,
    entity_id: uuid.UUID | None,
    actor: str,
    audited: bool = True,
) -> CloseSnapshot:
    """Freeze a customer's month, or one entity's part of it.

    The checksum is over each item's number, state and amount. Reads the items, so no page does it.
    """
    ((at, items, checksum, parts, unsynced, changes),) = rows(
        _OF_PERIOD, {"connection": connection.pk, "period": period, "entity": entity_id,
                     "kept": OPEN_KEPT}
    )  # fmt: skip
    with transaction.atomic():
        snapshot = CloseSnapshot.objects.create(
            kind=CloseSnapshot.Kind.PERIOD,
            connection=connection,
            entity_ramp_id=entity_id,
            period=period,
            taken_at=at,
            taken_by=actor,
            changes=changes,
            items=items,
            checksum=checksum,
            figures={"parts": from_json(parts) or [], "unsynced": from_json(unsynced) or []},
        )
        if audited:
            _record(snapshot, f"of {period:%B %Y}")
    return snapshot


def take_of_board(
    chosen: BoardFilter, found: Sequence[BoardRow], *, actor: str, now: datetime
) -> CloseSnapshot:
    """Freeze a board as it was read, for its file: the sums, and a checksum over every line."""
    lines = [_board_line(row) for row in found]
    with transaction.atomic():
        snapshot = CloseSnapshot.objects.create(
            kind=CloseSnapshot.Kind.BOARD,
            period=chosen.period,
            filters=chosen.as_json(),
            taken_at=now,
            taken_by=actor,
            items=sum(row.unsynced + row.done for row in found),
            checksum=_digest(lines),
            figures={
                "customers": len(found),
                "states": _tally(row.state for row in found),
                "parts": _sums(
                    ["", part.standing, part.money.currency, part.money.exponent, part.items,
                     part.money.minor]
                    for row in found for part in row.parts
                ),
            },
        )  # fmt: skip
        _record(snapshot, f"of the close board of {chosen.period:%B %Y}")
    return snapshot


def take_of_statement(
    statement: CardStatement, comparison: Comparison, *, actor: str, now: datetime
) -> CloseSnapshot:
    """Freeze the comparison of a card statement: what was found of each of its lines."""
    lines = [
        f"{one.ramp_id},{one.finding},{one.money.minor if one.money else ''}"
        for one in sorted(comparison.lines, key=lambda one: str(one.ramp_id))
    ]
    with transaction.atomic():
        snapshot = CloseSnapshot.objects.create(
            kind=CloseSnapshot.Kind.STATEMENT,
            connection_id=statement.connection_id,
            statement=statement,
            taken_at=now,
            taken_by=actor,
            items=len(comparison.lines),
            checksum=_digest(lines),
            figures={
                "parts": _sums(
                    [str(one.entity_id or ""), one.finding.value, one.money.currency,
                     one.money.exponent, 1, one.money.minor]
                    for one in comparison.lines if one.money
                ),
                "lines": _tally(one.finding.value for one in comparison.lines),
            },
        )  # fmt: skip
        _record(snapshot, f"of the card statement to {statement.last_day:%-d %B %Y}")
    return snapshot


def _record(snapshot: CloseSnapshot, what: str) -> None:
    audit.record(
        snapshot.taken_by,
        "close.snapshot",
        f"Took the snapshot {snapshot.name} {what}.",
        connection_id=snapshot.connection_id,
        subject="snapshot",
        subject_id=snapshot.name,
        data={"items": snapshot.items, "checksum": snapshot.checksum},
    )


def _board_line(row: BoardRow) -> str:
    parts = sorted(
        f"{part.entity_id},{part.standing},{part.money.currency},{part.items},{part.money.minor}"
        for part in row.parts
    )
    return f"{row.connection_id};{row.state};{';'.join(parts)}"


def _digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _tally(words: Iterable[str]) -> Mapping[str, int]:
    found: dict[str, int] = {}
    for word in words:
        found[word] = found.get(word, 0) + 1
    return found


def _sums(parts: Iterable[Sequence[Any]]) -> list[list[Any]]:
    """Parts of one key together: entity, standing, currency, exponent; then items and amount."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for *key, items, minor in parts:
        known = found.setdefault(tuple(key), [0, 0])
        known[0] += items
        known[1] += minor
    return [[*key, *figures] for key, figures in sorted(found.items())]


_OF_PERIOD = f"""
    WITH mine AS MATERIALIZED (
        SELECT id, state, {STANDING} AS standing, {ENTITY} AS entity, currency, exponent,
            amount_minor, ready_at
        FROM syncing_syncitem
        WHERE connection_id = %(connection)s AND {PERIOD} = %(period)s
            AND (%(entity)s::uuid IS NULL OR {ENTITY} = %(entity)s)
    )
    SELECT statement_timestamp(), (SELECT count(*) FROM mine), (
        SELECT encode(sha256(convert_to(coalesce(string_agg(
            concat_ws(',', id, state, amount_minor, currency), E'\\n' ORDER BY id), ''), 'UTF8')),
            'hex')
        FROM mine
    ), (
        SELECT jsonb_agg(jsonb_build_array(entity, standing, currency, exponent, n, minor)
            ORDER BY entity, standing, currency, exponent)::text
        FROM (
            SELECT entity, standing, currency, exponent, count(*) AS n, sum(amount_minor) AS minor
            FROM mine GROUP BY entity, standing, currency, exponent
        ) parts
    ), (
        SELECT jsonb_agg(id ORDER BY ready_at, id)::text
        FROM (
            SELECT id, ready_at FROM mine WHERE standing NOT IN ('done', 'aside')
            ORDER BY ready_at, id LIMIT %(kept)s
        ) unsynced
    ), (
        SELECT coalesce(sum(changes), 0)::bigint FROM syncing_periodchange
        WHERE connection_id = %(connection)s AND period = %(period)s
            AND (%(entity)s::uuid IS NULL OR entity_ramp_id = %(entity)s)
    )
"""  # noqa: S608  constants
