"""The pretend Ramp as a process of its own, with as many businesses as are wanted, all alike."""

import signal
import sys
import threading
from dataclasses import replace

from connections.ramp_simulator import scenarios
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.scenario_data import PLANS
from connections.ramp_simulator.serving import Serving


def slug_of(number: int) -> str:
    """The name of a business, which is its key too."""
    return f"customer-{number}"


def serve(port: int, businesses: int) -> None:
    """Until asked to end. Nothing limits how often it may be called: we limit ourselves."""
    simulator = Simulator.with_scenario("empty", rate_limit=False)
    with simulator.world.change():
        for slug in map(slug_of, range(businesses)):
            plan = replace(PLANS[0], key=slug, name=slug, currency="USD")
            scenarios._found(simulator.world, plan)  # noqa: SLF001  no scenario has so many
    end = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: end.set())
    with Serving(simulator, port=port):
        end.wait()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
