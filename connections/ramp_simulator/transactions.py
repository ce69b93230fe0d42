"""Card transactions: the list with its filters, and one by id."""

from collections.abc import Callable
from typing import Any

from connections.ramp_simulator import filters, seats
from connections.ramp_simulator.amounts import (
    currency_amount,
    factor,
    major_units,
    signed_amount,
)
from connections.ramp_simulator.bill_payments import one_time_card_purchases
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.codings import Codebook, book_of, coding
from connections.ramp_simulator.pages import by_rank, page
from connections.ramp_simulator.records import Line, Person, SyncStatus, Transaction
from connections.ramp_simulator.replies import Reply, invalid, not_found
from connections.ramp_simulator.world import World

Test = filters.Test[Transaction]

STATES = ("ALL", "CLEARED", "COMPLETION", "DECLINED", "ERROR", "PENDING", "PENDING_INITIATION")
_APPROVALS = (
    "AWAITING_EMPLOYEE",
    "AWAITING_EMPLOYEE_CHANGES_REQUESTED",
    "AWAITING_EMPLOYEE_MISSING_ITEMS",
    "AWAITING_EMPLOYEE_REPAYMENT_FAILED",
    "AWAITING_EMPLOYEE_REPAYMENT_REQUESTED",
    "AWAITING_REVIEWER",
    "FULLY_APPROVED",
)
_ORDERS: dict[str, Callable[[Transaction], Any]] = {
    "order_by_date_asc": lambda row: (row.user_transaction_time, row.seq),
    "order_by_date_desc": lambda row: (-row.user_transaction_time.timestamp(), row.seq),
    "order_by_amount_asc": lambda row: (_major(row), row.seq),
    "order_by_amount_desc": lambda row: (-_major(row), row.seq),
}
# These never hold a value here, so asking for one finds nothing.
_NEVER_SET = ("limit_id", "spend_program_id", "trip_id")


def list_transactions(world: World, call: Call) -> Reply:
    tests = [*_status_tests(world, call), *_subject_tests(world, call), *_range_tests(call)]
    book = book_of(world, call.business)
    if selection := call.uuid("accounting_field_selection_id"):
        tests.append(lambda row: selection in _selected_ids(book, row))
    rows = (
        row
        for row in filters.candidates(world.transactions, call)
        if all(test(row) for test in tests)
    )
    renderer = Renderer(world, call, book)
    return page(
        call,
        rows,
        find=lambda row_id: world.transactions.get(row_id, call.business),
        render=renderer.render,
        key=_order(call),
    )


def get_transaction(world: World, call: Call) -> Reply:
    transaction = world.transactions.get(call.params["transaction_id"], call.business)
    if transaction is None:
        raise not_found("Transaction", call.params["transaction_id"])
    return Reply(payload=Renderer(world, call, book_of(world, call.business)).render(transaction))


def needs_vendor(world: World, book: Codebook, transaction: Transaction) -> bool:
    """Whether a vendor must be created before this transaction can be marked synced."""
    is_on = seats.is_set(world, transaction.business, seats.VENDOR_CREATION)
    return is_on and book.vendor_of(transaction) is None


class Renderer:
    """Transactions of one business as JSON."""

    def __init__(self, world: World, call: Call, book: Codebook) -> None:
        self._people = world.people
        self._book = book
        self._with_merchant_data = call.flag("include_merchant_data")
        self._with_vendor_flag = seats.is_set(world, call.business, seats.VENDOR_CREATION)

    def render(self, row: Transaction) -> dict[str, Any]:
        shown = coding(self._book, row)
        person = self._people.get(row.person_id)
        assert person is not None
        original_minor = row.minor if row.original_minor is None else row.original_minor
        original_currency = row.original_currency or row.currency
        answer = {
            "id": row.id,
            "amount": major_units(row.minor, row.currency),
            "currency_code": row.currency,
            "entity_amount": signed_amount(row.minor, row.currency),
            "merchant_amount": signed_amount(original_minor, original_currency),
            "original_transaction_amount": currency_amount(original_minor, original_currency),
            "original_transaction_id": row.original_transaction_id,
            "minor_unit_conversion_rate": factor(row.currency),
            "state": row.state,
            "sync_status": row.sync_status,
            "synced_at": row.synced_at and wire_time(row.synced_at),
            "accounting_date": wire_time(row.accounting_date),
            "user_transaction_time": wire_time(row.user_transaction_time),
            "updated_at": wire_time(row.updated_at),
            "entity_id": row.entity_id,
            "card_id": person.card_id,
            "card_present": row.card_present,
            "card_holder": _card_holder(person),
            "memo": row.memo,
            "receipts": row.receipts,
            "line_items": [
                _line_json(row, line, selections)
                for line, selections in zip(row.lines, shown.lines, strict=True)
            ],
            "accounting_field_selections": shown.body,
            "accounting_categories": _legacy_categories(shown.body),
            "all_requirements_met_and_approved": row.sync_status is not SyncStatus.NOT_SYNC_READY,
            "trip_id": None,
            "trip_name": None,
            "attendees": [],
            "disputes": [],
            "policy_violations": [],
        }
        answer |= _merchant(row)
        if row.settlement_date:
            answer["settlement_date"] = wire_time(row.settlement_date)
        if row.statement_id:
            answer["statement_id"] = row.statement_id
        if self._with_merchant_data:
            answer["merchant_data"] = _merchant_data(row)
        if self._with_vendor_flag:
            no_vendor = self._book.vendor_of(row) is None
            answer["requires_accounting_vendor_creation_to_sync"] = no_vendor
        return answer


def _order(call: Call) -> Callable[[Transaction], Any]:
    asked = [name for name in _ORDERS if call.flag(name)]
    if len(asked) > 1:
        raise invalid({asked[1]: ["Only one ordering can be given."]})
    return _ORDERS[asked[0]] if asked else by_rank


def _status_tests(world: World, call: Call) -> list[Test]:
    tests: list[Test] = [
        *filters.older_sync_tests(call, "has_no_sync_commits", "sync_ready"),
        *filters.change_tests(call),
        *filters.requested_tests(call),
    ]
    if "sync_status" not in call.query and call.flag("has_no_sync_commits"):
        of_bills = one_time_card_purchases(world, call.business)
        tests.append(lambda row: row.id not in of_bills)
    state = call.choice("state", STATES)
    if state is None:
        tests.append(lambda row: row.state != "DECLINED")
    elif state != "ALL":
        tests.append(lambda row: row.state == state)
    approval = call.choice("approval_status", _APPROVALS)
    if approval is not None:
        tests.append(lambda row: _approval(row) == approval)
    for name in ("has_been_approved", "all_requirements_met_and_approved"):
        wanted = call.flag(name)
        if wanted is not None:
            tests.append(lambda row, wanted=wanted: _is_approved(row) == wanted)  # type: ignore[misc]
    return tests


def _subject_tests(world: World, call: Call) -> list[Test]:
    tests: list[Test] = [*filters.entity_tests(call)]
    if statement := call.uuid("statement_id"):
        tests.append(lambda row: row.statement_id == statement)
    has_statement = call.flag("has_statement")
    if has_statement is not None:
        tests.append(lambda row: (row.statement_id is not None) == has_statement)
    if merchant := call.uuid("merchant_id"):
        tests.append(lambda row: row.merchant_id == merchant)
    if user := call.uuid("user_id"):
        tests.append(lambda row: row.person_id == user)
    for name in ("card_id", "department_id", "location_id"):
        if value := call.uuid(name):
            people = {
                person.id
                for person in world.people.of(call.business)
                if getattr(person, name) == value
            }
            tests.append(lambda row, people=people: row.person_id in people)  # type: ignore[misc]
    if category := call.number("sk_category_id"):
        tests.append(lambda row: row.sk_category_id == category)
    if any(call.uuid(name) for name in _NEVER_SET):
        tests.append(lambda _: False)
    if call.uuid("awaiting_approval_by_user_id"):
        tests.append(lambda _: False)
    needs_memo = call.flag("requires_memo")
    if needs_memo is not None:
        tests.append(lambda row: (not row.memo) == needs_memo)
    return tests


def _range_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if since := call.moment("from_date"):
        tests.append(lambda row: row.user_transaction_time >= since)
    if until := call.moment("to_date"):
        tests.append(lambda row: row.user_transaction_time <= until)
    lowest, highest = call.number("min_amount"), call.number("max_amount")
    if lowest is not None:
        tests.append(lambda row: _major(row) >= lowest)
    if highest is not None:
        tests.append(lambda row: _major(row) <= highest)
    return tests


def _major(row: Transaction) -> float:
    return major_units(row.minor, row.currency)


def _is_approved(row: Transaction) -> bool:
    return row.sync_status is not SyncStatus.NOT_SYNC_READY


def _approval(row: Transaction) -> str:
    return "FULLY_APPROVED" if _is_approved(row) else "AWAITING_REVIEWER"


def _selected_ids(book: Codebook, row: Transaction) -> set[str]:
    shown = coding(book, row)
    return {selection["id"] for place in (shown.body, *shown.lines) for selection in place}


def _line_json(row: Transaction, line: Line, selections: list[dict[str, Any]]) -> dict[str, Any]:
    converted = line.converted_minor
    return {
        "amount": currency_amount(line.minor, line.currency),
        "converted_amount": (
            None if converted is None else currency_amount(converted, row.currency)
        ),
        "memo": line.memo,
        "accounting_field_selections": selections,
    }


def _card_holder(person: Person) -> dict[str, Any]:
    return {
        "user_id": person.id,
        "first_name": person.first_name,
        "last_name": person.last_name,
        "employee_id": person.employee_id,
        "department_id": person.department_id,
        "department_name": person.department_name,
        "location_id": person.location_id,
        "location_name": person.location_name,
    }


def _merchant(row: Transaction) -> dict[str, Any]:
    return {
        "merchant_id": row.merchant_id,
        "merchant_name": row.merchant_name,
        "merchant_descriptor": row.merchant_name.upper()[:22],
        "merchant_category_code": row.merchant_category_code,
        "merchant_location": {
            "city": row.city,
            "country": row.country,
            "postal_code": None,
            "state": None,
        },
        "sk_category_id": row.sk_category_id,
        "sk_category_name": row.sk_category_name,
    }


def _merchant_data(row: Transaction) -> dict[str, Any]:
    return {
        "auto_rental": {},
        "flight": {"departure_date": None, "segments": []},
        "lodging": {"nights": None},
        "receipt": {"items": []},
        "reference": row.id[:8],
    }


def _legacy_categories(selections: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The deprecated mirror of the selections at body level."""
    return [
        {
            "category_id": selection["external_id"],
            "category_name": selection["name"],
            "tracking_category_remote_id": selection["category_info"]["external_id"],
            "tracking_category_remote_name": selection["category_info"]["name"],
            "tracking_category_remote_type": selection["type"],
        }
        for selection in selections
    ]
