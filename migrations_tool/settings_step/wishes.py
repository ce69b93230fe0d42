"""How each switch of our connection is to stand before the customer switches to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from connections.models import Switch
from connections.upkeep import switches
from migrations_tool.models import ConnectionMigration
from migrations_tool.settings_step.usage import Usage
from migrations_tool.step_records import changed, held
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

CREDITS, CREATION = Switch.Name.VENDOR_CREDITS, Switch.Name.VENDOR_CREATION
BUTTONS = (Switch.Name.TRANSACTION_BUTTON, Switch.Name.REIMBURSEMENT_BUTTON)
DETECTED = "the migration wizard"
"""Who wants a switch as the backup says, until a person says otherwise."""
_PURCHASES = ("purchase with a vendor", "purchases with a vendor")


@dataclass(frozen=True, slots=True)
class Desired:
    """One switch: how it is to stand, and why."""

    name: Switch.Name
    on: bool
    why: str

    @property
    def label(self) -> str:
        return str(self.name.label)


def desired(migration: ConnectionMigration, usage: Usage) -> list[Desired]:
    """What a person has chosen, or else what was used. The sync buttons stay off until later."""
    chosen = _chosen(migration)
    return [
        _one(CREDITS, chosen, usage.credits, ("vendor credit", "vendor credits"), usage),
        _one(CREATION, chosen, usage.with_vendor, _PURCHASES, usage),
        *(Desired(name, on=False, why="Stays off until hypercare has shown how fast it is.")
          for name in BUTTONS),
    ]  # fmt: skip


@transaction.atomic
def choose(
    migration: ConnectionMigration,
    name: Switch.Name,
    *,
    on: bool,
    version: int,
    actor: str,
    now: datetime,
) -> None:
    """Keep a person's choice of a switch. Applying the step brings it to Ramp.

    :raises Refused: if it is none that can be chosen here, or the migration has ended
    :raises StepNotCurrent: if the step has changed since the page was loaded
    """
    if name not in {CREDITS, CREATION}:
        raise Refused(
            "The sync button stays off for now. Step 13 tells when it can be switched on."
        )
    record = held(migration, Step.SETTINGS, version=version)
    switches.wish(migration.connection, name, on=on, actor=actor)
    changed(record, now=now)


def _one(
    name: Switch.Name,
    chosen: Mapping[str, Switch],
    used: int,
    what: tuple[str, str],
    usage: Usage,
) -> Desired:
    """:param what: one, and many of it"""
    one, many = what
    if name in chosen:
        return Desired(name, bool(chosen[name].wanted), f"Chosen by {chosen[name].wanted_by}.")
    if used:
        said = f"{used:,} {one if used == 1 else many}"
        return Desired(name, on=True, why=f"{said} in twelve months, says {usage.source}.")
    return Desired(name, on=False, why=f"No {many} in twelve months, says {usage.source}.")


def _chosen(migration: ConnectionMigration) -> dict[str, Switch]:
    """By people."""
    found = Switch.objects.filter(connection=migration.connection_id, wanted__isnull=False)
    return {one.name: one for one in found.exclude(wanted_by="").exclude(wanted_by=DETECTED)}
