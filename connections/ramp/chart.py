"""The chart of one accounting connection in Ramp: GL accounts, vendors, fields, options."""

from collections.abc import Iterator, Sequence
from typing import Unpack
from uuid import UUID

from connections.ramp.bodies import (
    ChartFilters,
    FieldChanges,
    FieldFilters,
    FieldOptionChanges,
    FieldOptionUpload,
    FieldUpload,
    GLAccountUpload,
    RecordChanges,
    VendorUpload,
)
from connections.ramp.chart_calls import Taken
from connections.ramp.inventory import Inventory
from connections.ramp.schemas import AccountingField, FieldOption, GLAccount, Vendor
from connections.ramp.taxes import Taxes


class Chart(Taxes, Inventory):
    """One method per endpoint. `id` is the ERP's id of a record, `ramp_id` is Ramp's.

    Uploads take 1 to 500 records, all or nothing, and refuse those that Ramp has already. A
    `SchemaSurprise` of an upload means that Ramp did take it.
    Deletes are soft: what was coded with a deleted record keeps its coding but cannot be synced.

    :param connection_id: the inactive connection meant by every call; None means the active one
    """

    def gl_accounts(self, **filters: Unpack[ChartFilters]) -> Iterator[GLAccount]:
        return self._list("accounting/accounts", GLAccount, filters)

    def gl_account(self, ramp_id: UUID) -> GLAccount:
        return self._get("accounting/accounts", ramp_id, GLAccount)

    def upload_gl_accounts(self, gl_accounts: Sequence[GLAccountUpload]) -> Taken[GLAccount]:
        return self._upload("accounting/accounts", "gl_accounts", GLAccount, gl_accounts)

    def update_gl_account(self, ramp_id: UUID, **changes: Unpack[RecordChanges]) -> GLAccount:
        return self._patch("accounting/accounts", ramp_id, GLAccount, {**changes, **self._scope})

    def delete_gl_account(self, ramp_id: UUID) -> None:
        self._delete("accounting/accounts", ramp_id)

    def vendors(self, **filters: Unpack[ChartFilters]) -> Iterator[Vendor]:
        return self._list("accounting/vendors", Vendor, filters)

    def vendor(self, ramp_id: UUID) -> Vendor:
        return self._get("accounting/vendors", ramp_id, Vendor)

    def upload_vendors(self, vendors: Sequence[VendorUpload]) -> Taken[Vendor]:
        return self._upload("accounting/vendors", "vendors", Vendor, vendors)

    def update_vendor(self, ramp_id: UUID, **changes: Unpack[RecordChanges]) -> Vendor:
        return self._patch("accounting/vendors", ramp_id, Vendor, {**changes, **self._scope})

    def delete_vendor(self, ramp_id: UUID) -> None:
        self._delete("accounting/vendors", ramp_id)

    def fields(self, **filters: Unpack[FieldFilters]) -> Iterator[AccountingField]:
        return self._list("accounting/fields", AccountingField, filters)

    def field(self, ramp_id: UUID) -> AccountingField:
        return self._get("accounting/fields", ramp_id, AccountingField)

    def create_field(self, **field: Unpack[FieldUpload]) -> AccountingField:
        """An `id` Ramp knows gives the existing field, active again but otherwise as it was."""
        return self._create("accounting/fields", AccountingField, field)

    def update_field(self, ramp_id: UUID, **changes: Unpack[FieldChanges]) -> AccountingField:
        changed = {**changes, **self._scope}
        return self._patch("accounting/fields", ramp_id, AccountingField, changed)

    def delete_field(self, ramp_id: UUID) -> None:
        self._delete("accounting/fields", ramp_id)

    def field_options(
        self, field_ramp_id: UUID, **filters: Unpack[ChartFilters]
    ) -> Iterator[FieldOption]:
        of_field = {"field_id": str(field_ramp_id), **filters}
        return self._list("accounting/field-options", FieldOption, of_field)

    def field_option(self, ramp_id: UUID) -> FieldOption:
        return self._get("accounting/field-options", ramp_id, FieldOption)

    def upload_field_options(
        self, field_ramp_id: UUID, options: Sequence[FieldOptionUpload]
    ) -> Taken[FieldOption]:
        of_field = {"field_id": str(field_ramp_id)}
        return self._upload("accounting/field-options", "options", FieldOption, options, of_field)

    def update_field_option(
        self, ramp_id: UUID, **changes: Unpack[FieldOptionChanges]
    ) -> FieldOption:
        """Prefer hiding to deleting: items coded with a hidden option can still be synced.

        The one call that never names a connection: its schema has no such key, and the option's
        own id leaves no doubt.
        """
        return self._patch("accounting/field-options", ramp_id, FieldOption, changes)

    def delete_field_option(self, ramp_id: UUID) -> None:
        self._delete("accounting/field-options", ramp_id)
