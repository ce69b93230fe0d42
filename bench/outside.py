"""The two sides we speak to, Ramp and the ERP: where they are, and how to look into them."""

import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.pretend_erp import DOCUMENTS, PACE
from rampbridge.embedded import processes
from rampbridge.embedded.home import LOOPBACK, ROOT, usable_port
from rampbridge.embedded.processes import Program

START_TIMEOUT = 60.0
STOP_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Purchases:
    """Transactions to put into a business, all ready to sync."""

    count: int
    account_code: str = "6300"
    department: str = "ENG"


class Outside:
    """The pretend Ramp and the pretend ERP at their addresses, as an onlooker sees them.

    What is asked here is not counted as a call by either.
    """

    def __init__(self, *, ramp_url: str, erp_url: str) -> None:
        self.ramp_url = ramp_url
        self.erp_url = erp_url
        self._http = httpx.Client(timeout=60, trust_env=False)

    def business(self, key: str) -> dict[str, Any]:
        """What the pretend Ramp knows of a business, its client's secret too."""
        return self._get(f"{self.ramp_url}/_simulator/businesses/{key}")

    def buy(self, key: str, purchases: Purchases) -> list[str]:
        """People spend money. The ids of the transactions."""
        answer = self._http.post(
            f"{self.ramp_url}/_simulator/businesses/{key}/transactions",
            json={
                "count": purchases.count,
                "minor": 1840,
                "merchant": "Sweetgreen",
                "account_code": purchases.account_code,
                "department": purchases.department,
                "memo": "Lunch with the team",
                "has_receipt": False,
                "ready": True,
            },
        )
        answer.raise_for_status()
        return [row["id"] for row in answer.json()["transactions"]]

    def ramp_calls(self) -> dict[str, int]:
        """How often each of Ramp's operations was called."""
        return dict(self._get(f"{self.ramp_url}/_simulator/calls")["calls"])

    def forget_ramp_calls(self) -> None:
        self._http.delete(f"{self.ramp_url}/_simulator/calls").raise_for_status()

    def erp_calls(self) -> int:
        return int(self._get(self.erp_url + DOCUMENTS)["calls"])

    def booked(self) -> int:
        """How many documents the ERP holds."""
        return int(self._get(self.erp_url + DOCUMENTS)["documents"])

    def take_time(self, *, ramp: float, erp: float) -> None:
        """From now on each call takes so many seconds, as calls over the world's networks do."""
        faults = f"{self.ramp_url}/_simulator/faults"
        self._http.delete(faults).raise_for_status()
        if ramp:
            slow = {"kind": "slow", "seconds": ramp, "times": None}
            self._http.post(faults, json=slow).raise_for_status()
        self._http.post(self.erp_url + PACE, json=erp).raise_for_status()

    def close(self) -> None:
        self._http.close()

    def _get(self, url: str) -> dict[str, Any]:
        answer = self._http.get(url)
        answer.raise_for_status()
        return dict(answer.json())


@contextmanager
def outside_processes(*, businesses: int = 0) -> Iterator[Outside]:
    """Both sides as processes of their own, so that what they cost is not counted as ours.

    :param businesses: how many there are beside the demo's, see `pretend_ramp`
    """
    ramp_port, erp_port = usable_port(0), usable_port(0)
    with ExitStack() as room:
        logs = Path(room.enter_context(tempfile.TemporaryDirectory(prefix="rb-bench-")))
        outside = Outside(
            ramp_url=f"http://{LOOPBACK}:{ramp_port}", erp_url=f"http://{LOOPBACK}:{erp_port}"
        )
        room.callback(outside.close)
        ramp = ("-m", "bench.pretend_ramp")
        for address, argv in (
            (f"{outside.ramp_url}/_simulator/", [*ramp, str(ramp_port), str(businesses)]),
            (outside.erp_url + DOCUMENTS, ["-m", "bench.pretend_erp", str(erp_port)]),
        ):
            room.enter_context(_served(address, argv, log=logs / "log"))
        yield outside


@contextmanager
def _served(address: str, argv: Sequence[str], *, log: Path) -> Iterator[None]:
    program = Program(argv=[sys.executable, *argv], log=log, cwd=ROOT)
    process = processes.start(program)
    try:
        deadline = time.monotonic() + START_TIMEOUT
        while not _answers(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{argv} does not answer:\n{processes.tail(log)}")
            time.sleep(0.1)
        yield
    finally:
        processes.ask_to_end(process, program)
        processes.await_end(process, timeout=STOP_TIMEOUT)


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
