"""The simulator with all that runs beside it: its port, its courier, its traffic."""

import threading

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.deliveries import CourierThread
from connections.ramp_simulator.server import Server
from connections.ramp_simulator.traffic import Traffic, TrafficThread


class Serving:
    """Serves from the moment it is made until `stop`; also as a context manager."""

    def __init__(
        self,
        simulator: Simulator,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        traffic_per_minute: float = 0,
    ) -> None:
        self.simulator = simulator
        self._server = Server(host, port, simulator.wsgi)
        self._courier = CourierThread(simulator.courier, simulator.world)
        traffic = Traffic(simulator.world, seed=simulator.seed)
        self._traffic = TrafficThread(traffic, per_minute=traffic_per_minute)
        simulator.admin.set_traffic = self._traffic.set_rate
        self._listener = threading.Thread(
            target=self._server.serve_forever, name="ramp-simulator-listener", daemon=True
        )
        for thread in (self._listener, self._courier, self._traffic):
            thread.start()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:12345`, without a path."""
        return self._server.address

    def stop(self) -> None:
        """Take no more calls, end the threads and close the store."""
        self._traffic.stop()
        self._courier.stop()
        self._server.shutdown()
        self._server.server_close()
        for thread in (self._listener, self._courier, self._traffic):
            thread.join()
        self.simulator.close()

    def __enter__(self) -> "Serving":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
