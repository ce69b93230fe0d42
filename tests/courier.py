"""Webhooks that a pretend Ramp has sent, and that are still on their way."""

import time

from connections.ramp_simulator.app import Simulator

_STEP, _LONGEST = 0.01, 60
"""Seconds."""


def wait_until_delivered(simulator: Simulator) -> None:
    """Return once the courier, who goes by himself, has been wherever he is due."""
    world = simulator.world
    for _ in range(int(_LONGEST / _STEP)):
        simulator.deliver_webhooks()
        with world.lock:
            if all(owed.due_at > world.clock() for owed in world.deliveries.all()):
                return
        time.sleep(_STEP)
    raise AssertionError("Ramp's courier has not arrived.")
