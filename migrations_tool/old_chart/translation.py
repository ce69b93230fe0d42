"""From the old chart's ids to the ERP's, as the mapping says."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from migrations_tool.models import ConnectionMigration, OldRecord
from migrations_tool.old_chart.labels import label_of

Kind, State = OldRecord.Kind, OldRecord.State

KIND_OF_TYPE: Mapping[str, OldRecord.Kind] = {
    "GL_ACCOUNT": Kind.ACCOUNT,
    "MERCHANT": Kind.VENDOR,
    "TAX_CODE": Kind.TAX_CODE,
}
"""Of Ramp's native fields. Every other field has options."""
_NOT_FOR_ERP = "NON_ERP"
_UNMAPPED = "unmapped:"
"""Before an id that leads nowhere, for the ERP may use the same id for another record."""


class Key(NamedTuple):
    """Which old record."""

    kind: str
    field_old_id: str
    """Of options."""
    old_id: str


class Goal(NamedTuple):
    """What takes its place, and why; `erp_id` is empty where nothing does."""

    label: str
    """Of the old record."""
    state: str
    erp_id: str
    field_erp_id: str
    erp_name: str
    why: str
    """As a report says it."""


@dataclass(frozen=True, slots=True)
class Translation:
    """The mapping, loaded once."""

    goals: Mapping[Key, Goal]

    def goal(self, kind: str, old_id: str, field_old_id: str = "") -> Goal | None:
        """What takes the place of an old record; None if the old chart has no such one."""
        return self.goals.get(Key(kind, field_old_id, old_id))

    def erp_id(self, kind: str, old_id: str, field_old_id: str = "") -> str:
        """The ERP's id; empty if it is not mapped, or parked."""
        found = self.goal(kind, old_id, field_old_id)
        return found.erp_id if found and found.state != State.SUGGESTED else ""

    def body(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """An object of Ramp as it will come once it is coded with the ERP's own records.

        Codings that are parked are left out. Those that nobody has mapped lead nowhere, so that a
        mapper says so.
        """
        translated = copy.deepcopy(dict(raw))
        self._walk(translated)
        vendor = translated.get("vendor")
        if isinstance(vendor, dict) and vendor.get("remote_id"):
            vendor["remote_id"] = self.erp_id(Kind.VENDOR, str(vendor["remote_id"])) or None
            vendor["remote_code"] = None
        return translated

    def _walk(self, part: Any) -> None:
        if isinstance(part, list):
            for one in part:
                self._walk(one)
        elif isinstance(part, dict):
            for name, value in part.items():
                if name == "accounting_field_selections" and isinstance(value, list):
                    part[name] = [one for one in value if self._translate(one)]
                else:
                    self._walk(value)

    def _translate(self, selection: Any) -> bool:
        """Change a coding to the ERP's; whether it is kept."""
        if not isinstance(selection, dict):
            return True
        field = selection.get("category_info") or {}
        stated = field.get("type") or selection.get("type") or ""
        old_id = str(selection.get("external_id") or "")
        if stated == _NOT_FOR_ERP or not old_id:
            return True
        kind = KIND_OF_TYPE.get(stated, Kind.OPTION)
        of = str(field.get("external_id") or "") if kind == Kind.OPTION else ""
        goal = self.goal(kind, old_id, of)
        if goal is not None and goal.state == State.PARKED:
            return False
        erp_id = self.erp_id(kind, old_id, of)
        selection["external_id"] = erp_id or f"{_UNMAPPED}{old_id}"
        if kind == Kind.OPTION and erp_id and goal is not None:
            selection["category_info"] = {**field, "external_id": goal.field_erp_id}
        return True


def translation_of(migration: ConnectionMigration) -> Translation:
    """The mapping as it stands. One statement."""
    rows = OldRecord.objects.filter(migration=migration).order_by("pk")
    return Translation(
        {
            Key(row.kind, row.field_old_id, row.old_id): Goal(
                label_of(row.code, row.name),
                row.state,
                row.erp_id,
                row.field_erp_id,
                row.erp_name,
                why(row),
            )
            for row in rows.iterator(chunk_size=2000)
        }
    )


def why(row: OldRecord) -> str:
    """Why a record leads where it does, as a report says it; empty if nobody has decided."""
    match row.state:
        case State.MAPPED:
            said = row.evidence or "chosen by hand"
            return f"mapped by {row.decided_by}: {said}"
        case State.MATCHED:
            return f"matched: {row.evidence}"
        case State.PARKED:
            return f"parked by {row.decided_by}: {row.parked_because}"
        case _:
            return ""
