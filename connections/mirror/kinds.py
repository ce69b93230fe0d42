"""How each kind of record is sent to Ramp and read from it. Taxes have a file of their own."""

import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

from connections.mirror.conditions import MODELS
from connections.mirror.diff import ACCOUNT, FIELD, OPTION, VENDOR
from connections.ramp.bodies import (
    FieldChanges,
    FieldOptionChanges,
    FieldOptionUpload,
    FieldUpload,
    GLAccountUpload,
    RecordChanges,
    VendorUpload,
)
from connections.ramp.chart import Chart
from connections.ramp.chart_calls import Taken
from connections.ramp.schemas import AccountingField, FieldOption, Reference

MOST_AT_ONCE = 500
"""Records per upload, says Ramp (R-21)."""
Columns = dict[str, Any]
"""Values of `ramp_*` columns."""


class Mirrored(ABC):
    """One kind. `row` is always one of its model's."""

    kind: ClassVar[str]
    at_once: ClassVar[int] = MOST_AT_ONCE
    columns: ClassVar[Mapping[str, str]] = {}
    """Columns of what Ramp has, beyond those of all kinds, with their SQL types."""

    @property
    def model(self) -> Any:
        return MODELS[self.kind]

    def prepare(  # noqa: B027  most kinds need nothing
        self, chart: Chart, connection_id: uuid.UUID
    ) -> None:
        """See that Ramp has what new records of this kind are put into."""

    @abstractmethod
    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        """Create up to `at_once` records; options of one field only."""

    @abstractmethod
    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        """Make one record what the ERP has, and bring it back if it was deactivated."""

    @abstractmethod
    def delete(self, chart: Chart, row: Any) -> None:
        """Deactivate one record."""

    @abstractmethod
    def listed(self, chart: Chart, **filters: Any) -> Iterator[Any]:
        """Ramp's list of the kind, active or not. Options are listed per field: see `beside`."""

    def beside(self, row: Any) -> dict[str, Any]:  # noqa: ARG002  options are beside their field's
        """The filter of the list that a row stands in."""
        return {}

    def find(self, chart: Chart, row: Any) -> Any | None:
        """The record as Ramp has it, active or not; None if it has none of that id."""
        found = self.listed(chart, remote_id=row.erp_id, **self.beside(row))
        return next((one for one in found if one.id == row.erp_id), None)

    def as_sent(self, row: Any) -> Columns:
        """What Ramp has once it has taken the row. Its answer may trim names: what was sent counts,
        or the same would be sent for ever.
        """
        return {"ramp_name": row.name, "ramp_code": row.code, "ramp_is_active": True}

    def as_shown(self, reference: Any) -> Columns:
        """What Ramp says it has."""
        return {
            "ramp_id": str(reference.ramp_id),
            "ramp_name": reference.name,
            "ramp_code": reference.code,
            "ramp_is_active": reference.is_active,
        }


class Accounts(Mirrored):
    kind = ACCOUNT

    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        return chart.upload_gl_accounts([_account(row) for row in rows])

    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        chart.update_gl_account(row.ramp_id, **_changes(row, reactivate=reactivate))

    def delete(self, chart: Chart, row: Any) -> None:
        chart.delete_gl_account(row.ramp_id)

    def listed(self, chart: Chart, **filters: Any) -> Iterator[Reference]:
        return chart.gl_accounts(**filters)


class Vendors(Mirrored):
    kind = VENDOR

    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        return chart.upload_vendors([_vendor(row) for row in rows])

    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        changes = _changes(row, reactivate=reactivate)
        if row.name_is_held:
            del changes["name"]
        chart.update_vendor(row.ramp_id, **changes)

    def delete(self, chart: Chart, row: Any) -> None:
        chart.delete_vendor(row.ramp_id)

    def listed(self, chart: Chart, **filters: Any) -> Iterator[Reference]:
        return chart.vendors(**filters)

    def as_sent(self, row: Any) -> Columns:
        sent = super().as_sent(row)
        return sent | {"ramp_name": row.ramp_name} if row.ramp_id and row.name_is_held else sent


class Fields(Mirrored):
    """One call each. Ramp answers a known id with the field that it has, active again (R-24)."""

    kind = FIELD
    at_once = 1
    columns: ClassVar = {
        "ramp_display_name": "text",
        "ramp_is_splittable": "boolean",
        "ramp_required_for": "jsonb",
    }

    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        return Taken([chart.create_field(**_field(row)) for row in rows], "")

    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        if reactivate:
            chart.create_field(**_field(row))
        changes: FieldChanges = {"name": row.name, "is_splittable": row.is_splittable}
        if row.display_name:
            changes["display_name"] = row.display_name
        chart.update_field(row.ramp_id, **changes)

    def delete(self, chart: Chart, row: Any) -> None:
        chart.delete_field(row.ramp_id)

    def listed(self, chart: Chart, **filters: Any) -> Iterator[AccountingField]:
        return chart.fields(**filters)

    def as_sent(self, row: Any) -> Columns:
        return super().as_sent(row) | {
            "ramp_display_name": row.display_name or row.ramp_display_name,
            "ramp_is_splittable": row.is_splittable,
            "ramp_required_for": row.ramp_required_for if row.ramp_id else row.required_for,
        }

    def as_shown(self, reference: AccountingField) -> Columns:
        return {
            "ramp_id": str(reference.ramp_id),
            "ramp_name": reference.name,
            "ramp_code": "",
            "ramp_is_active": reference.is_active,
            "ramp_display_name": reference.display_name,
            "ramp_is_splittable": reference.is_splittable,
            "ramp_required_for": list(reference.is_required_for),
        }


class Options(Mirrored):
    kind = OPTION
    columns: ClassVar = {"ramp_is_hidden": "boolean"}

    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        return chart.upload_field_options(rows[0].field.ramp_id, [_option(row) for row in rows])

    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        changes: FieldOptionChanges = {"value": row.name, "code": row.code}
        if reactivate:
            changes["reactivate"] = True
        if row.ramp_is_hidden:
            changes["visibility"] = "VISIBLE"
        chart.update_field_option(row.ramp_id, **changes)

    def hide(self, chart: Chart, row: Any) -> None:
        """Not to be chosen any more; what is coded with it can still be synced (R-25)."""
        chart.update_field_option(row.ramp_id, visibility="HIDDEN")

    def delete(self, chart: Chart, row: Any) -> None:
        chart.delete_field_option(row.ramp_id)

    def listed(self, chart: Chart, **filters: Any) -> Iterator[FieldOption]:
        field_ramp_id = filters.pop("field_ramp_id")
        return chart.field_options(field_ramp_id, **filters)

    def beside(self, row: Any) -> dict[str, Any]:
        return {"field_ramp_id": row.field.ramp_id}

    def as_sent(self, row: Any) -> Columns:
        return super().as_sent(row) | {"ramp_is_hidden": False}

    def as_shown(self, reference: FieldOption) -> Columns:
        return {
            "ramp_id": str(reference.ramp_id),
            "ramp_name": reference.value,
            "ramp_code": reference.code,
            "ramp_is_active": reference.is_active,
            "ramp_is_hidden": reference.visibility.upper() == "HIDDEN",
        }


def in_groups(rows: Iterable[tuple[int, int | None]], size: int) -> Iterator[list[int]]:
    """Primary keys in uploads of at most `size`, none of which mixes two groups."""
    batch: list[int] = []
    group: int | None = None
    for pk, of in rows:
        if batch and (of != group or len(batch) == size):
            yield batch
            batch = []
        group = of
        batch.append(pk)
    if batch:
        yield batch


def _account(row: Any) -> GLAccountUpload:
    body: GLAccountUpload = {
        "id": row.erp_id,
        "name": row.name,
        "classification": row.classification,
    }
    if row.code:
        body["code"] = row.code
    return body


def _vendor(row: Any) -> VendorUpload:
    body: VendorUpload = {"id": row.erp_id, "name": row.name}
    if row.code:
        body["code"] = row.code
    return body


def _field(row: Any) -> FieldUpload:
    body: FieldUpload = {
        "id": row.erp_id,
        "name": row.name,
        "input_type": "SINGLE_CHOICE",
        "is_splittable": row.is_splittable,
    }
    if row.display_name:
        body["display_name"] = row.display_name
    if row.required_for:
        body["is_required_for"] = row.required_for
    return body


def _option(row: Any) -> FieldOptionUpload:
    body: FieldOptionUpload = {"id": row.erp_id, "value": row.name}
    if row.code:
        body["code"] = row.code
    return body


def _changes(row: Any, *, reactivate: bool) -> RecordChanges:
    """An empty code resets Ramp's."""
    changes: RecordChanges = {"name": row.name, "code": row.code}
    if reactivate:
        changes["reactivate"] = True
    return changes
