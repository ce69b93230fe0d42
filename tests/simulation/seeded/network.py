"""The line between us and the pretend Ramp: it delays, loses and refuses on purpose.

It holds at each request what no request may break: INV3 (nothing is reported as booked that is
not), INV8 (no request mixes two customers), INV9 (a key says the same bytes for ever) and INV10
(never more than 200 in ten seconds).
"""

import json
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.bill_records import BillSyncStatus
from connections.ramp_simulator.faults import FaultKind
from tests.simulation.seeded.findings import Book
from tests.simulation.seeded.processes import Killed, me
from tests.simulation.seeded.scheduler import Scheduler

URL = "http://ramp.test"
REPORT_FAULTS = (
    "ramp_lost_before",
    "ramp_lost_after",
    "ramp_504_after",
    "ramp_429",
    "ramp_500",
    "ramp_503",
    "ramp_burnt_key",
    "ramp_7062_nameless",
    "ramp_slow",
)
LIST_FAULTS = ("ramp_lost_before", "ramp_429", "ramp_503", "ramp_504", "ramp_slow")
UPLOAD_FAULTS = (
    "ramp_lost_before",
    "ramp_lost_after",
    "ramp_504_after",
    "ramp_429",
    "ramp_500",
    "ramp_503",
    "ramp_bad_row",
    "ramp_slow",
)
FAULTS = tuple(dict.fromkeys((*REPORT_FAULTS, *LIST_FAULTS)))
_CHART = re.compile(
    r"/developer/v1/accounting/"
    r"(accounts|vendors|fields|field-options|all-connections|connection|tax)\b"
)
_REPORT = "/developer/v1/accounting/syncs"
_TOKEN = "/developer/v1/token"
_WRITES_SUFFER, _CHARTS_SUFFER = 2.0, 0.25
"""So many times as often as lists: there are few writes, and they are what matters. Charts are read
by many calls in a row, which must not all be in vain."""
_WINDOW, _BUDGET = 10.0, 200
_CUT_AFTER = 60.0
"""Ramp answers 504 then, whatever became of the call."""


@dataclass
class RampLine(httpx.BaseTransport):
    """What all requests of one run to Ramp go through."""

    scheduler: Scheduler
    book: Book
    sim: Simulator
    is_booked: Callable[[str, str, str], bool]
    """By slug, sync type and Ramp's id: whether its document stands in the customer's books."""
    trouble: float = 0.0
    _bodies: dict[str, bytes] = field(default_factory=dict)
    _sent_at: deque[float] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self._wire = httpx.WSGITransport(app=self.sim.wsgi)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        scheduler = self.scheduler
        process = me()
        if process is not None:
            scheduler.check_alive(process)
        request.read()
        self._check(request)
        fault = self._fault(request)
        longest = 40.0 if fault == "ramp_slow" else 0.3
        try:
            scheduler.wait(scheduler.dice.uniform(0.01, longest))
        except Killed:
            if scheduler.dice.random() < 0.5:  # it is on its way already
                later = scheduler.clock.seconds + scheduler.dice.uniform(0, 1)
                scheduler.at(later, lambda: self._arrive(request))
            raise
        answer = self._trouble_before(fault, request) or self._arrive(request)
        scheduler.pause("ramp_sent")
        scheduler.wait(scheduler.dice.uniform(0.01, longest))
        if fault == "ramp_lost_after":
            raise httpx.ReadError("The line was cut.", request=request)
        if fault == "ramp_504_after":
            scheduler.wait(_CUT_AFTER)
            return _answer(504, request)
        return answer

    def _fault(self, request: httpx.Request) -> str:
        dice, is_report = self.scheduler.dice, request.url.path == _REPORT
        is_chart = _CHART.match(request.url.path) is not None
        is_upload = is_chart and request.method != "GET"
        times = _WRITES_SUFFER if is_report or is_upload else _CHARTS_SUFFER if is_chart else 1.0
        if dice.random() >= self.trouble * times:
            return ""
        if is_upload:
            fault = dice.choice(UPLOAD_FAULTS)
            self.book.faults[f"upload_{fault}"] += 1
            return fault
        fault = dice.choice(REPORT_FAULTS if is_report else LIST_FAULTS)
        self.book.faults[fault] += 1
        return fault

    def _trouble_before(self, fault: str, request: httpx.Request) -> httpx.Response | None:
        match fault:
            case "ramp_lost_before":
                raise httpx.RemoteProtocolError("Server disconnected.", request=request)
            case "ramp_429":
                return _answer(429, request, {"Retry-After": "3"})
            case "ramp_500" | "ramp_503":
                return _answer(int(fault[-3:]), request)
            case "ramp_504":
                self.scheduler.wait(_CUT_AFTER)
                return _answer(504, request)
            case "ramp_burnt_key":
                self.sim.fault(FaultKind.BURNT_KEY, "POST /accounting/syncs")
            case "ramp_bad_row":
                self._refuse_a_row(request)
            case "ramp_7062_nameless":
                self.sim.fault(FaultKind.NOT_READY_WITHOUT_IDS, "POST /accounting/syncs")
            case _:
                pass
        return None

    def _refuse_a_row(self, request: httpx.Request) -> None:
        """Ramp takes all of an upload or nothing, and may or may not say whose fault that is."""
        lists = [one for one in json.loads(request.content or b"{}").values() if _is_upload(one)]
        if lists:
            bad, is_named = self.scheduler.dice.choice(lists[0]), self.scheduler.dice.random() < 0.5
            self.sim.fault(FaultKind.BAD_ROW, row_id=bad["id"], is_named=is_named)

    def _arrive(self, request: httpx.Request) -> httpx.Response:
        """Ramp hears of it."""
        if request.url.path == _REPORT:
            self._check_report(request)
        response = self._wire.handle_request(request)
        response.read()
        self.sim.world.faults.cancel()  # what was meant for this call and did not fit
        return response

    # -- what no request may break

    def _check(self, request: httpx.Request) -> None:
        now = self.scheduler.clock.seconds
        self.book.calls["ramp"] += 1
        self._sent_at.append(now)
        while self._sent_at[0] <= now - _WINDOW:
            self._sent_at.popleft()
        if len(self._sent_at) > _BUDGET:
            self.book.breaks("INV10", f"{len(self._sent_at)} requests in {_WINDOW:.0f} s")
        process = me()
        whose = self._business(request)
        if process is not None and whose and whose != process.customer:
            self.book.breaks(
                "INV8", f"{request.url.path} is asked in the name of {whose} for {process.customer}"
            )
        if request.url.path == _REPORT:
            key = json.loads(request.content)["idempotency_key"]
            if self._bodies.setdefault(key, request.content) != request.content:
                self.book.breaks("INV9", f"another body goes out under the key {key}")

    def _business(self, request: httpx.Request) -> str:
        """Whose token it carries; empty if it carries none that is known."""
        secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return next((one.business for one in self.sim.world.tokens.all() if one.id == secret), "")

    def _check_report(self, request: httpx.Request) -> None:
        said = json.loads(request.content)
        slug = self._business(request)
        for line in said.get("successful_syncs", ()):
            if slug and not self.is_booked(slug, said["sync_type"], line["id"]):
                self.book.breaks("INV3", f"{line['id']} is reported as {line['reference_id']}")
            if slug and said["sync_type"] == "BILL_PAYMENT_SYNC":
                self._check_bill_was_told(slug, line["id"])

    def _check_bill_was_told(self, slug: str, bill_id: str) -> None:
        """A bill is reported before its payment."""
        bill = self.sim.business(slug).bill(bill_id)
        if bill.sync_status is BillSyncStatus.NOT_SYNCED:
            self.book.breaks("rule 10", f"the payment of {bill_id} is reported before the bill")


def _is_upload(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], dict)


def _answer(
    status: int, request: httpx.Request, headers: dict[str, str] | None = None
) -> httpx.Response:
    error = {"error_v2": {"error_code": "DEVELOPER_7000", "message": "Out of order"}}
    return httpx.Response(status, json=error, headers=headers, request=request)
