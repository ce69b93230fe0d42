"""Who changed what of a connection, and when, from the history that triggers keep."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model

from connections.models import Chore, Connection, Switch

SHOWN = 30
_FIELDS: Mapping[str, str] = {
    "name": "Name",
    "stage": "Stage",
    "time_zone": "Time zone",
    "owner": "Owner",
    "object_types": "What is synced",
    "button_types": "Sync button in Ramp",
    "ramp_provider_name": "Name in Ramp",
    "erp_name": "Name of the ERP",
}
_MACHINE = "rampbridge"


@dataclass(frozen=True, slots=True)
class Line:
    """One change, as people read it."""

    at: datetime
    who: str
    what: str
    detail: str = ""


def lines(connection: Connection, *, limit: int = SHOWN) -> list[Line]:
    """The newest changes of the connection, its switches and what was asked of it, newest first."""
    found = [
        *_connection_lines(connection, limit),
        *_switch_lines(connection, limit),
        *_chore_lines(connection, limit),
    ]
    return sorted(found, key=lambda line: line.at, reverse=True)[:limit]


def _connection_lines(connection: Connection, limit: int) -> Iterator[Line]:
    model = apps.get_model("connections", "ConnectionEvent")
    newest = (
        model.objects.filter(pgh_obj_id=connection.pk)
        .select_related("pgh_context")
        .order_by("-pgh_id")[: limit + 1]
    )
    events = list(newest)[::-1]
    names = _names(events)
    for before, after in pairwise(events):
        for name, label in _FIELDS.items():
            old, new = getattr(before, name), getattr(after, name)
            if old != new:
                who = _who(after, names)
                yield Line(after.pgh_created_at, who, label, f"{_said(old)} → {_said(new)}")
    if events and events[0].pgh_label == "insert":
        who = _who(events[0], names)
        yield Line(events[0].pgh_created_at, who, "Customer entered", events[0].name)


def _names(events: Iterable[Any]) -> Mapping[int, str]:
    ids = {pk for event in events if (pk := _user_id(event)) is not None}
    if not ids:
        return {}
    users = get_user_model().objects.filter(pk__in=ids)
    return {user.pk: user.get_username() for user in users}


def _user_id(event: Any) -> int | None:
    metadata = event.pgh_context.metadata if event.pgh_context else {}
    user = metadata.get("user")
    return user if isinstance(user, int) else None


def _who(event: Any, names: Mapping[int, str]) -> str:
    user_id = _user_id(event)
    return _MACHINE if user_id is None else names.get(user_id, f"user {user_id}")


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(str(one).replace("_", " ") for one in value) or "nothing"
    return str(value).replace("_", " ") if value not in (None, "") else "nothing"


def _switch_lines(connection: Connection, limit: int) -> Iterator[Line]:
    """What was wanted is a person's, what was found is Ramp's."""
    model = apps.get_model("connections", "SwitchEvent")
    newest = model.objects.filter(connection_id=connection.pk).order_by("-pgh_id")
    last: dict[str, Any] = {}
    for event in list(newest[: 4 * limit])[::-1]:
        label = Switch.Name(event.name).label
        before = last.get(event.name)
        if event.wanted is not None and (before is None or before.wanted != event.wanted):
            who = event.wanted_by or _MACHINE
            yield Line(event.pgh_created_at, who, label, f"wanted {_on(event.wanted)}")
        is_turned = before is not None and before.found not in (None, event.found)
        if is_turned and event.found != event.wanted:
            yield Line(event.pgh_created_at, "Somebody in Ramp", label, _on(event.found))
        last[event.name] = event


def _on(value: object) -> str:
    return "on" if value else "off"


def _chore_lines(connection: Connection, limit: int) -> Iterator[Line]:
    done = Chore.objects.filter(connection=connection).exclude(kind=Chore.Kind.CHECK)
    for chore in done.defer("sealed").order_by("-wanted_at", "-pk")[:limit]:
        what = str(chore.get_kind_display())
        if chore.kind == Chore.Kind.SWITCH:
            what = f"{what}: {Switch.Name(chore.about).label}"
        if chore.kind == Chore.Kind.CREDENTIAL:
            what = f"{what}: {'Ramp' if chore.about == 'ramp' else connection.erp_name}"
        detail = " ".join(part for part in (chore.get_state_display() + ".", chore.title) if part)
        yield Line(chore.done_at or chore.wanted_at, chore.actor, what, detail)
