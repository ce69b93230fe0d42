"""The simulator's own interface under `/_simulator/`, for this machine only.

What people do in Ramp's pages, faults on order, switches, counters, and the ledger.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from connections.ramp_simulator import ledger, seats
from connections.ramp_simulator.bill_admin import BillAdmin
from connections.ramp_simulator.calls import Call, fit
from connections.ramp_simulator.chart_admin import ChartAdmin
from connections.ramp_simulator.clock import wire_time
from connections.ramp_simulator.deliveries import Courier
from connections.ramp_simulator.faults import Fault
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.migration_admin import MigrationAdmin
from connections.ramp_simulator.money_admin import MoneyAdmin
from connections.ramp_simulator.people import NotPossible
from connections.ramp_simulator.records import SyncStatus, Transaction
from connections.ramp_simulator.replies import (
    LINES,
    ApiError,
    Reply,
    created,
    no_content,
    not_found,
)
from connections.ramp_simulator.seats import connection_json
from connections.ramp_simulator.service import Service
from connections.ramp_simulator.switches import Switches
from connections.ramp_simulator.world import World

Handler = Callable[[Call], Reply]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewTransaction(_Body):
    """`amount` in major units, or `minor`. `lines` are pairs of minor units and account code."""

    amount: float | None = None
    minor: int | None = None
    merchant: str = "Staples"
    account_code: str | None = None
    tax_code: str | None = None
    department: str | None = None
    lines: list[tuple[int, str | None]] = []
    original: tuple[int, str] | None = None
    memo: str | None = None
    at: datetime | None = None
    accounting_date: datetime | None = None
    state: str = "CLEARED"
    entity_id: str | None = None
    has_receipt: bool = True
    ready: bool = False
    count: int = Field(default=1, ge=1, le=10_000)


class TransactionEdit(_Body):
    memo: str | None = None
    accounting_date: datetime | None = None
    account_code: str | None = None
    tax_code: str | None = None
    options: dict[str, str] | None = None
    vendor_name: str | None = None
    minor: int | None = None


class Rate(_Body):
    per_minute: float = Field(ge=0)


class Admin:
    """Answers calls under `/_simulator/`."""

    PREFIX = "/_simulator/"

    def __init__(self, world: World, service: Service, courier: Courier) -> None:
        self._world = world
        self._service = service
        self._courier = courier
        self.set_traffic: Callable[[float], None] | None = None
        routes: dict[str, Handler] = {
            "GET ": self._overview,
            "GET businesses": self._businesses,
            "GET businesses/{key}": self._one_business,
            "GET businesses/{key}/transactions": self._transactions,
            "POST businesses/{key}/transactions": self._create_transaction,
            "POST businesses/{key}/export": self._export_all,
            "POST businesses/{key}/tokens/expire": self._expire_tokens,
            "POST businesses/{key}/tokens/revoke": self._revoke_tokens,
            "POST businesses/{key}/keys/forget": self._forget_keys,
            "GET transactions/{id}": self._transaction,
            "PATCH transactions/{id}": self._edit,
            "POST transactions/{id}/{act}": self._act,
            "GET faults": self._faults,
            "POST faults": self._order_fault,
            "DELETE faults": self._cancel_faults,
            "DELETE faults/{id}": self._cancel_faults,
            "GET switches": self._switches,
            "PATCH switches": self._set_switches,
            "POST traffic": self._set_traffic,
            "GET calls": self._calls,
            "DELETE calls": self._reset_calls,
            "GET log": self._log,
            "GET deliveries": self._deliveries,
            "GET ledger": self._ledger,
            **ChartAdmin(world, self._handle).routes,
            **BillAdmin(world, self._handle).routes,
            **MoneyAdmin(world, self._handle).routes,
            **MigrationAdmin(self._handle).routes,
        }
        self._names = sorted(routes)
        self._routes = [
            (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", name)), handler)
            for name, handler in routes.items()
        ]

    def answer(self, call: Call) -> Reply:
        if not ipaddress.ip_address(call.peer).is_loopback:
            return ApiError(403, "SIMULATOR", "Only this machine may work it.").reply("")
        try:
            return self._find(call)(call)
        except ApiError as error:
            return error.reply("")
        except NotPossible as refusal:
            return ApiError(409, "SIMULATOR", str(refusal)).reply("")

    def _find(self, call: Call) -> Handler:
        asked = f"{call.method} {call.path.removeprefix(self.PREFIX)}"
        for pattern, handler in self._routes:
            if match := pattern.fullmatch(asked):
                call.params = match.groupdict()
                return handler
        raise not_found("Simulator operation", asked)

    def _overview(self, _: Call) -> Reply:
        return Reply(payload={"operations": self._names})

    # Businesses

    def _businesses(self, _: Call) -> Reply:
        with self._world.lock:
            rows = [self._business_json(row.key) for row in self._world.businesses.all()]
        return Reply(payload={"businesses": rows})

    def _one_business(self, call: Call) -> Reply:
        with self._world.lock:
            return Reply(payload=self._business_json(self._business(call).key))

    def _transactions(self, call: Call) -> Reply:
        status = call.choice("sync_status", tuple(SyncStatus))
        limit = int(call.query.get("limit", "100"))
        with self._world.lock:
            rows = self._business(call).transactions(status)[-limit:]
            return Reply(payload={"transactions": [_row_json(row) for row in rows]})

    def _create_transaction(self, call: Call) -> Reply:
        body = call.json(NewTransaction)
        business = self._business(call)
        details = body.model_dump(exclude={"count"})
        with self._world.change():
            rows = [business.create_transaction(**details) for _ in range(body.count)]
            return created({"transactions": [_row_json(row) for row in rows]})

    def _export_all(self, call: Call) -> Reply:
        return Reply(payload={"ids": self._business(call).press_export()})

    def _expire_tokens(self, call: Call) -> Reply:
        self._business(call).expire_tokens()
        return no_content()

    def _revoke_tokens(self, call: Call) -> Reply:
        self._business(call).revoke_tokens()
        return no_content()

    def _forget_keys(self, call: Call) -> Reply:
        self._business(call).forget_keys()
        return no_content()

    # Transactions

    def _transaction(self, call: Call) -> Reply:
        _, row = self._owner(call)
        return Reply(payload=_row_json(row))

    def _edit(self, call: Call) -> Reply:
        business, row = self._owner(call)
        business.edit(row.id, **call.json(TransactionEdit).model_dump())
        return Reply(payload=_row_json(row))

    def _act(self, call: Call) -> Reply:
        """ready, force-ready, unready, export, clear or receipt."""
        business, row = self._owner(call)
        acts: dict[str, Callable[[str], object]] = {
            "ready": business.mark_ready,
            "force-ready": lambda row_id: business.mark_ready(row_id, by_force=True),
            "unready": business.take_back,
            "export": business.press_export,
            "clear": business.clear,
            "receipt": business.add_receipt,
        }
        if call.params["act"] not in acts:
            raise not_found("Act", call.params["act"])
        acts[call.params["act"]](row.id)
        return Reply(payload=_row_json(row))

    # Trouble and how it went

    def _faults(self, _: Call) -> Reply:
        faults = self._world.faults.ordered()
        return Reply(payload={"faults": [fault.model_dump() for fault in faults]})

    def _order_fault(self, call: Call) -> Reply:
        return created(self._world.faults.order(call.json(Fault)).model_dump())

    def _cancel_faults(self, call: Call) -> Reply:
        fault_id = call.params.get("id")
        self._world.faults.cancel(int(fault_id) if fault_id else None)
        return no_content()

    def _switches(self, _: Call) -> Reply:
        return Reply(payload=self._world.switches.model_dump())

    def _set_switches(self, call: Call) -> Reply:
        wanted = self._world.switches.model_dump() | call.json_object()
        switches = fit(Switches, wanted)
        for name, value in switches.model_dump().items():
            setattr(self._world.switches, name, value)
        return self._switches(call)

    def _set_traffic(self, call: Call) -> Reply:
        if self.set_traffic is None:
            raise NotPossible("Traffic runs only where the simulator is served on a port.")
        self.set_traffic(call.json(Rate).per_minute)
        return no_content()

    def _calls(self, _: Call) -> Reply:
        with self._world.lock:
            statuses: dict[str, dict[str, int]] = {}
            for (operation, status), times in sorted(self._service.statuses.items()):
                statuses.setdefault(operation, {})[str(status)] = times
            return Reply(payload={"calls": dict(self._service.calls), "statuses": statuses})

    def _reset_calls(self, _: Call) -> Reply:
        self._service.reset_counters()
        return no_content()

    def _log(self, _: Call) -> Reply:
        with self._world.lock:
            return Reply(payload={"log": [asdict(row) for row in self._service.log]})

    def _deliveries(self, _: Call) -> Reply:
        with self._world.lock:
            owed = [asdict(row) for row in self._world.deliveries.all()]
            attempts = [asdict(attempt) for attempt in self._courier.log]
        return Reply(payload={"owed": owed, "attempts": attempts})

    def _ledger(self, call: Call) -> Reply:
        """One JSON object per line: everything that is ready or synced, or was spoken of."""
        business = call.query.get("business")
        if business is not None:
            self._handle(business)
        return Reply(content_type=LINES, stream=_lines(ledger.entries(self._world, business)))

    def _business(self, call: Call) -> BusinessHandle:
        return self._handle(call.params["key"])

    def _handle(self, key: str) -> BusinessHandle:
        try:
            return BusinessHandle(self._world, self._world.business(key))
        except KeyError as error:
            raise not_found("Business", key) from error

    def _owner(self, call: Call) -> tuple[BusinessHandle, Transaction]:
        row = self._world.transactions.get(call.params["id"])
        if row is None:
            raise not_found("Transaction", call.params["id"])
        return self._handle(row.business), row

    def _business_json(self, key: str) -> dict[str, Any]:
        world = self._world
        record = self._handle(key).record
        active = seats.active(world, key)
        return {
            "key": record.key,
            "id": record.id,
            "name": record.name,
            "currency": record.currency,
            "client_id": record.client_id,
            "client_secret": record.client_secret,
            "scopes": record.scopes,
            "connection": active and connection_json(active),
            "connections": [connection_json(row) for row in world.connections.of(key)],
            "entities": [
                {"id": row.id, "name": row.name, "currency": row.currency}
                for row in world.entities.of(key)
            ],
            "transactions": {
                status.value: len(world.transactions.in_status(key, status))
                for status in SyncStatus
            },
        }


def _row_json(row: Transaction) -> dict[str, Any]:
    """The few facts that help to pick a transaction and to see what became of it."""
    return {
        "id": row.id,
        "business": row.business,
        "entity_id": row.entity_id,
        "merchant": row.merchant_name,
        "amount": row.minor,
        "currency": row.currency,
        "state": row.state,
        "sync_status": row.sync_status,
        "accounting_date": wire_time(row.accounting_date),
        "account_codes": [line.account_code for line in row.lines],
        "memo": row.memo,
        "reference_id": row.reference_id,
        "export_error": row.export_error,
    }


def _lines(entries: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    for entry in entries:
        yield orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
