"""Bills: the list with its filters, and one by id."""

from collections.abc import Callable
from typing import Any

from connections.ramp_simulator.amounts import major_units
from connections.ramp_simulator.bill_codings import coding_of
from connections.ramp_simulator.bill_json import SUMMARIES, bill_json, payment_of, summary
from connections.ramp_simulator.bill_records import CARD_METHODS, Bill, BillSyncStatus
from connections.ramp_simulator.bill_states import is_ready
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.replies import Reply, invalid, not_found
from connections.ramp_simulator.world import World

Test = Callable[[Bill], bool]

APPROVALS = ("APPROVED", "INITIALIZED", "PENDING", "REJECTED", "TERMINATED")
_METHODS_TO_ASK_FOR = (
    "ACH",
    "CARD",
    "CHECK",
    "DOMESTIC_WIRE",
    "INTERNATIONAL",
    "LOCAL_BANK_TRANSFER",
    "ONE_TIME_CARD",
    "ONE_TIME_CARD_DELIVERY",
    "PAID_MANUALLY",
    "SWIFT",
)
_SPANS: tuple[tuple[str, Callable[[Bill], Any]], ...] = (
    ("created_at", lambda bill: bill.created_at),
    ("due_date", lambda bill: bill.due_at),
    ("issued_date", lambda bill: bill.issued_at),
    ("paid_at", lambda bill: bill.paid_at),
)


def list_bills(world: World, call: Call) -> Reply:
    tests = [
        *_status_tests(world, call),
        *_subject_tests(world, call),
        *_payment_tests(world, call),
        *_range_tests(call),
    ]
    return page(
        call,
        (row for row in world.bills.of(call.business) if all(test(row) for test in tests)),
        find=lambda row_id: world.bills.get(row_id, call.business),
        render=lambda row: bill_json(world, call, row),
    )


def get_bill(world: World, call: Call) -> Reply:
    bill = world.bills.get(call.params["bill_id"], call.business)
    if bill is None:
        raise not_found("Bill", call.params["bill_id"])
    return Reply(payload=bill_json(world, call, bill, with_trace=True))


def _status_tests(world: World, call: Call) -> list[Test]:
    is_archived = bool(call.flag("is_archived"))
    tests: list[Test] = [lambda bill: (bill.archived_at is not None) == is_archived]
    wanted = call.flag("sync_ready")
    if wanted is not None:
        tests.append(lambda bill: is_ready(world, bill) == wanted)
    if sync_status := call.choice("sync_status", tuple(BillSyncStatus)):
        tests.append(lambda bill: bill.sync_status == sync_status)
    if status := call.choice("payment_status", ("OPEN", "PAID")):
        tests.append(lambda bill: bill.status == status)
    if approval := call.choice("approval_status", APPROVALS):
        tests.append(lambda bill: bill.approval_status == approval)
    if "status_summaries" in call.query:
        summaries = _summaries(call)
        tests.append(lambda bill: summary(bill) in summaries)
    is_enabled = call.flag("is_accounting_sync_enabled")
    if is_enabled is not None:
        tests.append(lambda bill: bill.is_sync_enabled == is_enabled)
    return tests


def _summaries(call: Call) -> set[str]:
    wanted = set(call.query["status_summaries"].split(","))
    if unknown := wanted - set(SUMMARIES):
        raise invalid(
            {"status_summaries": [f"Not a status summary: {', '.join(sorted(unknown))}."]}
        )
    return wanted


def _subject_tests(world: World, call: Call) -> list[Test]:
    tests: list[Test] = []
    if entity := call.uuid("entity_id"):
        tests.append(lambda bill: bill.entity_id == entity)
    if payee := call.uuid("vendor_id"):
        tests.append(lambda bill: bill.payee_id == payee)
    if invoice_number := call.query.get("invoice_number"):
        tests.append(lambda bill: bill.invoice_number == invoice_number)
    if remote_id := call.query.get("remote_id"):
        tests.append(lambda bill: bill.remote_id == remote_id)
    if call.uuid("draft_bill_id"):  # no bill here was a draft
        tests.append(lambda _: False)
    if selection := call.uuid("accounting_field_selection_id"):
        tests.append(lambda bill: selection in coding_of(world, bill).ids())
    return tests


def _payment_tests(world: World, call: Call) -> list[Test]:
    tests: list[Test] = []
    if payment_id := call.uuid("payment_id"):
        tests.append(lambda bill: bill.payment_id == payment_id)
    if friendly := call.query.get("customer_friendly_payment_id"):
        tests.append(
            lambda bill: (
                (found := payment_of(world, bill)) is not None
                and found.customer_friendly_id == friendly
            )
        )
    if method := call.choice("payment_method", _METHODS_TO_ASK_FOR):
        tests.append(lambda bill: _method(world, bill) == method)
    are_missing = call.flag("payment_details_missing")
    if are_missing is not None:
        tests.append(lambda bill: (_method(world, bill) is None) == are_missing)
    return [*tests, *_payment_date_tests(world, call)]


def _payment_date_tests(world: World, call: Call) -> list[Test]:
    """By the day money left the bank; card payments have none."""
    since, until = call.day("from_payment_date"), call.day("to_payment_date")
    if since is None and until is None:
        return []

    def is_within(bill: Bill) -> bool:
        payment = payment_of(world, bill)
        if payment is None or payment.method in CARD_METHODS:
            return False
        day = payment.payment_date.date()
        return (since is None or day >= since) and (until is None or day <= until)

    return [is_within]


def _method(world: World, bill: Bill) -> str | None:
    payment = payment_of(world, bill)
    return payment.method if payment else bill.planned_method


def _range_tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    for name, moment_of in _SPANS:
        if since := call.moment(f"from_{name}"):
            tests.append(_not_before(moment_of, since))
        if until := call.moment(f"to_{name}"):
            tests.append(_not_after(moment_of, until))
    lowest, highest = call.number("min_amount"), call.number("max_amount")
    if lowest is not None:
        tests.append(lambda bill: major_units(bill.minor, bill.currency) >= lowest)
    if highest is not None:
        tests.append(lambda bill: major_units(bill.minor, bill.currency) <= highest)
    return tests


def _not_before(moment_of: Callable[[Bill], Any], since: Any) -> Test:
    return lambda bill: (moment := moment_of(bill)) is not None and moment >= since


def _not_after(moment_of: Callable[[Bill], Any], until: Any) -> Test:
    return lambda bill: (moment := moment_of(bill)) is not None and moment <= until
