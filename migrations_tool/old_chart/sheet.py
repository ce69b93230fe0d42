"""The field-mapping sheet: which old field becomes which new one when the customer switches."""

from dataclasses import dataclass

from migrations_tool.models import ConnectionMigration, OldRecord

Kind, State = OldRecord.Kind, OldRecord.State

_NATIVE = {
    Kind.ACCOUNT: "Category (GL account)",
    Kind.VENDOR: "Merchant (vendor)",
    Kind.TAX_CODE: "Tax code",
}
"""Fields that every provider has; Ramp maps them by itself or offers just the one."""


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One field of the old provider, and what to choose for it."""

    old: str
    new: str
    """Empty: nothing, the field is left unmapped on purpose."""
    note: str = ""


def sheet_of(migration: ConnectionMigration) -> list[SheetRow]:
    """What the customer chooses in Ramp's dialogue, field by field, in a fixed order.

    A field that nobody has decided about yet says so in its note.
    """
    records = OldRecord.objects.filter(migration=migration)
    used = set(
        records.filter(kind__in=_NATIVE).order_by().values_list("kind", flat=True).distinct()
    )
    native = [SheetRow(name, name) for kind, name in _NATIVE.items() if kind in used]
    fields = records.filter(kind=Kind.FIELD).order_by("name", "pk")
    return [*native, *(_row(field) for field in fields)]


def _row(field: OldRecord) -> SheetRow:
    match field.state:
        case State.MATCHED | State.MAPPED:
            return SheetRow(field.name, field.erp_name)
        case State.PARKED:
            return SheetRow(field.name, "", f"Leave it unmapped: {field.parked_because}")
        case _:
            return SheetRow(field.name, "", "Not decided yet. Ask us before you switch.")
