"""The part of the simulator's own interface that is about moving from one provider to another."""

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from connections.ramp_simulator import direct
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.replies import Reply, created
from connections.ramp_simulator.seats import connection_json
from connections.ramp_simulator.switching import FieldMapping


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Provider(_Body):
    name: str = direct.PROVIDER
    vendors: tuple[str, ...] = ()


class Syncing(_Body):
    """`most`: only so many objects for now."""

    most: int | None = Field(default=None, ge=1)


class Switching(_Body):
    """`to` is the name of a connection that is marked ready; the rest maps old ids to new ones."""

    to: str
    fields: dict[str, str] = {}
    options: dict[str, str] = {}
    accounts: dict[str, str] = {}
    vendors: dict[str, str] = {}
    tax_codes: dict[str, str] = {}


class SwitchingBack(_Body):
    connection_id: str


class MigrationAdmin:
    """Answers calls about the old provider; `handle` finds a business by its key."""

    def __init__(self, handle: Callable[[str], BusinessHandle]) -> None:
        self._handle = handle
        self.routes: dict[str, Callable[[Call], Reply]] = {
            "POST businesses/{key}/provider": self._connect,
            "POST businesses/{key}/provider/sync": self._sync,
            "POST businesses/{key}/switch": self._switch,
            "POST businesses/{key}/switch-back": self._switch_back,
        }

    def _connect(self, call: Call) -> Reply:
        body = call.json(Provider) if call.body else Provider()
        connection = self._business(call).connect_provider(body.name, vendors=body.vendors)
        return created(connection_json(connection))

    def _sync(self, call: Call) -> Reply:
        body = call.json(Syncing) if call.body else Syncing()
        return Reply(payload={"synced": self._business(call).sync_directly(body.most)})

    def _switch(self, call: Call) -> Reply:
        body = call.json(Switching)
        mapping = FieldMapping(**body.model_dump(exclude={"to"}))
        return Reply(
            payload=connection_json(self._business(call).switch_provider(body.to, mapping))
        )

    def _switch_back(self, call: Call) -> Reply:
        body = call.json(SwitchingBack)
        return Reply(payload=connection_json(self._business(call).switch_back(body.connection_id)))

    def _business(self, call: Call) -> BusinessHandle:
        return self._handle(call.params["key"])
