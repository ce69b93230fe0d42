"""A chart as the ERP has it, written straight into our rows, and what Ramp got of it."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import httpx

from connections.models import Connection, CustomField, FieldOption, LedgerAccount, Vendor
from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.handles import BusinessHandle
from tests.connections.world import SCOPES

WRITES = ("POST", "PATCH", "DELETE", "PUT")


def vendors(connection: Connection, count: int, **changes: Any) -> list[Vendor]:
    """So many new vendors, v0 onwards."""
    return Vendor.objects.bulk_create(
        [
            Vendor(**{"connection": connection, "erp_id": f"v{n}", "name": f"Vendor {n}"} | changes)
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
            if operation.startswith(WRITES)
            and "/accounting/" in operation
            and operation != "POST /accounting/connection"
        }
    )


def client_at(address: str, business: BusinessHandle) -> RampClient:
    """A client of a pretend Ramp that is served at an address, for another process."""
    auth = ClientCredentials(
        base_url=address,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=SCOPES,
        store=MemoryTokenStore(),
        clock=lambda: datetime.now(UTC),
    )
    return RampClient(base_url=address, auth=auth, http=httpx.Client(trust_env=False))
