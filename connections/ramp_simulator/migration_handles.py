"""A business as tests hold it: the connection that Ramp itself runs, and the switch from it."""

from collections.abc import Mapping

from connections.ramp_simulator import direct, switching
from connections.ramp_simulator.records import Connection
from connections.ramp_simulator.switching import FieldMapping
from connections.ramp_simulator.world import World


class MigrationHandle:
    """The part of `BusinessHandle` that is about moving from one provider to another."""

    _world: World
    key: str

    def connect_provider(
        self, name: str = direct.PROVIDER, *, vendors: tuple[str, ...] = ()
    ) -> Connection:
        """Somebody connects an accounting program that Ramp itself reads, chart and all."""
        with self._world.change():
            return direct.connect(self._world, self.key, name=name, vendors=vendors)

    def sync_directly(self, most: int | None = None) -> int:
        """That program syncs what is ready, or only so much of it; how many objects.

        :raises NotPossible: if no connection that Ramp itself runs has the seat
        """
        with self._world.change():
            return direct.sync(self._world, self.key, most=most)

    def switch_provider(
        self, name: str, mapping: FieldMapping | Mapping[str, Mapping[str, str]] | None = None
    ) -> Connection:
        """Switch Providers in Ramp's pages: what is ready is lost, codings come along as mapped.

        :raises NotPossible: if no connection of that name is marked ready
        """
        if not isinstance(mapping, FieldMapping):
            mapping = FieldMapping(**(mapping or {}))
        with self._world.change():
            return switching.switch(self._world, self.key, name, mapping)

    def switch_back(self, connection_id: str) -> Connection:
        """The connection that was left comes back into the seat.

        :raises NotPossible: if there is no such connection
        """
        with self._world.change():
            return switching.switch_back(self._world, self.key, connection_id)
