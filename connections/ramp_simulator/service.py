"""One API call from the door to the answer, with whatever trouble was ordered for it."""

import random
import re
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import httpx

from connections.ramp_simulator import bad_rows, meddling, oauth, sync_button, syncs
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.faults import Fault, FaultKind
from connections.ramp_simulator.operations import PREFIX, Found, Routes
from connections.ramp_simulator.rate_limit import RollingWindow
from connections.ramp_simulator.records import Token
from connections.ramp_simulator.replies import HTML, ApiError, Reply, html_page
from connections.ramp_simulator.world import World

UNKNOWN_PATH = "unknown"
_LOG_LENGTH = 5_000
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_MESSAGES = {429: "Too many requests", 504: "The request took too long"}
# No source tells Ramp's own codes for these two.
_RATE_LIMITED, _OUT_OF_ORDER = "DEVELOPER_7429", "DEVELOPER_7500"


class HungUp(httpx.RemoteProtocolError):
    """The line is cut. In process this reaches the client as httpx would raise it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A line of the log: what was asked and how it went. Status 0: the line was cut."""

    at: datetime
    operation: str
    path: str
    query: dict[str, str]
    business: str
    status: int
    trace_id: str


class Service:
    """Answers API calls. Counts them, under `calls`, also the ones it refused."""

    def __init__(
        self,
        world: World,
        *,
        seed: int,
        deliver: Callable[[], object],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.calls: Counter[str] = Counter()
        self.statuses: Counter[tuple[str, int]] = Counter()
        self.log: deque[Answered] = deque(maxlen=_LOG_LENGTH)
        self._world = world
        self._deliver = deliver
        self._sleep = sleep
        self._routes = Routes()
        self._window = RollingWindow()
        self._trace_ids = random.Random(seed)

    def answer(self, call: Call) -> Reply:
        """:raises HungUp: if a fault cuts the line"""
        trace_id = str(UUID(int=self._trace_ids.getrandbits(128), version=4))
        status = 0
        try:
            reply = self._answer(call, trace_id)
            reply.headers["x-trace-id"] = trace_id
            status = reply.status
            return reply
        finally:
            self._note(call, status, trace_id)

    def reset_counters(self) -> None:
        with self._world.lock:
            self.calls.clear()
            self.statuses.clear()
            self.log.clear()

    def _answer(self, call: Call, trace_id: str) -> Reply:
        found = self._routes.find(call.method, call.path) if _is_ours(call.path) else None
        call.operation = found.operation.name if found else UNKNOWN_PATH
        try:
            self._limit(call)
            if found is None:
                return self._no_such_path(call)
            with self._world.lock:
                token = oauth.recognise(self._world, call)
            self._trouble_before(call)
            reply = self._perform(call, found, token, trace_id)
        except ApiError as error:
            return error.reply(trace_id)
        except PageInstead:
            return html_page(404, "Not Found")
        return self._trouble_after(call, reply)

    def _limit(self, call: Call) -> None:
        world = self._world
        with world.lock:
            if world.switches.rate_limit and not self._window.admit(call.peer, world.clock()):
                raise ApiError(429, _RATE_LIMITED, _MESSAGES[429])

    def _no_such_path(self, call: Call) -> Reply:
        if _is_ours(call.path) and self._routes.has_path(call.path):
            return html_page(405, "Method Not Allowed")
        return html_page(404, "Not Found")

    def _perform(self, call: Call, found: Found, token: Token | None, trace_id: str) -> Reply:
        """Do it, keep it, and only then let anyone know."""
        world, operation = self._world, found.operation
        call.params = found.params
        with world.change():
            sync_button.expire(world)
            try:
                if not operation.is_open:
                    oauth.authorise(world, call, token, operation.scope)
                self._burn_key(call)
                bad_rows.refuse(world, call)
                meddling.change_on_order(world, call)
                reply = operation.handler(world, call)
            except ApiError as error:
                reply = error.reply(trace_id)
            self._distort(call, reply)
            reply.body = reply.to_bytes()
        if operation.name == "POST /webhooks" and world.switches.challenge == "before_answer":
            self._deliver()
        return reply

    def _take(self, kind: FaultKind, call: Call) -> Fault | None:
        return self._world.faults.take(kind, call.operation, call.business)

    def _trouble_before(self, call: Call) -> None:
        """Trouble that leaves everything as it was."""
        if fault := self._take(FaultKind.SLOW, call):
            self._sleep(fault.seconds)
        if self._take(FaultKind.HANG_UP, call):
            raise HungUp("Server disconnected without sending a response.")
        if self._take(FaultKind.HTML_404, call):
            raise PageInstead
        if self._take(FaultKind.TOKEN_UNKNOWN, call):
            raise oauth.unknown_token(self._world)
        if self._take(FaultKind.TOKEN_EXPIRED, call):
            raise oauth.expired_token()
        if self._take(FaultKind.SCOPE_MISSING, call):
            raise oauth.missing_scope("accounting:write")
        if fault := self._take(FaultKind.ANSWER, call):
            raise AnswerInstead(fault, default_status=500)

    def _burn_key(self, call: Call) -> None:
        if call.operation != "POST /accounting/syncs":
            return
        if self._take(FaultKind.BURNT_KEY, call):
            key = str(call.json_object().get("idempotency_key"))
            syncs.use_key(self._world, call, key, self._world.ids.uuid())
            raise ApiError(500, _OUT_OF_ORDER, "Internal server error")

    def _trouble_after(self, call: Call, reply: Reply) -> Reply:
        """Trouble on the way back, when everything is done."""
        if fault := self._take(FaultKind.SLOW_ANSWER, call):
            self._sleep(fault.seconds)
        if self._take(FaultKind.HANG_UP_AFTER, call):
            raise HungUp("Server disconnected without sending a response.")
        if fault := self._take(FaultKind.LOST_ANSWER, call):
            return AnswerInstead(fault, default_status=504).reply("")
        if self._take(FaultKind.NOT_JSON, call):
            return replace(html_page(200, "Ramp"), content_type=HTML)
        return reply

    def _distort(self, call: Call, reply: Reply) -> None:
        """Trouble inside an answer."""
        payload = reply.payload
        if _is_list(payload):
            self._distort_list(call, payload)
        is_7062 = reply.status == 400 and payload["error_v2"]["error_code"] == "DEVELOPER_7062"
        if is_7062 and self._take(FaultKind.NOT_READY_WITHOUT_IDS, call):
            without = _UUID.sub("", payload["error_v2"]["message"]).rstrip(":, ")
            payload["error_v2"]["message"] = payload["error"]["message"] = without

    def _distort_list(self, call: Call, payload: dict[str, Any]) -> None:
        if payload["data"] and self._take(FaultKind.MALFORMED_ROW, call):
            payload["data"][0] |= {"amount": "a lot", "line_items": None}
        following = payload["page"]["next"]
        if following and self._take(FaultKind.BARE_CURSOR, call):
            payload["page"]["next"] = payload["data"][-1]["id"]
        if following and self._take(FaultKind.FOREIGN_CURSOR, call):
            payload["page"]["next"] = following.replace(call.base_url, "https://ramp.example")
        if following and self._take(FaultKind.LOOPING_CURSOR, call):
            start = call.query.get("start") or payload["data"][-1]["id"]
            query = urlencode(call.query | {"start": start})
            payload["page"]["next"] = f"{call.base_url}{call.path}?{query}"
        if self._take(FaultKind.NO_PAGE, call):
            payload["page"] = None

    def _note(self, call: Call, status: int, trace_id: str) -> None:
        with self._world.lock:
            self.calls[call.operation] += 1
            self.statuses[call.operation, status] += 1
            self.log.append(
                Answered(
                    at=self._world.clock(),
                    operation=call.operation,
                    path=call.path,
                    query=call.query,
                    business=call.business,
                    status=status,
                    trace_id=trace_id,
                )
            )


class PageInstead(Exception):
    """A web page is to be answered in place of an API answer."""


class AnswerInstead(ApiError):
    """The answer that a fault gives."""

    def __init__(self, fault: Fault, *, default_status: int) -> None:
        status = fault.status or default_status
        message = fault.message or _MESSAGES.get(status, "Internal server error")
        super().__init__(status, fault.code or _OUT_OF_ORDER, message)
        self._headers = fault.headers

    def reply(self, error_id: str) -> Reply:
        reply = super().reply(error_id)
        reply.headers |= self._headers
        return reply


def _is_ours(path: str) -> bool:
    return path.startswith(f"{PREFIX}/")


def _is_list(payload: Any) -> bool:
    return isinstance(payload, dict) and payload.keys() == {"data", "page"}
