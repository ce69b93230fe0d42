"""Statements of the card's account: the list, and one by id."""

from collections.abc import Callable
from typing import Any

from connections.ramp_simulator.amounts import currency_amount
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.money_records import Section, Statement, StatementLine
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

_TOTALS: dict[str, Callable[[Section], int]] = {
    "opening_balance": lambda section: section.opening,
    "charges": lambda section: section.charges,
    "credits": lambda section: section.credits,
    "payments": lambda section: section.payments,
    "ending_balance": lambda section: section.ending,
}


def list_statements(world: World, call: Call) -> Reply:
    """By when they end."""
    since, until = call.moment("from_date"), call.moment("to_date")
    rows = (
        row
        for row in world.statements.of(call.business)
        if (since is None or row.end >= since) and (until is None or row.end <= until)
    )
    return page(
        call,
        rows,
        find=lambda row_id: world.statements.get(row_id, call.business),
        render=_json,
    )


def get_statement(world: World, call: Call) -> Reply:
    row = world.statements.get(call.params["statement_id"], call.business)
    if row is None:
        raise not_found("Statement", call.params["statement_id"])
    return Reply(payload=_json(row))


def _json(row: Statement) -> dict[str, Any]:
    """Also the deprecated totals over all entities."""
    answer: dict[str, Any] = {
        "id": row.id,
        "start_date": wire_time(row.begin),
        "end_date": wire_time(row.end),
        "statement_url": f"https://statements.ramp.example/{row.business}/{row.id}.pdf",
        "balance_sections": [_section_json(section, row.currency) for section in row.sections],
        "statement_lines": [_line_json(line) for line in row.lines],
    }
    for name, amount in _TOTALS.items():
        total = sum(amount(section) for section in row.sections)
        answer[name] = currency_amount(total, row.currency)
    return answer | ({"preceding_statement_id": row.preceding_id} if row.preceding_id else {})


def _section_json(section: Section, currency: str) -> dict[str, Any]:
    amounts = {name: currency_amount(of(section), currency) for name, of in _TOTALS.items()}
    return {"id": section.id, "entity_id": section.entity_id} | amounts


def _line_json(line: StatementLine) -> dict[str, Any]:
    answer = {"id": line.id, "type": line.kind, "created_at": wire_time(line.created_at)}
    return answer | ({"cleared_at": wire_time(line.cleared_at)} if line.cleared_at else {})
