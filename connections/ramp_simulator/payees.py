"""Ramp's own vendors, the ones that bills come from: list, one by id, and their link to the ERP."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from connections.ramp_simulator import bodies
from connections.ramp_simulator.amounts import converted, currency_amount
from connections.ramp_simulator.bill_records import Bill, Payee
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import Vendor
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.codings import Codebook, book_of
from connections.ramp_simulator.pages import page
from connections.ramp_simulator.replies import Reply, invalid, not_found
from connections.ramp_simulator.world import World

Test = Callable[[Payee], bool]


def list_payees(world: World, call: Call) -> Reply:
    tests = _tests(call)
    bills: defaultdict[str, list[Bill]] = defaultdict(list)
    for bill in world.bills.of(call.business):
        bills[bill.payee_id].append(bill)
    return page(
        call,
        (row for row in world.payees.of(call.business) if all(test(row) for test in tests)),
        find=lambda row_id: world.payees.get(row_id, call.business),
        render=lambda row: _payee_json(world, row, bills[row.id]),
    )


def get_payee(world: World, call: Call) -> Reply:
    return Reply(payload=_detail_json(world, requested(world, call)))


def patch_payee(world: World, call: Call) -> Reply:
    """Link it to an accounting vendor of the active connection, by the ERP's id or by Ramp's."""
    payee = requested(world, call)
    body = call.json(bodies.PayeePatch)
    book = book_of(world, call.business)
    if body.accounting_vendor_remote_id and body.vendor_tracking_category_option_id:
        raise invalid({"_schema": ["Give at most one of the two ids."]})
    if body.accounting_vendor_remote_id:
        chosen = body.accounting_vendor_remote_id
        if book.vendor_of_remote_id(chosen) is None:
            raise invalid({"accounting_vendor_remote_id": ["Not an accounting vendor."]})
        payee.linked_to = chosen
    if body.vendor_tracking_category_option_id:
        option = book.vendor(str(body.vendor_tracking_category_option_id))
        if option is None:
            raise invalid({"vendor_tracking_category_option_id": ["Not an accounting vendor."]})
        payee.linked_to = option.external_id
    if body.is_active is not None:
        payee.is_active = body.is_active
    world.payees.put(payee)
    return Reply(payload=_detail_json(world, payee))


def requested(world: World, call: Call) -> Payee:
    payee = world.payees.get(call.params["vendor_id"], call.business)
    if payee is None:
        raise not_found("Vendor", call.params["vendor_id"])
    return payee


def accounting_vendor(book: Codebook, payee: Payee) -> Vendor | None:
    """What people linked it to, if the active connection has that."""
    if payee.linked_to is None:
        return None
    return book.vendor_of_remote_id(payee.linked_to) or book.vendor_named(payee.linked_to)


def vendor_of_bill(book: Codebook, payee: Payee) -> dict[str, Any]:
    """The vendor as a bill shows it: with the ERP's names for it once it is linked."""
    shown: dict[str, Any] = {"id": payee.id, "name": payee.name, "type": "BUSINESS"}
    if linked := accounting_vendor(book, payee):
        shown["remote_name"] = linked.name
        if linked.code:
            shown["remote_code"] = linked.code
        if payee.has_remote_id:
            shown["remote_id"] = linked.external_id
    return shown


def _tests(call: Call) -> list[Test]:
    tests: list[Test] = []
    if since := call.moment("from_created_at"):
        tests.append(lambda row: row.created_at >= since)
    if owner := call.uuid("vendor_owner_id"):
        tests.append(lambda row: row.owner_id == owner)
    is_active = call.flag("is_active")
    if is_active is not None:
        tests.append(lambda row: row.is_active == is_active)
    if name := call.query.get("name"):
        tests.append(lambda row: name.casefold() in row.name.casefold())
    if "sk_category_ids" in call.query:  # vendors here have no category
        tests.append(lambda _: False)
    return tests


def _payee_json(world: World, row: Payee, bills: Sequence[Bill]) -> dict[str, Any]:
    linked = accounting_vendor(book_of(world, row.business), row)
    return {
        "id": row.id,
        "name": row.name,
        "country": row.country,
        "created_at": wire_time(row.created_at),
        "contacts": [row.contact_id],
        "accounting_vendor_remote_id": linked and linked.external_id,
        "is_active": row.is_active,
        "is_deletable": not bills and not row.paid_before,
        "vendor_owner_id": row.owner_id,
        "vendor_type": "BUSINESS",
        **({"state": row.state} if row.state else {}),
        **({"merchant_id": row.merchant_id} if row.merchant_id else {}),
        **_spend(world, row, bills),
    }


def _detail_json(world: World, row: Payee) -> dict[str, Any]:
    bills = [bill for bill in world.bills.of(row.business) if bill.payee_id == row.id]
    return _payee_json(world, row, bills) | {"custom_form_collection_response": None}


def _spend(world: World, row: Payee, bills: Sequence[Bill]) -> dict[str, Any]:
    """What was paid to it, in the business's own currency."""
    now = world.clock()
    currency = world.business(row.business).currency
    paid = [
        (bill.paid_at, converted(bill.minor, bill.currency, bill.fx_rate, currency))
        for bill in bills
        if bill.paid_at
    ]

    def since(moment: datetime, before: int = 0) -> dict[str, Any]:
        spent = before + sum(minor for at, minor in paid if at >= moment)
        return currency_amount(spent, currency)

    return {
        "total_spend_all_time": since(datetime.min.replace(tzinfo=now.tzinfo), row.paid_before),
        "total_spend_last_30_days": since(now - timedelta(days=30)),
        "total_spend_last_365_days": since(now - timedelta(days=365), row.paid_before),
        "total_spend_ytd": since(now.replace(month=1, day=1, hour=0, minute=0, second=0)),
    }
