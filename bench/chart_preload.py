"""Calls that fill an inactive connection beside an active one, over the fewest possible.

20,000 records: accounts, vendors, and the options of one field. They stand in the ERP, are read and
uploaded by the wizard's own step, from the asking to the end of its run. To prove afterwards that
both sides are alike is another act and not among them.
"""

import uuid

from bench.figures import Measured
from bench.mirrored_chart import AT_ONCE
from bench.virtual_service import VirtualService, virtual_service
from connections import clients
from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.records import Master, MasterKind
from connections.mirror.conditions import MODELS
from connections.mirror.diff import ACCOUNT, FIELD, OPTION, VENDOR
from connections.models import Connection
from connections.ramp_simulator import seats
from connections.ramp_simulator.records import ConnectionType
from migrations_tool import gates, running, services
from migrations_tool.models import ConnectionMigration, StepRun
from migrations_tool.steps import Act, Path, Step

STAGE = virtual_service
ACCOUNTS, OPTIONS, VENDORS = 2_000, 8_000, 10_000
FIELD_ID = "project"


def measure(
    service: VirtualService,
    accounts: int = ACCOUNTS,
    options: int = OPTIONS,
    vendors: int = VENDORS,
) -> Measured:
    connection = service.connect("preload")
    with service.ramp.world.change():
        seats.occupy(service.ramp.world, "preload", "QuickBooks", ConnectionType.DIRECT)
    _fill(connection, accounts, options, vendors)
    migration = services.start(
        connection, path=Path.MIGRATION, actor="bench", now=service.clock.now()
    )
    _do(service, migration, Step.CONNECTION)
    service.forget_calls()
    _do(service, migration, Step.PRELOAD)
    made = service.calls
    fewest = _fewest(connection)
    return Measured(sum(made.values()) / fewest, {"fewest": fewest, "made": made})


def _fill(connection: Connection, accounts: int, options: int, vendors: int) -> None:
    """What the ERP has to offer, beside the little that every one here begins with."""
    erp = clients.erp_adapter(connection)
    assert isinstance(erp, InMemoryErp)
    put = erp.books.put
    put(Master(MasterKind.DIMENSION, FIELD_ID, "Project"))
    for n in range(accounts):
        code = f"A{n}"
        put(
            Master(
                MasterKind.ACCOUNT, f"a-{n}", f"Account {n}", code=code, classification="EXPENSE"
            )
        )
    for n in range(options):
        put(Master(MasterKind.DIMENSION_VALUE, f"o-{n}", f"Project {n}", parent=FIELD_ID))
    for n in range(vendors):
        put(Master(MasterKind.VENDOR, f"v-{n}", f"Vendor {n}"))


def _do(service: VirtualService, migration: ConnectionMigration, step: Step) -> None:
    run = _asked(service, migration, step)
    done = running.do(run, clock=service.clock.now)
    assert done, "nobody else is at it"
    assert done.state == StepRun.State.DONE, f"{done.title} {done.fix}"


def _asked(service: VirtualService, migration: ConnectionMigration, step: Step) -> uuid.UUID:
    version = gates.standings_of(migration)[step].version
    now = service.clock.now()
    run = services.ask(migration, step, Act.APPLY, version=version, actor="bench", now=now)
    return run.pk


def _fewest(connection: Connection) -> int:
    """A call per field, and as many uploads as there are full ones and a last one of each kind."""
    calls = 0
    for kind in (ACCOUNT, VENDOR):
        calls += -(-_in_ramp(kind, connection) // AT_ONCE)
    for field in MODELS[FIELD].objects.filter(connection=connection, ramp_id__isnull=False):
        calls += 1 - (-_in_ramp(OPTION, connection, field=field) // AT_ONCE)
    return calls


def _in_ramp(kind: str, connection: Connection, **which: object) -> int:
    rows = MODELS[kind].objects.filter(connection=connection, ramp_id__isnull=False, **which)
    return int(rows.count())
