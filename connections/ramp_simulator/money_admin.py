"""The simulator's own interface: reimbursements, the card's account, and the sync button."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.money_records import (
    Cashback,
    Direction,
    Reimbursement,
    Statement,
    Transfer,
)
from connections.ramp_simulator.records import RequestedRow, SyncRequest, SyncStatus
from connections.ramp_simulator.replies import Reply, created, not_found
from connections.ramp_simulator.sync_button import expire
from connections.ramp_simulator.world import World


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewReimbursement(_Body):
    """`amount` in major units, or `minor`. `lines` are pairs of minor units and account code."""

    amount: float | None = None
    minor: int | None = None
    merchant: str = "Delta Air Lines"
    account_code: str | None = None
    department: str | None = None
    lines: list[tuple[int, str | None]] = []
    original: tuple[int, str] | None = None
    memo: str | None = None
    at: datetime | None = None
    accounting_date: datetime | None = None
    direction: Direction = Direction.BUSINESS_TO_USER
    kind: str = "OUT_OF_POCKET"
    state: str = "REIMBURSED"
    entity_id: str | None = None
    ready: bool = False
    by_force: bool = False
    count: int = Field(default=1, ge=1, le=10_000)


class ReimbursementEdit(_Body):
    memo: str | None = None
    accounting_date: datetime | None = None
    account_code: str | None = None
    options: dict[str, str] | None = None
    vendor_name: str | None = None
    minor: int | None = None


class NewTransfer(_Body):
    amount: float | None = None
    minor: int | None = None
    status: str = "COMPLETED"
    entity_id: str | None = None
    at: datetime | None = None


class TransferStatus(_Body):
    status: str


class NewCashback(_Body):
    amount: float | None = None
    minor: int | None = None
    entity_id: str | None = None
    at: datetime | None = None


class NewStatement(_Body):
    """Without `begin` it goes on where the last one ended."""

    begin: datetime | None = None
    end: datetime | None = None
    entity_ids: list[str] = []


class SyncButton(_Body):
    """Without `ids` everything that is ready is asked for."""

    object_type: str = "transaction"
    ids: list[str] | None = None


class MoneyAdmin:
    """Answers calls about all that; `handle` finds a business by its key."""

    def __init__(self, world: World, handle: Callable[[str], BusinessHandle]) -> None:
        self._world = world
        self._handle = handle
        self.routes: dict[str, Callable[[Call], Reply]] = {
            "GET businesses/{key}/reimbursements": self._reimbursements,
            "POST businesses/{key}/reimbursements": self._create_reimbursements,
            "POST businesses/{key}/transfers": self._create_transfer,
            "POST businesses/{key}/cashbacks": self._create_cashback,
            "POST businesses/{key}/statements": self._create_statement,
            "POST businesses/{key}/sync-button": self._press_sync_button,
            "GET sync-requests/{id}": self._sync_request,
            "GET reimbursements/{id}": self._reimbursement,
            "PATCH reimbursements/{id}": self._edit,
            "POST reimbursements/{id}/{act}": self._act,
            "PATCH transfers/{id}": self._move_transfer,
        }

    def _reimbursements(self, call: Call) -> Reply:
        status = call.choice("sync_status", tuple(SyncStatus))
        limit = int(call.query.get("limit", "100"))
        rows = self._handle(call.params["key"]).reimbursements(status)[-limit:]
        return Reply(payload={"reimbursements": [_claim_json(row) for row in rows]})

    def _create_reimbursements(self, call: Call) -> Reply:
        business, body = self._handle(call.params["key"]), call.json(NewReimbursement)
        details = body.model_dump(exclude={"count"})
        with self._world.change():
            rows = [business.create_reimbursement(**details) for _ in range(body.count)]
            return created({"reimbursements": [_claim_json(row) for row in rows]})

    def _create_transfer(self, call: Call) -> Reply:
        body = call.json(NewTransfer).model_dump()
        return created(_transfer_json(self._handle(call.params["key"]).create_transfer(**body)))

    def _create_cashback(self, call: Call) -> Reply:
        body = call.json(NewCashback).model_dump()
        return created(_row_json(self._handle(call.params["key"]).create_cashback(**body)))

    def _create_statement(self, call: Call) -> Reply:
        body = call.json(NewStatement).model_dump()
        return created(_statement_json(self._handle(call.params["key"]).create_statement(**body)))

    def _press_sync_button(self, call: Call) -> Reply:
        body = call.json(SyncButton)
        business = self._handle(call.params["key"])
        request = business.press_sync_button(body.object_type, body.ids)
        return Reply(payload={"sync_request_id": request.id if request else None})

    def _sync_request(self, call: Call) -> Reply:
        """What became of a press, row by row."""
        with self._world.change():
            expire(self._world)
            request = self._world.sync_requests.get(call.params["id"])
            if request is None:
                raise not_found("Sync request", call.params["id"])
            return Reply(payload=_request_json(request))

    def _reimbursement(self, call: Call) -> Reply:
        _, row = self._claim(call)
        return Reply(payload=_claim_json(row))

    def _edit(self, call: Call) -> Reply:
        business, row = self._claim(call)
        business.edit(row.id, **call.json(ReimbursementEdit).model_dump())
        return Reply(payload=_claim_json(row))

    def _act(self, call: Call) -> Reply:
        """ready, force-ready, unready or export."""
        business, row = self._claim(call)
        acts: dict[str, Callable[[str], object]] = {
            "ready": business.mark_ready,
            "force-ready": lambda row_id: business.mark_ready(row_id, by_force=True),
            "unready": business.take_back,
            "export": business.press_export,
        }
        if call.params["act"] not in acts:
            raise not_found("Act", call.params["act"])
        acts[call.params["act"]](row.id)
        return Reply(payload=_claim_json(row))

    def _move_transfer(self, call: Call) -> Reply:
        row = self._world.transfers.get(call.params["id"])
        if row is None:
            raise not_found("Transfer", call.params["id"])
        self._handle(row.business).move_transfer(row.id, call.json(TransferStatus).status)
        return Reply(payload=_transfer_json(row))

    def _claim(self, call: Call) -> tuple[BusinessHandle, Reimbursement]:
        row = self._world.reimbursements.get(call.params["id"])
        if row is None:
            raise not_found("Reimbursement", call.params["id"])
        return self._handle(row.business), row


def _claim_json(row: Reimbursement) -> dict[str, Any]:
    return _row_json(row) | {
        "merchant": row.merchant_name,
        "direction": row.direction,
        "type": row.kind,
        "state": row.state,
        "accounting_date": wire_time(row.accounting_date),
        "account_codes": [line.account_code for line in row.lines],
        "memo": row.memo,
    }


def _transfer_json(row: Transfer) -> dict[str, Any]:
    return _row_json(row) | {"status": row.status}


def _row_json(row: Reimbursement | Transfer | Cashback) -> dict[str, Any]:
    """The few facts that help to pick something and to see what became of it."""
    return {
        "id": row.id,
        "business": row.business,
        "entity_id": row.entity_id,
        "amount": row.minor,
        "currency": row.currency,
        "sync_status": row.sync_status,
        "reference_id": row.reference_id,
        "export_error": row.export_error,
    }


def _statement_json(row: Statement) -> dict[str, Any]:
    return {
        "id": row.id,
        "business": row.business,
        "begin": wire_time(row.begin),
        "end": wire_time(row.end),
        "balances": {section.entity_id: section.ending for section in row.sections},
        "lines": len(row.lines),
    }


def _request_json(request: SyncRequest) -> dict[str, Any]:
    return {
        "id": request.id,
        "business": request.business,
        "object_type": request.object_type,
        "pressed_at": wire_time(request.pressed_at),
        "expires_at": wire_time(request.expires_at),
        "is_over": request.is_over,
        "rows": [_requested_json(row) for row in request.rows],
    }


def _requested_json(row: RequestedRow) -> dict[str, Any]:
    return {
        "object_id": row.object_id,
        "outcome": row.outcome,
        "result": row.result,
        "at": row.at and row.at.isoformat(),
        "reference_id": row.reference_id,
    }
