"""The chart of one accounting connection in Ramp: GL accounts, vendors, fields, options."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, Unpack
from uuid import UUID

from connections.ramp.api import Api, segment
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
from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import (
    AccountingField,
    FieldOption,
    GLAccount,
    Reference,
    Vendor,
    decode,
)

Record = TypeVar("Record", bound=Reference)


class Chart:
    """One method per endpoint. `id` is the ERP's id of a record, `ramp_id` is Ramp's.

    Uploads take 1 to 500 records, all or nothing, and refuse those that Ramp has already.
    Deletes are soft: what was coded with a deleted record keeps its coding but cannot be synced.

    :param connection_id: the inactive connection meant by every call; None means the active one
    """

    def __init__(self, api: Api, *, connection_id: UUID | None = None) -> None:
        self._api = api
        self._scope = {"accounting_connection_id": str(connection_id)} if connection_id else {}

    def gl_accounts(self, **filters: Unpack[ChartFilters]) -> Iterator[GLAccount]:
        return self._list("accounting/accounts", GLAccount, filters)

    def gl_account(self, ramp_id: UUID) -> GLAccount:
        return self._get("accounting/accounts", ramp_id, GLAccount)

    def upload_gl_accounts(self, gl_accounts: Sequence[GLAccountUpload]) -> list[GLAccount]:
        return self._upload("accounting/accounts", "gl_accounts", GLAccount, gl_accounts)

    def update_gl_account(self, ramp_id: UUID, **changes: Unpack[RecordChanges]) -> GLAccount:
        return self._patch("accounting/accounts", ramp_id, GLAccount, {**changes, **self._scope})

    def delete_gl_account(self, ramp_id: UUID) -> None:
        self._delete("accounting/accounts", ramp_id)

    def vendors(self, **filters: Unpack[ChartFilters]) -> Iterator[Vendor]:
        return self._list("accounting/vendors", Vendor, filters)

    def vendor(self, ramp_id: UUID) -> Vendor:
        return self._get("accounting/vendors", ramp_id, Vendor)

    def upload_vendors(self, vendors: Sequence[VendorUpload]) -> list[Vendor]:
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
        answer = self._api.call("POST", "accounting/fields", body={**field, **self._scope})
        return answer.read(AccountingField)

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
    ) -> list[FieldOption]:
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

    def _list(self, path: str, model: type[Record], filters: Mapping[str, Any]) -> Iterator[Record]:
        return self._api.everything(path, model, {**filters, **self._scope})

    def _get(self, path: str, ramp_id: UUID, model: type[Record]) -> Record:
        answer = self._api.call("GET", f"{path}/{segment(ramp_id)}", params=self._scope)
        return answer.read(model)

    def _upload(
        self,
        path: str,
        key: str,
        model: type[Record],
        records: Sequence[Mapping[str, Any]],
        more: Mapping[str, str] | None = None,
    ) -> list[Record]:
        body = {key: list(records), **(more or {}), **self._scope}
        answer = self._api.call("POST", path, body=body)
        with answer.blamed():
            document = decode(answer.body)
            rows = document.get(key) if isinstance(document, dict) else None
            if not isinstance(rows, list):
                raise SchemaSurprise(f"The answer to an upload has no list called {key}.")
            return [model.read(row) for row in rows]

    def _patch(
        self, path: str, ramp_id: UUID, model: type[Record], changes: Mapping[str, Any]
    ) -> Record:
        return self._api.call("PATCH", f"{path}/{segment(ramp_id)}", body=changes).read(model)

    def _delete(self, path: str, ramp_id: UUID) -> None:
        self._api.call("DELETE", f"{path}/{segment(ramp_id)}", body=self._scope)
