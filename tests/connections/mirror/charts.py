"""A chart as the ERP has it, written straight into our rows, and what Ramp got of it."""

from collections import Counter
from typing import Any

from connections.models import Connection, CustomField, FieldOption, LedgerAccount, Vendor
from connections.ramp_simulator.app import Simulator

WRITES = ("POST", "PATCH", "DELETE", "PUT")


def vendors(connection: Connection, count: int, **changes: Any) -> list[Vendor]:
    """So many new vendors, v0 onwards."""
    return Vendor.objects.bulk_create(
        [
            Vendor(
                **{"connection": connection, "erp_id": f"v{n}", "name": f"Vendor {n}"} | changes
            )
            for n in range(count)
        ]
    )


def accounts(connection: Connection, *codes: str) -> list[LedgerAccount]:
    """New expense accounts; the ERP's id of each is a- and its code."""
    return LedgerAccount.objects.bulk_create(
        [
            LedgerAccount(
                connection=connection,
                erp_id=f"a-{code}",
                code=code,
                name=f"Account {code}",
                classification="EXPENSE",
            )
            for code in codes
        ]
    )


def department(connection: Connection, *options: str) -> CustomField:
    """A new field with these options."""
    field = CustomField.objects.create(connection=connection, erp_id="dept", name="Department")
    FieldOption.objects.bulk_create(
        [
            FieldOption(connection=connection, field=field, erp_id=one, name=one.title(), code=one)
            for one in options
        ]
    )
    return field


def writes(sim: Simulator) -> Counter[str]:
    """Calls that change the chart, by operation."""
    return Counter(
        {
            operation: count
            for operation, count in sim.calls.items()
            if operation.startswith(WRITES) and "/accounting/" in operation
        }
    )
