"""Charts as large as they come, for benchmarks of the mirror: in our rows, as the ERP would fill
them, and the calls that Ramp cannot be spared.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import F, Value
from django.db.models.functions import Concat, Now

from bench.virtual_service import VirtualService
from connections import clients
from connections.mirror import refresh, schedule
from connections.mirror.schedule import Due
from connections.models import Connection, CustomField, FieldOption, Mirror, MirrorRun, Vendor
from connections.ramp.rate_limit import Lane

AT_ONCE = 500
"""Records per upload, says Ramp."""
PUSH = Due(push=True)


def customer(service: VirtualService, slug: str, *, vendors: int, options: int) -> Connection:
    """A customer whose ERP has just got so many vendors, and so many values of one dimension."""
    connection = service.connect(slug)
    _fill(Vendor, (Vendor(connection=connection, **_named(n, "Vendor")) for n in range(vendors)))
    field = CustomField.objects.create(connection=connection, erp_id="project", name="Project")
    _fill(
        FieldOption,
        (
            FieldOption(connection=connection, field=field, **_named(n, "Project"))
            for n in range(options)
        ),
    )
    return connection


def fewest_calls(vendors: int, options: int) -> int:
    """The field, and as many uploads as there are full ones and a last one."""
    return 1 + sum(-(-count // AT_ONCE) for count in (vendors, options))


def change_every(nth: int, connection: Connection) -> int:
    """Rename one in so many of what was made here. Returns how many."""
    changed = 0
    for model in (Vendor, FieldOption):
        made = model.objects.filter(connection=connection, erp_id__startswith="n-")
        chosen = list(made.order_by("pk").values_list("pk", flat=True))[::nth]
        changed += model.objects.filter(pk__in=chosen).update(
            name=Concat(F("name"), Value(", renamed")), changed_at=Now()
        )
    return changed


def upload(service: VirtualService, connection: Connection) -> dict[str, int]:
    """One run that uploads. Returns the calls it made, by operation."""
    service.forget_calls()
    schedule.ensure(connection)
    Mirror.objects.filter(connection=connection).update(lease_until=None)
    lease = schedule.take(connection.pk, also=PUSH)
    assert lease, "nobody else is at it"
    run = refresh.refresh(
        connection,
        clients.erp_adapter(connection),
        clients.ramp_client(connection, lane=Lane.CHART),
        due=PUSH,
        now=service.clock.now(),
        lease=lease,
    )
    assert run.state == MirrorRun.State.DONE, f"{run.title} {run.fix}"
    return service.calls


def _named(number: int, what: str) -> dict[str, Any]:
    return {"erp_id": f"n-{number}", "name": f"{what} {number}"}


def _fill(model: Any, rows: Iterable[Any]) -> None:
    model.objects.bulk_create(rows, batch_size=5000)
