"""Vendor credits: the lists with their filters, one by id, and what people do with them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from connections.ramp_simulator import payees
from connections.ramp_simulator.amounts import currency_amount
from connections.ramp_simulator.bill_codings import coding_of
from connections.ramp_simulator.bill_json import expense_json, goods_json
from connections.ramp_simulator.bill_records import Bill, Payee, VendorCredit
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import Entity, Line
from connections.ramp_simulator.replies import Reply, not_found
from connections.ramp_simulator.world import World

Test = Callable[[VendorCredit], bool]

_CURRENCY = "USD"


def list_credits(world: World, call: Call) -> Reply:
    return _page(world, call, _tests(call))


def list_credits_of_payee(world: World, call: Call) -> Reply:
    payee = payees.requested(world, call)
    return _page(world, call, [*_tests(call), lambda row: row.payee_id == payee.id])


def get_credit(world: World, call: Call) -> Reply:
    row = world.vendor_credits.get(call.params["vendor_credit_id"], call.business)
    if row is None:
        raise not_found("Vendor credit", call.params["vendor_credit_id"])
    return Reply(payload=_credit_json(world, row))


@dataclass(slots=True, kw_only=True)
class CreditNote:
    """What a vendor grants, in minor units; see `Invoice` for the lines."""

    minor: int
    account_code: str | None = None
    lines: Sequence[tuple[int, str | None]] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    accounting_date: date | None = None
    reference_number: str | None = None
    reference_bill_id: str | None = None


def grant(world: World, entity: Entity, payee: Payee, note: CreditNote) -> VendorCredit:
    """:raises NotPossible: if the entity's money is not US dollars, or the lines do not add up"""
    if entity.currency != _CURRENCY:
        raise NotPossible(f"Vendor credits are in {_CURRENCY} only.")
    now = world.clock()
    parts = note.lines or [(note.minor, note.account_code)]
    if sum(minor for minor, _ in parts) != note.minor:
        raise NotPossible(f"The lines do not make the {note.minor} of the vendor credit.")
    return world.vendor_credits.put(
        VendorCredit(
            id=world.ids.uuid(),
            seq=world.ids.rank(),
            business=entity.business,
            payee_id=payee.id,
            entity_id=entity.id,
            minor=note.minor,
            currency=_CURRENCY,
            accounting_date=note.accounting_date or now.date(),
            created_at=now,
            lines=[
                Line(minor=minor, currency=_CURRENCY, converted_minor=None, account_code=code)
                for minor, code in parts
            ],
            reference_number=note.reference_number,
            reference_bill_id=note.reference_bill_id,
            options=dict(note.options),
        )
    )


def apply(world: World, credit: VendorCredit, bill: Bill, minor: int | None = None) -> int:
    """Set a part of the credit off against a bill, or all that fits; the minor units it took.

    :raises NotPossible: if the bill is of another vendor, archived, or being paid, or the part
        does not fit
    """
    if bill.payee_id != credit.payee_id or bill.currency != credit.currency:
        raise NotPossible("A vendor credit goes to bills of its vendor and currency.")
    if bill.archived_at or bill.payment_id:
        raise NotPossible("A vendor credit goes to open bills.")
    fits = min(credit.minor - credit.applied_minor, bill.minor - sum(bill.credits.values()))
    taken = fits if minor is None else minor
    if not 0 < taken <= fits:
        raise NotPossible(f"{taken} does not fit; at most {fits} can be set off.")
    credit.applied[bill.id] = credit.applied.get(bill.id, 0) + taken
    bill.credits[credit.id] = bill.credits.get(credit.id, 0) + taken
    world.vendor_credits.put(credit)
    world.bills.put(bill)
    return taken


def _page(world: World, call: Call, tests: Sequence[Test]) -> Reply:
    rows = world.vendor_credits.of(call.business)
    return page(
        call,
        (row for row in rows if all(test(row) for test in tests)),
        find=lambda row_id: world.vendor_credits.get(row_id, call.business),
        render=lambda row: _credit_json(world, row),
    )


def _tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if not call.flag("include_fully_used"):
        tests.append(lambda row: row.applied_minor < row.minor)
    if entity := call.uuid("entity_id"):
        tests.append(lambda row: row.entity_id == entity)
    if since := call.moment("from_created_at"):
        tests.append(lambda row: row.created_at >= since)
    if until := call.moment("to_created_at"):
        tests.append(lambda row: row.created_at <= until)
    if first := call.day("from_accounting_date"):
        tests.append(lambda row: row.accounting_date >= first)
    if last := call.day("to_accounting_date"):
        tests.append(lambda row: row.accounting_date <= last)
    return tests


def _credit_json(world: World, row: VendorCredit) -> dict[str, Any]:
    coded = coding_of(world, row)
    return {
        "id": row.id,
        "vendor_id": row.payee_id,
        "entity_id": row.entity_id,
        "accounting_date": row.accounting_date.isoformat(),
        "created_at": wire_time(row.created_at),
        "reference_number": row.reference_number,
        "reference_bill_id": row.reference_bill_id,
        "total_amount": currency_amount(row.minor, row.currency),
        "total_applied_amount": currency_amount(row.applied_minor, row.currency),
        "remaining_amount": currency_amount(row.minor - row.applied_minor, row.currency),
        "applied_bills": [
            {"bill_id": bill_id, "amount": currency_amount(minor, row.currency)}
            for bill_id, minor in row.applied.items()
        ],
        "applied_draft_bills": [],
        "expense_line_items": [
            expense_json(line, selections)
            for line, selections in zip(row.lines, coded.lines, strict=True)
        ],
        "inventory_line_items": [
            goods_json(goods, selections)
            for goods, selections in zip(row.inventory_lines, coded.inventory_lines, strict=True)
        ],
        "accounting_field_selections": coded.body,
    }
