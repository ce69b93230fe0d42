"""The part of the simulator's own interface that is about bills and vendor credits."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connections.ramp_simulator.bill_codings import payee_of
from connections.ramp_simulator.bill_json import summary
from connections.ramp_simulator.bill_records import Bill, VendorCredit
from connections.ramp_simulator.bill_states import is_ready
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.replies import Reply, created, not_found
from connections.ramp_simulator.world import World


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewBill(_Body):
    """`amount` in major units, or `minor`. `lines` are pairs of minor units and account code."""

    amount: float | None = None
    minor: int | None = None
    vendor: str = "Uline"
    currency: str | None = None
    fx_rate: str = "1"
    account_code: str | None = None
    tax_code: str | None = None
    department: str | None = None
    lines: list[tuple[int, str | None]] = []
    invoice_number: str | None = None
    memo: str | None = None
    issued_at: datetime | None = None
    due_at: datetime | None = None
    accounting_date: datetime | None = None
    planned_method: str | None = "ACH"
    is_sync_enabled: bool = True
    entity_id: str | None = None
    approved: bool = True
    count: int = Field(default=1, ge=1, le=10_000)


class BillChange(_Body):
    memo: str | None = None
    invoice_number: str | None = None
    accounting_date: datetime | None = None
    account_code: str | None = None
    tax_code: str | None = None
    options: dict[str, str] | None = None
    planned_method: str | None = None
    is_sync_enabled: bool | None = None
    minor: int | None = None


class NewPayment(_Body):
    """`amount` is what the payment says, in the payer's major units; else what is due."""

    method: str = "ACH"
    together_with: list[str] = []
    amount: float | None = None
    at: datetime | None = None
    trace_id: str | None = None
    transaction_ids: list[str] = []
    is_card_ready: bool = True


class NewCheck(_Body):
    together_with: list[str] = []
    trace_id: str | None = None
    at: datetime | None = None


class NewCredit(_Body):
    amount: float | None = None
    minor: int | None = None
    vendor: str = "Uline"
    account_code: str | None = None
    department: str | None = None
    reference_number: str | None = None
    entity_id: str | None = None


class Application(_Body):
    """Of a vendor credit to a bill; without `minor` all that fits."""

    bill_id: str
    minor: int | None = None


class BillAdmin:
    """Answers calls about bills; `handle` finds a business by its key."""

    def __init__(self, world: World, handle: Callable[[str], BusinessHandle]) -> None:
        self._world = world
        self._handle = handle
        self.routes: dict[str, Callable[[Call], Reply]] = {
            "GET businesses/{key}/bills": self._bills,
            "POST businesses/{key}/bills": self._create_bill,
            "POST businesses/{key}/vendor-credits": self._create_credit,
            "GET bills/{id}": self._bill,
            "PATCH bills/{id}": self._edit,
            "POST bills/{id}/pay": self._pay,
            "POST bills/{id}/check": self._start_check,
            "POST bills/{id}/{act}": self._act,
            "POST vendor-credits/{id}/apply": self._apply_credit,
        }

    def _bills(self, call: Call) -> Reply:
        limit = int(call.query.get("limit", "100"))
        bills = self._handle(call.params["key"]).bills(sync_ready=call.flag("sync_ready"))
        with self._world.lock:
            return Reply(payload={"bills": [self._json(bill) for bill in bills[-limit:]]})

    def _create_bill(self, call: Call) -> Reply:
        business, body = self._handle(call.params["key"]), call.json(NewBill)
        details = body.model_dump(exclude={"count", "currency"})
        if body.currency:
            details["currency"] = body.currency
        with self._world.change():
            bills = [business.create_bill(**details) for _ in range(body.count)]
            return created({"bills": [self._json(bill) for bill in bills]})

    def _create_credit(self, call: Call) -> Reply:
        business, body = self._handle(call.params["key"]), call.json(NewCredit)
        return created(_credit_json(business.create_vendor_credit(**body.model_dump())))

    def _bill(self, call: Call) -> Reply:
        _, bill = self._owner(call)
        return Reply(payload=self._json(bill))

    def _edit(self, call: Call) -> Reply:
        business, bill = self._owner(call)
        business.edit_bill(bill.id, **call.json(BillChange).model_dump())
        return Reply(payload=self._json(bill))

    def _pay(self, call: Call) -> Reply:
        business, bill = self._owner(call)
        business.pay_bill(bill.id, **call.json(NewPayment).model_dump())
        return Reply(payload=self._json(bill))

    def _start_check(self, call: Call) -> Reply:
        business, bill = self._owner(call)
        business.start_check(bill.id, **call.json(NewCheck).model_dump())
        return Reply(payload=self._json(bill))

    def _act(self, call: Call) -> Reply:
        """approve, reject, archive or export."""
        business, bill = self._owner(call)
        acts: dict[str, Callable[[str], object]] = {
            "approve": business.approve_bill,
            "reject": business.reject_bill,
            "archive": business.archive_bill,
            "export": business.export_bill,
        }
        if call.params["act"] not in acts:
            raise not_found("Act", call.params["act"])
        acts[call.params["act"]](bill.id)
        return Reply(payload=self._json(bill))

    def _apply_credit(self, call: Call) -> Reply:
        credit = self._world.vendor_credits.get(call.params["id"])
        if credit is None:
            raise not_found("Vendor credit", call.params["id"])
        body = call.json(Application)
        self._handle(credit.business).apply_vendor_credit(credit.id, body.bill_id, minor=body.minor)
        return Reply(payload=_credit_json(credit))

    def _owner(self, call: Call) -> tuple[BusinessHandle, Bill]:
        bill = self._world.bills.get(call.params["id"])
        if bill is None:
            raise not_found("Bill", call.params["id"])
        return self._handle(bill.business), bill

    def _json(self, bill: Bill) -> dict[str, Any]:
        """The few facts that help to pick a bill and to see what became of it."""
        return {
            "id": bill.id,
            "business": bill.business,
            "entity_id": bill.entity_id,
            "vendor": payee_of(self._world, bill).name,
            "invoice_number": bill.invoice_number,
            "amount": bill.minor,
            "currency": bill.currency,
            "status": bill.status,
            "approval_status": bill.approval_status,
            "status_summary": summary(bill),
            "sync_status": bill.sync_status,
            "sync_ready": is_ready(self._world, bill),
            "payment_id": bill.payment_id,
            "account_codes": [line.account_code for line in bill.lines],
            "reference_id": bill.booking.reference_id,
            "export_error": bill.booking.export_error,
            "payment_reference_id": bill.settling.reference_id,
            "payment_export_error": bill.settling.export_error,
        }


def _credit_json(credit: VendorCredit) -> dict[str, Any]:
    return {
        "id": credit.id,
        "business": credit.business,
        "amount": credit.minor,
        "currency": credit.currency,
        "applied": credit.applied,
    }
