"""The pretend Ramp as a whole: a WSGI application, and the hands to work it with.

sim = Simulator.with_scenario("small", seed=1, rate_limit=False)
client = httpx.Client(transport=httpx.WSGITransport(app=sim.wsgi), base_url="http://ramp")
sim.business("harbor-coffee").create_transaction("18.40", account_code="6300", ready=True)
"""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import httpx

from connections.ramp_simulator import files, ledger, scenarios
from connections.ramp_simulator.admin import Admin
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.clock import Clock, system_clock
from connections.ramp_simulator.deliveries import Attempt, Courier
from connections.ramp_simulator.faults import Fault, FaultKind
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.replies import Reply
from connections.ramp_simulator.service import Answered, Service
from connections.ramp_simulator.store import NoStore, Store
from connections.ramp_simulator.switches import Switches
from connections.ramp_simulator.world import World


class Simulator:
    """A Ramp with no businesses yet; see `with_scenario` for one that has some."""

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: Clock = system_clock,
        store: Store | None = None,
        switches: Switches | None = None,
        webhook_client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.seed = seed
        self.world = World(
            clock=clock, seed=seed, store=store or NoStore(), switches=switches or Switches()
        )
        self._webhook_client = webhook_client or httpx.Client(trust_env=False)
        self.courier = Courier(self.world, client=self._webhook_client, seed=seed)
        self.service = Service(self.world, seed=seed, deliver=self.courier.deliver_due, sleep=sleep)
        self.admin = Admin(self.world, self.service, self.courier)

    @classmethod
    def with_scenario(
        cls,
        name: str,
        *,
        seed: int = 1,
        scale: float = 1,
        rate_limit: bool = True,
        clock: Clock = system_clock,
        store: Store | None = None,
        webhook_client: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> "Simulator":
        """The named scenario, or what the store kept of an earlier run."""
        sim = cls(
            seed=seed,
            clock=clock,
            store=store,
            switches=Switches(rate_limit=rate_limit),
            webhook_client=webhook_client,
            sleep=sleep,
        )
        if not sim.world.load():
            with sim.world.change():
                scenarios.play(sim.world, name, seed=seed, scale=scale)
        return sim

    def close(self) -> None:
        self._webhook_client.close()
        self.world.close()

    def wsgi(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        call = Call.from_environ(environ)
        if call.path.startswith(Admin.PREFIX):
            reply = self.admin.answer(call)
        elif call.path.startswith(files.PREFIX):
            reply = files.serve(self.world, call)
        else:
            reply = self.service.answer(call)
        return _send(reply, start_response)

    def business(self, key: str) -> BusinessHandle:
        """:raises KeyError: if the scenario has no such business"""
        return BusinessHandle(self.world, self.world.business(key))

    def businesses(self) -> list[BusinessHandle]:
        return [BusinessHandle(self.world, record) for record in self.world.businesses.all()]

    def fault(self, kind: FaultKind | str, operation: str = "*", **details: Any) -> Fault:
        """Order trouble, such as `fault("lost_answer", "POST /accounting/syncs", times=2)`."""
        return self.world.faults.order(
            Fault.model_validate({"kind": kind, "operation": operation, **details})
        )

    def ledger(self, business: str | None = None) -> Iterator[dict[str, Any]]:
        return ledger.entries(self.world, business)

    def deliver_webhooks(self) -> int:
        """Deliver everything that is due now, in this thread; the number of attempts."""
        return self.courier.deliver_due()

    @property
    def switches(self) -> Switches:
        return self.world.switches

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called, such as `calls["GET /transactions"]`."""
        return self.service.calls

    @property
    def log(self) -> deque[Answered]:
        return self.service.log

    @property
    def webhook_attempts(self) -> deque[Attempt]:
        return self.courier.log


def _send(reply: Reply, start_response: StartResponse) -> Iterable[bytes]:
    status = HTTPStatus(reply.status)
    headers = [("Content-Type", reply.content_type), *reply.headers.items()]
    if reply.stream is not None:
        start_response(f"{status.value} {status.phrase}", headers)
        return reply.stream
    body = reply.to_bytes()
    headers.append(("Content-Length", str(len(body))))
    start_response(f"{status.value} {status.phrase}", headers)
    return [body]
