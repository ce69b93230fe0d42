"""The part of the simulator's own interface that is about seats, charts, switches and scopes."""

from collections.abc import Callable
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict

from connections.ramp_simulator.bodies import Classification
from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.chart_records import ChartRow, FieldOption
from connections.ramp_simulator.handles import BusinessHandle
from connections.ramp_simulator.records import ConnectionType
from connections.ramp_simulator.replies import Reply, created, no_content
from connections.ramp_simulator.seats import connection_json
from connections.ramp_simulator.world import World

_SHOWN = 1_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ChartAccount(_Body):
    id: str
    name: str
    code: str | None = None
    classification: Classification = "EXPENSE"


class ChartDepartment(_Body):
    id: str
    name: str
    code: str | None = None


class ChartVendor(_Body):
    id: str
    name: str


class ChartTaxCode(_Body):
    """With a rate of its own; `account_id` is the ERP's id of a GL account."""

    id: str
    name: str
    rate: str
    account_id: str


class Chart(_Body):
    accounts: list[ChartAccount] = []
    departments: list[ChartDepartment] = []
    vendors: list[ChartVendor] = []
    tax_codes: list[ChartTaxCode] = []
    connection_name: str = "rampbridge"


class RowChange(_Body):
    """What somebody changes in Ramp's pages; null leaves a value alone."""

    name: str | None = None
    code: str | None = None
    display_name: str | None = None
    is_active: bool | None = None
    is_hidden: bool | None = None


class Seat(_Body):
    name: str
    connection_type: ConnectionType = ConnectionType.API


class Leaving(_Body):
    """`give_back`: the API connection that had the seat before gets it again."""

    give_back: bool = False


class Scopes(_Body):
    scopes: list[str]


class NewVendor(_Body):
    """One of Ramp's own vendors; `linked_to` is an accounting vendor, by the ERP's id or name."""

    name: str
    linked_to: str | None = None
    email: str | None = None


class ChartAdmin:
    """Answers calls about seats and charts; `handle` finds a business by its key."""

    def __init__(self, world: World, handle: Callable[[str], BusinessHandle]) -> None:
        self._world = world
        self._handle = handle
        self.routes: dict[str, Callable[[Call], Reply]] = {
            "GET businesses/{key}/chart": self._chart,
            "POST businesses/{key}/chart": self._upload,
            "PATCH businesses/{key}/chart/{kind}/{id}": self._change,
            "POST businesses/{key}/seat": self._occupy,
            "DELETE businesses/{key}/seat": self._leave,
            "POST businesses/{key}/seat/revoke": self._revoke,
            "PATCH businesses/{key}/settings": self._flip,
            "POST businesses/{key}/scopes": self._grant,
            "DELETE businesses/{key}/scopes/{scope}": self._remove_scope,
            "POST businesses/{key}/vendors": self._create_vendor,
        }

    def _chart(self, call: Call) -> Reply:
        """What the active connection has, up to a thousand of each kind."""
        limit = int(call.query.get("limit", _SHOWN))
        with self._world.lock:
            charted = self._business(call).charted()
            return Reply(
                payload={
                    kind: [_row_json(row) for row in islice(rows, limit)]
                    for kind, rows in charted.items()
                }
            )

    def _upload(self, call: Call) -> Reply:
        body = call.json(Chart)
        connection = self._business(call).upload_chart(**body.model_dump())
        return created(connection_json(connection))

    def _change(self, call: Call) -> Reply:
        change = call.json(RowChange).model_dump()
        row = self._business(call).change_in_ramp(call.params["kind"], call.params["id"], **change)
        return Reply(payload=_row_json(row))

    def _occupy(self, call: Call) -> Reply:
        body = call.json(Seat)
        connection = self._business(call).occupy_seat(body.name, body.connection_type)
        return created(connection_json(connection))

    def _leave(self, call: Call) -> Reply:
        leaving = call.json(Leaving) if call.body else Leaving()
        self._business(call).disconnect(give_back=leaving.give_back)
        return no_content()

    def _revoke(self, call: Call) -> Reply:
        self._business(call).revoke_connection()
        return no_content()

    def _flip(self, call: Call) -> Reply:
        """Switches by name, such as {"vendor_credits_enabled": true}."""
        business = self._business(call)
        with self._world.change():
            for name, value in call.json_object().items():
                business.flip_switch(name, on=value is True)
        connection = business.connection
        return Reply(payload=connection and connection_json(connection))

    def _grant(self, call: Call) -> Reply:
        self._business(call).grant_scopes(call.json(Scopes).scopes)
        return no_content()

    def _remove_scope(self, call: Call) -> Reply:
        self._business(call).remove_scope(call.params["scope"])
        return no_content()

    def _create_vendor(self, call: Call) -> Reply:
        payee = self._business(call).create_vendor(**call.json(NewVendor).model_dump())
        return created({"id": payee.id, "name": payee.name, "linked_to": payee.linked_to})

    def _business(self, call: Call) -> BusinessHandle:
        return self._handle(call.params["key"])


def _row_json(row: ChartRow) -> dict[str, Any]:
    shown = {
        "id": row.external_id,
        "ramp_id": row.id,
        "name": row.name,
        "code": row.code,
        "is_active": row.is_active,
    }
    return shown | ({"is_hidden": row.is_hidden} if isinstance(row, FieldOption) else {})
