"""What people are paid back, and what they pay back: the list with its filters, and one by id."""

from datetime import datetime
from typing import Any

from connections.ramp_simulator import filters
from connections.ramp_simulator.amounts import currency_amount, major_units
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.codings import Codebook, book_of, coding
from connections.ramp_simulator.money_records import Direction, Reimbursement
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

Test = filters.Test[Reimbursement]

STATES = (
    "APPROVED",
    "AWAITING_EXPORT",
    "AWAITING_PAYMENT",
    "AWAITING_PUSH_PAYMENT",
    "CANCELED",
    "DELETED",
    "DRAFT",
    "EXPORTED",
    "EXPORT_FAILED",
    "EXPORT_INITIATED",
    "EXPORT_MARKED_AS_FAILED",
    "EXPORT_SUCCESSFUL",
    "FAILED_REIMBURSEMENT",
    "INIT",
    "MANUALLY_REIMBURSED",
    "MISSING_ACH",
    "PENDING",
    "PROCESSING",
    "PUSH_PAYMENT_FAILED",
    "PUSH_PAYMENT_INITIATED",
    "REIMBURSED",
    "REIMBURSED_VIA_PUSH",
    "REJECTED",
)


def list_reimbursements(world: World, call: Call) -> Reply:
    book = book_of(world, call.business)
    tests: list[Test] = [
        *filters.older_sync_tests(call, "has_no_sync_commits", "sync_ready"),
        *filters.change_tests(call),
        *filters.requested_tests(call),
        *filters.entity_tests(call),
        *_standing_tests(call),
        *_date_tests(call),
    ]
    if selection := call.uuid("accounting_field_selection_id"):
        tests.append(lambda row: selection in _selected_ids(book, row))
    rows = filters.candidates(world.reimbursements, call)
    return page(
        call,
        (row for row in rows if all(test(row) for test in tests)),
        find=lambda row_id: world.reimbursements.get(row_id, call.business),
        render=lambda row: _json(world, book, row),
    )


def get_reimbursement(world: World, call: Call) -> Reply:
    row = world.reimbursements.get(call.params["reimbursement_id"], call.business)
    if row is None:
        raise not_found("Reimbursement", call.params["reimbursement_id"])
    return Reply(payload=_json(world, book_of(world, call.business), row))


def _standing_tests(call: Call) -> list[Test]:
    """Who it is about and how far it got. Unless asked, nobody pays the business back."""
    direction = call.choice("direction", tuple(Direction)) or Direction.BUSINESS_TO_USER
    tests: list[Test] = [lambda row: row.direction == direction]
    if state := call.choice("state", STATES):
        tests.append(lambda row: row.state == state)
    approved = call.flag("has_been_approved")
    if approved is not None:
        tests.append(lambda row: (row.approved_at is not None) == approved)
    if user := call.uuid("user_id"):
        tests.append(lambda row: row.person_id == user)
    # Nothing here waits for anyone or belongs to a trip, so asking for it finds nothing.
    if any(call.uuid(name) for name in ("awaiting_approval_by_user_id", "trip_id")):
        tests.append(lambda _: False)
    return tests


def _date_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if since := call.moment("from_transaction_date"):
        tests.append(lambda row: row.transaction_date >= since.date())
    if until := call.moment("to_transaction_date"):
        tests.append(lambda row: row.transaction_date <= until.date())
    if created_since := call.moment("from_date"):
        tests.append(lambda row: row.created_at >= created_since)
    if created_until := call.moment("to_date"):
        tests.append(lambda row: row.created_at <= created_until)
    if submitted_since := call.moment("from_submitted_at"):
        tests.append(lambda row: bool(row.submitted_at and row.submitted_at >= submitted_since))
    if submitted_until := call.moment("to_submitted_at"):
        tests.append(lambda row: bool(row.submitted_at and row.submitted_at <= submitted_until))
    return tests


def _selected_ids(book: Codebook, row: Reimbursement) -> set[str]:
    shown = coding(book, row)
    return {selection["id"] for place in (shown.body, *shown.lines) for selection in place}


def _json(world: World, book: Codebook, row: Reimbursement) -> dict[str, Any]:
    """Keys that the schema has no null for are left out where there is nothing to say."""
    shown = coding(book, row)
    original_minor = row.minor if row.original_minor is None else row.original_minor
    answer = {
        "id": row.id,
        "amount": major_units(row.minor, row.currency),
        "currency": row.currency,
        "original_reimbursement_amount": currency_amount(
            original_minor, row.original_currency or row.currency
        ),
        "payee_amount": currency_amount(row.minor, row.currency),
        "direction": row.direction,
        "type": row.kind,
        "state": row.state,
        "sync_status": row.sync_status,
        "synced_at": _time(row.synced_at),
        "accounting_date": wire_time(row.accounting_date),
        "transaction_date": row.transaction_date.isoformat(),
        "created_at": wire_time(row.created_at),
        "submitted_at": _time(row.submitted_at),
        "approved_at": _time(row.approved_at),
        "updated_at": wire_time(row.updated_at),
        "entity_id": row.entity_id,
        "merchant": row.merchant_name,
        "merchant_id": None,
        "memo": row.memo,
        "receipts": row.receipts,
        "payment_id": row.payment_id,
        "spend_limit_id": None,
        "distance": row.distance,
        "start_location": None,
        "end_location": None,
        "waypoints": [],
        "attendees": [],
        "line_items": [
            {
                "amount": currency_amount(line.minor, line.currency),
                "memo": line.memo,
                "accounting_field_selections": selections,
            }
            for line, selections in zip(row.lines, shown.lines, strict=True)
        ],
        "accounting_field_selections": shown.body,
    }
    said = {key: answer[key] for key in answer if key not in _NEVER_NULL or answer[key] is not None}
    return said | _payee(world, row)


_NEVER_NULL = {"approved_at", "memo"}


def _payee(world: World, row: Reimbursement) -> dict[str, Any]:
    """Who it is about; flat, unlike the holder of a card."""
    person = world.people.get(row.person_id)
    assert person is not None
    website = world.business(row.business).website
    return {
        "user_id": person.id,
        "user_full_name": f"{person.first_name} {person.last_name}",
        "user_email": f"{person.employee_id.lower()}@{website}",
        "employee_id": person.employee_id,
    }


def _time(moment: datetime | None) -> str | None:
    return wire_time(moment) if moment else None
