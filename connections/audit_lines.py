"""What people did, to be read: the lines of their acts, and the history of what they configured."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import OuterRef, QuerySet, Subquery

from connections import audit
from connections.models import AuditLine, Connection
from rampbridge.lib.keyset import Cursor, KeysetPage, keyset_page

PAGE_SIZE = 50
MOST_IN_A_FILE = 10_000
AREAS: Mapping[str, str] = {
    "account": "Signing in",
    "alerts": "Alerts",
    "api_keys": "API keys",
    "audit": "Audit",
    "chart": "Chart and drift",
    "connection": "Connections",
    "customers": "Customers",
    "errors": "Errors",
    "files": "Files",
    "incident": "Incidents",
    "inquiries": "Why not?",
    "items": "Items",
    "jobs": "Jobs",
    "mappings": "Mappings",
    "posting": "Pauses",
    "runs": "Runs",
    "vendors": "Vendors",
    "views": "Saved views",
    "webhooks": "Webhooks",
}
"""The first word of an act, and what people call it."""
KEPT: Mapping[str, str] = {
    "connection": "Customers",
    "entity": "Entities",
    "postingprofile": "Posting accounts",
    "mapping": "Mappings",
    "switch": "Switches in Ramp",
    "driftdecision": "Drift decisions",
    "vendorlink": "Vendor links",
    "vendorchange": "Vendor changes",
    "separatevendors": "Separate vendors",
    "fieldowner": "Owners of vendor fields",
}
"""Tables of which triggers keep every version, by the model's name."""
_MACHINE = "rampbridge"
_OWN = {"pgh_id", "pgh_created_at", "pgh_label", "pgh_obj", "pgh_context", "id", "connection"}


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which lines are asked for. Empty: all of them."""

    connection_id: uuid.UUID | None = None
    actor: str = ""
    area: str = ""
    subject: str = ""
    subject_id: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """One version of one row of the configuration, and what is different from the one before."""

    id: int
    at: datetime
    who: str
    act: str
    what: str
    connection_id: uuid.UUID | None
    fields: Sequence[tuple[str, str, str]]
    """Name, before, after."""


@dataclass(frozen=True, slots=True)
class History:
    """A page of versions, the newest first."""

    changes: Sequence[Change]
    next: str
    is_first: bool


def lines(narrowed: Narrowed) -> QuerySet[AuditLine]:
    """The lines of acts that are asked for, in no order yet."""
    found = AuditLine.objects.select_related("connection")
    if narrowed.connection_id:
        found = found.filter(connection_id=narrowed.connection_id)
    if narrowed.actor:
        found = found.filter(actor=narrowed.actor)
    if narrowed.area:
        found = found.filter(act__startswith=f"{narrowed.area}.")
    if narrowed.subject:
        found = found.filter(subject=narrowed.subject)
    if narrowed.subject_id:
        found = found.filter(subject_id=narrowed.subject_id)
    return found


def page(narrowed: Narrowed, *, after: Cursor | None) -> KeysetPage[AuditLine]:
    """A page of acts, the newest first. One query."""
    return keyset_page(lines(narrowed), field="at", after=after, size=PAGE_SIZE, newest_first=True)


def in_a_file(narrowed: Narrowed, *, actor: str) -> Iterator[AuditLine]:
    """The newest of them, as many as a file takes. Who took it leaves a line, too."""
    audit.record(actor, "audit.csv", "Downloaded audit lines.")
    newest = lines(narrowed).order_by("-at", "-pk")[:MOST_IN_A_FILE]
    return newest.iterator(chunk_size=1000)


def history(kept: str, *, connection_id: uuid.UUID | None, after: str) -> History:
    """A page of the versions of one table. Three queries."""
    model: Any = apps.get_model("connections", f"{kept}event")
    found = model.objects.select_related("pgh_context")
    if connection_id:
        of = "pgh_obj_id" if kept == "connection" else "connection_id"
        found = found.filter(**{of: connection_id})
    if after.isdecimal() and len(after) < 19:
        found = found.filter(pgh_id__lt=int(after))
    earlier = model.objects.filter(pgh_obj_id=OuterRef("pgh_obj_id"), pgh_id__lt=OuterRef("pgh_id"))
    before = Subquery(earlier.order_by("-pgh_id").values("pgh_id")[:1])
    taken = list(found.annotate(earlier_id=before).order_by("-pgh_id")[: PAGE_SIZE + 1])
    shown = taken[:PAGE_SIZE]
    versions = model.objects.in_bulk([one.earlier_id for one in shown if one.earlier_id])
    names = _names(shown)
    return History(
        [_change(one, versions.get(one.earlier_id), names) for one in shown],
        str(shown[-1].pgh_id) if len(taken) > PAGE_SIZE else "",
        is_first=not after,
    )


def customers_of(changes: Sequence[Change]) -> Mapping[uuid.UUID, Connection]:
    """The customers that versions are of. One query."""
    return Connection.objects.in_bulk({one.connection_id for one in changes if one.connection_id})


def _change(event: Any, before: Any, names: Mapping[int, str]) -> Change:
    is_connection = not hasattr(event, "connection_id")
    return Change(
        id=event.pgh_id,
        at=event.pgh_created_at,
        who=names.get(_user_id(event) or 0, _MACHINE),
        act={"insert": "Entered", "update": "Changed", "delete": "Removed"}.get(
            event.pgh_label, event.pgh_label.capitalize()
        ),
        what=_called(event),
        connection_id=event.pgh_obj_id if is_connection else event.connection_id,
        fields=list(_differences(event, before)) if before is not None else [],
    )


def _differences(event: Any, before: Any) -> Iterator[tuple[str, str, str]]:
    for column in event._meta.fields:  # noqa: SLF001  Django's own name for it
        if column.name in _OWN:
            continue
        old, new = getattr(before, column.attname), getattr(event, column.attname)
        if old != new:
            yield str(column.verbose_name).capitalize(), _said(old), _said(new)


def _called(event: Any) -> str:
    """What tells this row from the others of its table."""
    for name in ("ramp_name", "name", "ramp_external_id", "vendor_erp_id", "field", "erp_id"):
        if value := getattr(event, name, ""):
            return str(value)
    return ""


def _said(value: Any) -> str:
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, datetime):
        return f"{value:%-d %b %Y %H:%M} UTC"
    return str(value)


def _names(events: Sequence[Any]) -> Mapping[int, str]:
    ids = {found for event in events if (found := _user_id(event)) is not None}
    users = get_user_model().objects.filter(pk__in=ids) if ids else ()
    return {user.pk: user.get_username() for user in users}


def _user_id(event: Any) -> int | None:
    metadata = event.pgh_context.metadata if event.pgh_context else {}
    user = metadata.get("user")
    return user if isinstance(user, int) else None
