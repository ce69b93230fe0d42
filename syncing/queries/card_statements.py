"""Ramp's card statements beside our items: read set by set, explained by `statement_rules`."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from connections.models import Connection
from connections.ramp.spend import BalanceSection, Statement
from rampbridge.lib.money import Money
from syncing import statement_rules
from syncing.models import CardStatement
from syncing.statement_rules import OBJECT_TYPES, Comparison, Finding, Known, Listed, Section
from syncing.statements import rows

PAGE_SIZE = 12
BESIDE_READ = 500
"""Synced items that are on no statement, or on another: so many are told."""
_LATE = timedelta(days=90)
"""So long after a statement's end one of its days may still have become ready to sync."""
_NEIGHBOURS = timedelta(days=62)


@dataclass(frozen=True, slots=True)
class StatementRow:
    """One statement in the list, with how many of its lines are where."""

    statement: CardStatement
    sections: Sequence[Section]
    counts: Mapping[Finding, int] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return sum(self.counts.values())

    @property
    def synced(self) -> int:
        return self.counts.get(Finding.SYNCED, 0)

    @property
    def unsynced(self) -> int:
        """What is neither synced nor explained as nothing to sync."""
        held = (Finding.UNSYNCED, Finding.DIFFERS, Finding.UNKNOWN)
        return sum(self.counts.get(one, 0) for one in held)

    @property
    def balances(self) -> list[Money]:
        """What was owed at its end, per currency."""
        found: dict[str, Money] = {}
        for one in self.sections:
            known = found.get(one.ending.currency)
            found[one.ending.currency] = known + one.ending if known else one.ending
        return [found[code] for code in sorted(found)]


def page(connection: Connection, *, before: date | None = None) -> tuple[list[StatementRow], bool]:
    """Statements, the newest first, and whether there are more. Two statements.

    :param before: only those that ended earlier
    """
    found = CardStatement.objects.filter(connection=connection).order_by("-end_date", "-pk")
    if before:
        found = found.filter(end_date__lt=before)
    statements = list(found[: PAGE_SIZE + 1])
    shown = statements[:PAGE_SIZE]
    counts = _counts([one.pk for one in shown])
    listed = [StatementRow(one, sections_of(one), counts.get(one.pk, {})) for one in shown]
    return listed, len(statements) > PAGE_SIZE


def sections_of(statement: CardStatement) -> list[Section]:
    """Ramp's sums, as it gave them."""
    parsed = Statement.model_validate(statement.body)
    return [_section(one) for one in parsed.balance_sections]


def compared(statement: CardStatement) -> Comparison:
    """The statement, explained line by line. Three statements, however long it is."""
    parsed = Statement.model_validate(statement.body)
    listed = [
        Listed(line.id, line.type, line.created_at, line.cleared_at)
        for line in parsed.statement_lines
        if line.id
    ]
    beside = _beside(statement, [line.ramp_id for line in listed])
    return statement_rules.compare(
        listed,
        [_section(one) for one in parsed.balance_sections],
        _known(statement, listed),
        beside,
        _elsewhere(statement, [one.ramp_id for one in beside]),
    )


def _section(one: BalanceSection) -> Section:
    return Section(
        entity_id=one.entity_id,
        opening=one.opening_balance.money,
        charges=one.charges.money,
        credits=one.credits.money,
        payments=one.payments.money,
        ending=one.ending_balance.money,
    )


_OF_LINE = " ".join(
    ["CASE l.type", *(f"WHEN '{name}' THEN '{ours}'" for name, ours in OBJECT_TYPES.items()), "END"]
)
_LINES = """jsonb_to_recordset(
    CASE jsonb_typeof(s.body -> 'statement_lines') WHEN 'array' THEN s.body -> 'statement_lines'
    ELSE '[]' END) AS l(id uuid, type text, cleared_at text)"""
_COLUMNS = """
    i.id, i.ramp_id, i.object_type, i.entity_ramp_id, i.label, i.accounting_date, i.amount_minor,
    i.currency, i.exponent, i.state,
    coalesce(nullif(i.error_title, ''), CASE WHEN i.state = 'READY' AND i.due_at IS NULL
        THEN 'It waits for something else first.' ELSE '' END),
    i.erp_number
"""


def _counts(statement_ids: Sequence[int]) -> dict[int, dict[Finding, int]]:
    """Lines by what became of them, for many statements. One statement."""
    found: dict[int, dict[Finding, int]] = {}
    for pk, line_type, is_cleared, state, n in rows(
        f"""
        SELECT s.id, l.type, l.cleared_at IS NOT NULL, i.state, count(*)
        FROM syncing_cardstatement s CROSS JOIN LATERAL {_LINES}
        LEFT JOIN syncing_syncitem i ON i.connection_id = s.connection_id
            AND i.object_type = {_OF_LINE} AND i.ramp_id = l.id AND i.phase = 0
        WHERE s.id = ANY(%s)
        GROUP BY 1, 2, 3, 4
        """,  # noqa: S608  constants
        [list(statement_ids)],
    ):
        finding = statement_rules.finding_of(line_type or "", state, is_cleared=is_cleared)
        of_statement = found.setdefault(pk, {})
        of_statement[finding] = of_statement.get(finding, 0) + n
    return found


def _known(statement: CardStatement, listed: Sequence[Listed]) -> list[Known]:
    """Our items of the objects on a statement."""
    found = rows(
        f"""
        SELECT {_COLUMNS}
        FROM unnest(%(types)s::text[], %(ids)s::uuid[]) AS l(type, id)
        JOIN syncing_syncitem i ON i.connection_id = %(connection)s
            AND i.object_type = {_OF_LINE} AND i.ramp_id = l.id AND i.phase = 0
        """,  # noqa: S608  constants
        {
            "connection": statement.connection_id,
            "types": [line.type for line in listed],
            "ids": [line.ramp_id for line in listed],
        },
    )
    return [_item(row) for row in found]


def _beside(statement: CardStatement, on_it: Sequence[uuid.UUID]) -> list[Known]:
    """What is synced and dated within the days of a statement, but is not on it. The day of its
    end belongs to the next one.
    """
    found = rows(
        f"""
        SELECT {_COLUMNS}
        FROM syncing_syncitem i
        WHERE i.connection_id = %(connection)s AND i.object_type = ANY(%(types)s)
            AND i.state IN ('POSTED', 'ACKING', 'ACKED')
            AND i.ready_at >= %(start)s AND i.ready_at < %(late)s
            AND i.accounting_date >= %(start)s AND i.accounting_date < %(end)s
            AND i.ramp_id <> ALL(%(on_it)s::uuid[])
        ORDER BY i.accounting_date, i.id
        LIMIT %(most)s
        """,  # noqa: S608  constants
        {
            "connection": statement.connection_id,
            "types": list(OBJECT_TYPES.values()),
            "start": statement.start_date,
            "end": statement.end_date,
            "late": statement.end_date + _LATE,
            "on_it": list(on_it),
            "most": BESIDE_READ,
        },
    )
    return [_item(row) for row in found]


def _elsewhere(statement: CardStatement, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """On which other statement some objects are."""
    if not ids:
        return {}
    found = rows(
        f"""
        SELECT l.id, s.start_date, s.end_date
        FROM syncing_cardstatement s CROSS JOIN LATERAL {_LINES}
        WHERE s.connection_id = %(connection)s AND s.id <> %(statement)s
            AND s.end_date BETWEEN %(first)s AND %(last)s AND l.id = ANY(%(ids)s::uuid[])
        """,  # noqa: S608  constants
        {
            "connection": statement.connection_id,
            "statement": statement.pk,
            "first": statement.start_date - _NEIGHBOURS,
            "last": statement.end_date + _NEIGHBOURS,
            "ids": list(ids),
        },
    )
    return {
        pk: f"of {start:%-d %b} to {end - timedelta(days=1):%-d %b %Y}" for pk, start, end in found
    }


def _item(row: Sequence[Any]) -> Known:
    pk, ramp_id, object_type, entity, label, day, minor, currency, exponent, state, why, number = (
        row
    )
    money = Money(minor, currency, exponent)
    return Known(pk, ramp_id, object_type, entity, label, day, money, state, why, number)
