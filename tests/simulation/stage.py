"""The two outside worlds, the people in them, and the processes between: one run of the kill test.

This process holds both worlds and survives; `forks` holds what is killed.
"""

import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from unittest.mock import patch

from django.db import connection as database
from django.db.models import QuerySet
from django.test import override_settings

from connections import clients, services
from connections.erp import registry
from connections.erp.records import Idempotency
from connections.mapping_sets import mapping_set
from connections.models import Connection, VendorCreation, WebhookSubscription
from connections.ramp_simulator import scenarios
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.faults import Fault, FaultKind
from connections.ramp_simulator.scenario_data import PLANS
from connections.ramp_simulator.server import Server
from connections.ramp_simulator.serving import Serving
from connections.ramp_simulator.switches import Switches
from rampbridge.lib import failpoints
from syncing import card_bills
from syncing.models import AckBatch, Attachment, Schedule, SyncItem
from syncing.ramp_comparison import RampComparison
from syncing.statements import rows
from tests.simulation import customers, desk, forks, ledgers
from tests.simulation.audit import audit
from tests.simulation.disasters import FORGOTTEN, STOPPED, Disasters
from tests.simulation.fast_time import FastTime
from tests.simulation.ledgers import Ledgers, SocketLedger, Trouble
from tests.simulation.outcome import COMPANIES, WITH_ERRANDS, WORKERS, Outcome, Wanted
from tests.simulation.people import People
from tests.simulation.power import Power
from tests.simulation.strikes import Strikes

_REPORT, _LIST, _BILLS = "POST /accounting/syncs", "GET /transactions", "GET /bills"
RAMP_FAULTS = (
    Fault(kind=FaultKind.LOST_ANSWER, operation=_REPORT, probability=0.06),
    Fault(kind=FaultKind.HANG_UP, operation=_REPORT, probability=0.04),
    Fault(kind=FaultKind.HANG_UP_AFTER, operation=_REPORT, probability=0.05),
    Fault(kind=FaultKind.BURNT_KEY, operation=_REPORT, probability=0.05),
    Fault(kind=FaultKind.ANSWER, operation=_REPORT, probability=0.03, status=429),
    Fault(kind=FaultKind.ANSWER, operation=_REPORT, probability=0.03, status=503),
    Fault(kind=FaultKind.HANG_UP, operation=_LIST, probability=0.03),
    Fault(kind=FaultKind.ANSWER, operation=_LIST, probability=0.02, status=504),
    Fault(kind=FaultKind.HANG_UP, operation=_BILLS, probability=0.03),
    Fault(kind=FaultKind.WEBHOOK_LOST, probability=0.6),
    Fault(kind=FaultKind.WEBHOOK_REPEATED, probability=0.1),
)
POLL_SECONDS = 600
"""Polls take the machine from kills; what no webhook announced is found soon enough."""
_WHAT_FOR = {"settle": "lands_late", "intent": "lost_after"}
"""The fault that a safeguard is there for. Without it there is more of that."""
_REHEARSED = 60
"""Items that go through before anything goes wrong, so that most of the code has run once."""
_TEN_MINUTES = 600.0
_TOLD_WHOLE = 5
"""Exceptions that an outcome has with it, the last ones."""
_BOOKED = ("POSTED", "ACKING", "ACKED")
_SETTLED = ("ACKED", "FAILED", "REVIEW", "EXTERNAL", "WITHDRAWN", "MISMATCH")


class Stage:
    """One run from nothing to quiet; a context manager."""

    def __init__(self, wanted: Wanted, url: str, room: Path, power: Power | None = None) -> None:
        self._wanted = wanted
        self._power = power
        self._log, self._errors = room / "strikes", room / "errors"
        self._strikes = Strikes(self._log)
        self._time = FastTime.from_now(wanted.speed)
        self._time.install(url)
        self._settled = 0
        self._healed_at = 0.0
        self._next_count = 0.0
        self._recoded = 0
        self._disasters: Disasters | None = None
        self._fault = _WHAT_FOR.get(wanted.ablation, "")

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        stack = self._stack
        stack.enter_context(patch.dict(registry.ADAPTERS, {ledgers.KIND: SocketLedger}))
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=64))
        self._time.apply()
        crew = forks.Crew(
            workers=WORKERS,
            log=self._log,
            errors=self._errors,
            listener=listener,
            seed=self._wanted.seed,
            ablation=self._wanted.ablation,
            apply_time=self._time.apply,
            longest_freeze=self._time.on_the_wall(240),
        )
        self._forks = forks.start(crew)  # before any thread and any connection to the database
        stack.callback(self._forks.end)
        if self._power is not None:
            self._disasters = Disasters(self._forks, self._power, kills=self._wanted.kills)
        self._open_worlds(listener.getsockname())
        self._connect_customers()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    # -- the worlds

    def _open_worlds(self, web: tuple[str, int]) -> None:
        switches = Switches(rate_limit=False)
        self.sim = Simulator(seed=self._wanted.seed, clock=self._time.now, switches=switches)
        self._classes = {
            f"{kind.replace('_', '-')}-{number}": Idempotency(kind)
            for kind, count in COMPANIES.items()
            for number in range(count)
        }
        with self.sim.world.change():
            for slug in self._classes:
                plan = replace(PLANS[0], key=slug, name=slug, currency="USD")
                scenarios._found(self.sim.world, plan)
        self.ledgers = Ledgers(random.Random(self._wanted.seed), self._time.on_the_wall)
        for slug, kind in self._classes.items():
            self.ledgers.found(slug, kind)
        self._people = People(self.sim, list(self._classes), random.Random(self._wanted.seed))
        serving = self._stack.enter_context(Serving(self.sim))
        self._erp = Server("127.0.0.1", 0, self.ledgers.wsgi)
        listener = threading.Thread(target=self._erp.serve_forever, daemon=True)
        listener.start()
        self._stack.callback(self._erp.server_close)
        self._stack.callback(self._erp.shutdown)
        self._values = {
            "RAMP_API_URL": serving.address,
            "WEBHOOK_BASE_URL": "http://{}:{}".format(*web),
            "POLL_INTERVAL_SECONDS": POLL_SECONDS,
            "ALLOWED_HOSTS": ["127.0.0.1"],
        }
        self._stack.enter_context(override_settings(**self._values))
        self._forks.begin(self._values)

    def _connect_customers(self) -> None:
        host, port = self._erp.server_address[:2]
        settle = 0.0 if self._wanted.ablation == "settle" else ledgers.SETTLE_SECONDS
        for slug, kind in self._classes.items():
            reached = {
                "host": str(host),
                "port": str(port),
                "company": slug,
                "idempotency": kind.value,
                "settle": str(settle),
                "files": "yes" if slug in WITH_ERRANDS else "no",
                "time_limit": str(self._time.on_the_wall(ledgers.TIME_LIMIT)),
            }
            connection = customers.connect(
                self.sim, slug, reached, creates_vendors=slug in WITH_ERRANDS
            )
            services.subscribe(connection, clients.ramp_client(connection))
        self._answer_challenges()
        while self._people.made < _REHEARSED:
            self._people.act()
        self._forks.rehearse()
        for fault in RAMP_FAULTS:
            self.sim.world.faults.order(fault.model_copy(update={"times": None}))
        self.ledgers.trouble = Trouble()
        if self._fault:
            # An ERP that takes its time, so that a busy machine finds it as surely as an idle one.
            self.ledgers.trouble = Trouble(**{self._fault: 0.5}, latest=_TEN_MINUTES)
        self._forks.arm(strikes=not self._fault)  # kills would only make it wait

    def _answer_challenges(self) -> None:
        waiting = list(WebhookSubscription.objects.select_related("connection"))
        while waiting:
            waiting = [
                one
                for one in waiting
                if not services.answer_challenge(one, clients.ramp_client(one.connection))
            ]
            time.sleep(0.02)

    # -- the people

    def live(self, backlog: int) -> None:
        """Let people do as much as is worked off, and others work."""
        self._have_disaster()
        now = time.monotonic()
        if now >= self._next_count:
            self._next_count = now + 0.2
            self._settled = SyncItem.objects.filter(state__in=_SETTLED).count()
        while self._people.made - self._settled < backlog:
            self._people.act()
        time.sleep(0.02)

    def _have_disaster(self) -> None:
        if self._disasters is None:
            return
        known = SyncItem.objects.count()
        had = self._disasters.strike(self.struck().total())
        if had in (STOPPED, FORGOTTEN):
            database.close()
        if had == FORGOTTEN:  # or nobody would spend until as many are settled anew
            self._people.made -= known - SyncItem.objects.count()
            self._next_count = 0.0

    # -- the end

    def is_through(self, least: int) -> bool:
        """Whether there were enough kills, and enough at each failpoint."""
        if self._fault:
            return self.ledgers.doubled() > 0
        struck = self.struck()
        if struck.total() < self._wanted.kills:
            return False
        if self._disasters is not None and not self._disasters.all_had():
            return False
        return all(struck[name] >= least for name in failpoints.OF_SPEND)

    def struck(self) -> Counter[str]:
        """How often each failpoint has killed."""
        return self._strikes.kills()

    def heal(self) -> None:
        """From now on nothing goes wrong, and nobody spends."""
        self.sim.world.faults.cancel()
        self.ledgers.trouble = None
        self._forks.arm(strikes=False)
        self.ledgers.wait_for_late()
        ((self._healed_at,),) = rows("SELECT now()", None)
        for schedule in Schedule.objects.all():  # one by one, as sweeps lock several of them
            Schedule.objects.filter(pk=schedule.pk).update(next_poll_at=self._healed_at)

    def has_finished(self) -> bool:
        """Whether everybody was polled since, and nothing is left to do by itself."""
        polled = not Schedule.objects.exclude(last_poll_at__gt=self._healed_at).exists()
        return polled and not any(one.exists() for one in _under_way())

    def compare(self) -> None:
        """Compare with Ramp as the program does every night: only so it hears of what others have
        synced, or a failover made it forget. What that sets free is worked off."""
        for connection in Connection.objects.all():
            ramp, mappings = clients.ramp_client(connection), mapping_set(connection)
            comparison = RampComparison(connection, ramp, mappings, since=connection.created_at)
            comparison.run()
            self._recoded += comparison.found["changed_in_ramp"]

    def is_quiet(self) -> bool:
        """Whether all has finished. If so, work is ended for good, for an audit in the middle of it
        would see one half before and the other after."""
        if not self.has_finished():
            return False
        self._forks.halt()
        if self.has_finished():
            return True
        self._forks.arm(strikes=False)
        return False

    def progress(self) -> str:
        """For a run that does not come to its end."""
        states = Counter(SyncItem.objects.values_list("state", flat=True))
        left = [list(one.values_list()[:3]) for one in _under_way()]
        said = "\n".join(self._broken()[-1:])
        return f"{dict(states)}, left {left}, struck {dict(self.struck())}\n{said}"

    def outcome(self) -> Outcome:
        """What the run did, and what it found."""
        for connection in Connection.objects.all():
            card_bills.find_twice(connection)  # as the program does every night
        disasters = self._disasters.had if self._disasters is not None else Counter[str]()
        found = audit(self.sim, self.ledgers, has_forgotten=disasters[FORGOTTEN] > 0)
        if self._recoded:
            found.unexplained.append(f"{self._recoded} are called changed in Ramp, and none was")
        broken = self._broken()
        kills, freezes = self._strikes.kills(), self._strikes.freezes()
        statuses = self.sim.service.statuses
        return Outcome(
            seed=self._wanted.seed,
            ablation=self._wanted.ablation,
            kills=kills.total(),
            freezes=freezes.total(),
            disasters=dict(disasters),
            ended=self._strikes.ended(),
            objects=found.states.total(),
            types=dict(sorted(found.types.items())),
            lost=len(found.lost),
            doubled=len(found.doubled),
            unbalanced=len(found.unbalanced),
            unexplained=len(found.unexplained),
            errors=len(broken),
            failpoints=dict(sorted(kills.items())),
            states=dict(found.states),
            erp_faults=dict(self.ledgers.struck),
            ramp_faults={
                f"{operation} {status or 'cut'}": count
                for (operation, status), count in sorted(statuses.items())
                if status == 0 or status >= 400
            },
            findings=[  # what broke comes first: who prints some of them must not lose its cause
                *(f"broken: {one}" for one in broken[-_TOLD_WHOLE:]),
                *(f"lost: {one}" for one in found.lost),
                *(f"doubled: {one}" for one in found.doubled),
                *(f"unbalanced: {one}" for one in found.unbalanced),
                *(f"unexplained: {one}" for one in found.unexplained),
            ],
        )

    def _broken(self) -> list[str]:
        return desk.noted(self._errors)


def _under_way() -> Iterator[QuerySet[Any]]:
    """All that is still to be done by itself. What waits for a bill moves with the bill."""
    yield SyncItem.objects.exclude(state__in=_SETTLED).exclude(state="READY", due_at=None)
    yield SyncItem.objects.filter(failure_telling__in=["due", "sending"])
    yield AckBatch.objects.filter(state="open")
    yield VendorCreation.objects.exclude(due_at=None)
    yield Attachment.objects.filter(
        state__in=["due", "sending"], item__state__in=_BOOKED, due_at__isnull=False
    ).exclude(item__erp_id="")
