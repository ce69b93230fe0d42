"""Which objects are rehearsed: the newest of each type that the ERP had, or was about to get."""

import heapq
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connections.ramp.errors import SchemaSurprise
from connections.ramp.spend import Bill
from migrations_tool import backup
from migrations_tool.models import Backup, FormerCoding
from migrations_tool.work import Work
from syncing.decisions import Action, payment_action
from syncing.kinds import KINDS, Kind, Scope, Standing, list_of

_GONE_THROUGH = (Standing.READY.value, Standing.SYNCED.value)
PAYMENT = "bill_payment"
MOST = 200
"""Objects of each type, whatever was agreed: all that a rehearsal keeps is in memory at once."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """One object, as Ramp sent it."""

    kind: Kind
    raw: Mapping[str, Any]

    @property
    def ramp_id(self) -> str:
        return str(self.raw.get("id"))


def chosen(work: Work, archive: Backup | None) -> Iterator[Chosen]:
    """The newest of each type, from the backup; where there is none, from Ramp's lists."""
    most = min(work.migration.rehearse, MOST)
    for object_type, kind in KINDS.items():
        if list_of(object_type) not in work.connection.object_types:
            continue
        if archive is None:
            found = _from_ramp(work, kind, most)
        elif object_type == PAYMENT:
            found = _payments(archive, most)
        else:
            found = _archived(archive, object_type, most)
        for raw in found:
            yield Chosen(kind, raw)


def text_of(raw: Mapping[str, Any]) -> str:
    """An object as JSON text again. Figures with a point become text, which loses no digit."""
    return json.dumps(raw, default=_text)


def _text(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{value!r} is not of an object of Ramp.")


def _archived(archive: Backup, object_type: str, most: int) -> list[Mapping[str, Any]]:
    newest = FormerCoding.objects.filter(
        backup=archive, object_type=object_type, standing__in=_GONE_THROUGH
    ).order_by("-spent_on", "-id")
    wanted = [str(ramp_id) for ramp_id in newest.values_list("ramp_id", flat=True)[:most]]
    found: dict[str, Mapping[str, Any]] = {}
    for record in backup.records(archive, object_type):
        if len(found) == len(wanted):
            break
        if record.get("id") in wanted:
            found[str(record["id"])] = record
    return [found[ramp_id] for ramp_id in wanted if ramp_id in found]


def _payments(archive: Backup, most: int) -> list[Mapping[str, Any]]:
    """Bills whose payment makes a document, the last paid first."""
    paid = (
        record for record in backup.records(archive, list_of(PAYMENT)) if _makes_a_payment(record)
    )
    return heapq.nlargest(most, paid, key=lambda one: (str(one.get("paid_at")), str(one["id"])))


def _makes_a_payment(record: Mapping[str, Any]) -> bool:
    if not record.get("payment") or not record.get("paid_at"):
        return False
    try:
        bill = Bill.parse(text_of(record))
    except SchemaSurprise:
        return False  # it is rehearsed as a bill, which says what cannot be read
    return payment_action(bill)[0] is Action.POST


def _from_ramp(work: Work, kind: Kind, most: int) -> list[Mapping[str, Any]]:
    work.keep()
    page = next(kind.ready(work.ramp, Scope(page_size=most)), None)
    found = []
    for one in (page.items if page else ())[:most]:
        work.keep()
        found.append(json.loads(kind.body(work.ramp, one.id), parse_float=Decimal))
    return found
