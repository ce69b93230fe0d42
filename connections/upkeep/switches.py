"""The switches of a connection in Ramp: what we want, what Ramp has, and who changed it (R-12).

A switch that somebody turns in Ramp is not turned back: it is shown as drifted until somebody
decides which of the two is right.
"""

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from connections import audit
from connections.models import Chore, Connection, Switch
from connections.ramp.bodies import ConnectionSettings
from connections.ramp.client import RampClient
from connections.services import NotVerified

BUTTONS: Mapping[str, str] = {
    Switch.Name.TRANSACTION_BUTTON: "transaction",
    Switch.Name.REIMBURSEMENT_BUTTON: "reimbursement",
}
"""Whose sync button each of these switches is."""


@transaction.atomic
def wish(connection: Connection, name: Switch.Name, *, on: bool, actor: str) -> Switch:
    """Note what is wanted. Nothing is sent."""
    switch, _ = Switch.objects.update_or_create(
        connection=connection,
        name=name,
        defaults={"wanted": on, "wanted_by": actor, "wanted_at": Now()},
    )
    switch.refresh_from_db()
    audit.record(
        actor,
        "connection.switch",
        f"Wants “{switch}” {'on' if on else 'off'} in Ramp.",
        connection_id=connection.pk,
        subject="switch",
        subject_id=name,
    )
    return switch


def set_switch(
    connection: Connection, ramp: RampClient, name: Switch.Name, *, on: bool, actor: str
) -> Switch:
    """Turn a switch in Ramp and read back that it did.

    :raises NotVerified: if the customer is not connected, or Ramp shows otherwise
    :raises RampError: if Ramp cannot be asked; the wish stands
    """
    switch = wish(connection, name, on=on, actor=actor)
    turn(switch, ramp)
    return switch


def turn(switch: Switch, ramp: RampClient) -> None:
    """Bring Ramp's switch to what is wanted of it, and read it back.

    :raises NotVerified, RampError: as `set_switch`
    """
    connection, on = switch.connection, bool(switch.wanted)
    if connection.ramp_connection_id is None:
        raise NotVerified(f"{connection.name} is not connected in Ramp yet.")
    ramp.update_connection(connection.ramp_connection_id, _setting(switch.name, on=on))
    read_back(connection, ramp)
    switch.refresh_from_db()
    if switch.found is not on:
        raise NotVerified(
            f"Ramp took “{switch}: {'on' if on else 'off'}” and does not show it."
            " Try again in a minute."
        )


def read_back(connection: Connection, ramp: RampClient) -> list[Switch]:
    """Compare all switches with Ramp's.

    :raises RampError: if Ramp cannot be asked
    """
    if connection.ramp_connection_id is None:
        return []
    shown = ramp.connection(connection.ramp_connection_id).settings
    return keep_found(connection, shown or {})


def keep_found(connection: Connection, shown: Mapping[str, bool]) -> list[Switch]:
    """Note how Ramp has each switch. What it does not name is off (contract 3)."""
    Switch.objects.bulk_create(
        [Switch(connection=connection, name=name) for name in Switch.Name], ignore_conflicts=True
    )
    ours = Switch.objects.filter(connection=connection)
    names_on = [name for name in Switch.Name if shown.get(name)]
    # Only what has changed is written, or every look would be a line of the history.
    ours.filter(name__in=names_on).exclude(found=True).update(found=True, found_at=Now())
    ours.exclude(name__in=names_on).exclude(found=False).update(found=False, found_at=Now())
    differs = Q(wanted__isnull=False) & ~Q(wanted=F("found"))
    ours.filter(differs).exclude(name__in=_under_way(connection)).update(
        drifted_at=Coalesce(F("drifted_at"), Now())
    )
    ours.exclude(differs).filter(drifted_at__isnull=False).update(drifted_at=None)
    _keep_buttons(connection, shown)
    return list(ours.order_by("name"))


def _under_way(connection: Connection) -> list[str]:
    """Switches that are still to be turned by us."""
    chores = Chore.objects.filter(
        connection=connection, kind=Chore.Kind.SWITCH, state=Chore.State.WANTED
    )
    return list(chores.values_list("about", flat=True))


def _keep_buttons(connection: Connection, shown: Mapping[str, bool]) -> None:
    """Pages show the button where Ramp does."""
    types = sorted(kind for name, kind in BUTTONS.items() if shown.get(name))
    if connection.button_types != types:
        connection.button_types = types
        connection.save(update_fields=["button_types"])


def _setting(name: str, *, on: bool) -> ConnectionSettings:
    match name:
        case Switch.Name.ENTITY_SELECTION:
            return {"entity_selection_enabled": on}
        case Switch.Name.TRANSACTION_BUTTON:
            return {"transaction_sync_button_enabled": on}
        case Switch.Name.REIMBURSEMENT_BUTTON:
            return {"reimbursement_sync_button_enabled": on}
        case Switch.Name.VENDOR_CREATION:
            return {"transaction_accounting_vendor_creation_on_sync_enabled": on}
        case Switch.Name.VENDOR_CREDITS:
            return {"vendor_credits_enabled": on}
        case _:
            raise ValueError(f"Ramp has no switch called {name}.")
