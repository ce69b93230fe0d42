"""What objects were coded to, one row each, to be found when the switch has dropped it (R-91)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from migrations_tool.backup.restored import codings_of
from migrations_tool.models import Backup, FormerCoding
from rampbridge.lib.text import storable
from syncing.kinds import Snapshot, kind_of
from syncing.statements import as_json, execute

_DAYS = ("accounting_date", "transaction_date", "user_transaction_time", "issued_at", "created_at")
"""Where an object says its day, the one that counts most first."""


def keep(backup: Backup, object_type: str, objects: Sequence[Any]) -> None:
    """One statement for a page. What was kept before stays as it is."""
    if not objects:
        return
    kind = kind_of(object_type)
    shown = [(one, kind.snapshot(one)) for one in objects]
    execute(
        _KEEP,
        {
            "backup": backup.pk,
            "type": object_type,
            "ids": [snapshot.ramp_id for _, snapshot in shown],
            "labels": [storable(snapshot.label)[:300] for _, snapshot in shown],
            "numbers": [storable(snapshot.invoice_number)[:200] for _, snapshot in shown],
            "days": [_day(one) for one, _ in shown],
            "minors": [snapshot.money.minor for _, snapshot in shown],
            "currencies": [snapshot.money.currency for _, snapshot in shown],
            "exponents": [snapshot.money.exponent for _, snapshot in shown],
            "standings": [str(kind.standing(one)) for one, _ in shown],
            "codings": as_json([storable_codings(one) for one, _ in shown]),
            "words": [_words(snapshot) for _, snapshot in shown],
        },
    )


def kept(backup: Backup, object_type: str, ids: Sequence[str]) -> dict[str, Any]:
    """The codings of these objects, by id."""
    rows = FormerCoding.objects.filter(backup=backup, object_type=object_type, ramp_id__in=ids)
    return {str(ramp_id): found for ramp_id, found in rows.values_list("ramp_id", "codings")}


def storable_codings(one: Any) -> list[dict[str, Any]]:
    """As the database can hold them: a NUL in somebody's words becomes a sign that shows it."""
    return [
        line
        | {
            "selections": [
                {name: storable(text) for name, text in chosen.items()}
                for chosen in line["selections"]
            ]
        }
        for line in codings_of(one)
    ]


def _day(one: Any) -> date | None:
    found = next((day for name in _DAYS if (day := getattr(one, name, None))), None)
    return found.date() if isinstance(found, datetime) else found


def _words(snapshot: Snapshot) -> str:
    """What people remember of an object: whom it was paid to, what for, the invoice's number."""
    words = " ".join((snapshot.label, snapshot.memo, snapshot.invoice_number, snapshot.person))
    return storable(words)[:2000]


_KEEP = """
    INSERT INTO migrations_tool_formercoding (
        backup_id, object_type, ramp_id, label, number, spent_on, amount_minor, currency, exponent,
        standing, codings, words)
    SELECT %(backup)s, %(type)s, s.ramp_id, s.label, s.number, s.day, s.minor, s.currency,
        s.exponent, s.standing, %(codings)s::jsonb -> (s.nth - 1)::int,
        to_tsvector('simple', s.words)
    FROM unnest(
        %(ids)s::uuid[], %(labels)s::text[], %(numbers)s::text[], %(days)s::date[],
        %(minors)s::bigint[], %(currencies)s::text[], %(exponents)s::smallint[],
        %(standings)s::text[], %(words)s::text[]
    ) WITH ORDINALITY
        AS s(ramp_id, label, number, day, minor, currency, exponent, standing, words, nth)
    ORDER BY s.ramp_id
    ON CONFLICT (backup_id, object_type, ramp_id) DO NOTHING
"""
