"""Tax rates, the one field of tax codes, and tax codes: in that order or not at all (R-46)."""

import uuid
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

from connections.mirror.diff import TAX_CODE, TAX_RATE
from connections.mirror.kinds import Columns, Mirrored
from connections.models import LedgerAccount, Mirror
from connections.ramp.bodies import TaxCodeUpload, TaxRateUpload
from connections.ramp.chart import Chart
from connections.ramp.chart_calls import Taken
from connections.ramp.schemas import TaxCode, TaxRate

FIELD_NAME = "Tax code"


class TaxRates(Mirrored):
    """Each is booked on an account, which is in Ramp before it."""

    kind = TAX_RATE
    columns: ClassVar = {"ramp_rate": "numeric"}

    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        accounts = accounts_in_ramp(rows[0].connection_id, {row.account_erp_id for row in rows})
        return chart.upload_tax_rates([_rate(row, accounts[row.account_erp_id]) for row in rows])

    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        assert not reactivate  # Ramp has no call for it, and `validation` lets none come here
        accounts = accounts_in_ramp(row.connection_id, {row.account_erp_id})
        chart.update_tax_rate(
            row.ramp_id,
            name=row.name,
            rate=_fraction(row),
            accounting_gl_account_id=str(accounts[row.account_erp_id]),
        )

    def delete(self, chart: Chart, row: Any) -> None:
        chart.delete_tax_rate(row.ramp_id)

    def listed(self, chart: Chart, **_filters: Any) -> Iterator[TaxRate]:
        """The whole list: Ramp has no filter for it."""
        return chart.tax_rates()

    def as_sent(self, row: Any) -> Columns:
        return super().as_sent(row) | {"ramp_code": "", "ramp_rate": row.rate}

    def as_shown(self, reference: TaxRate) -> Columns:
        return {
            "ramp_id": str(reference.ramp_id),
            "ramp_name": reference.name,
            "ramp_code": "",
            "ramp_is_active": reference.is_active,
            "ramp_rate": reference.rate,
        }


class TaxCodes(Mirrored):
    """Options of the one tax code field, which is made before the first of them."""

    kind = TAX_CODE
    columns: ClassVar = {"ramp_rate_erp_ids": "jsonb"}

    def prepare(self, chart: Chart, connection_id: uuid.UUID) -> None:
        """See that Ramp has the field. Looked for once, then known."""
        mirror = Mirror.objects.get(connection_id=connection_id)
        if mirror.tax_field_ramp_id is not None:
            return
        field = chart.tax_code_field() or chart.create_tax_code_field(name=FIELD_NAME)
        mirror.tax_field_ramp_id = field.ramp_id
        mirror.save(update_fields=["tax_field_ramp_id"])

    def upload(self, chart: Chart, rows: Sequence[Any]) -> Taken[Any]:
        return chart.upload_tax_codes([_code(row) for row in rows])

    def change(self, chart: Chart, row: Any, *, reactivate: bool = False) -> None:
        assert not reactivate  # Ramp has no call for it, and `validation` lets none come here
        chart.update_tax_code(row.ramp_id, name=row.name, tax_rate_ids=row.rate_erp_ids)

    def delete(self, chart: Chart, row: Any) -> None:
        chart.delete_tax_code(row.ramp_id)

    def listed(self, chart: Chart, **filters: Any) -> Iterator[TaxCode]:
        return chart.tax_codes(**filters)

    def as_sent(self, row: Any) -> Columns:
        return super().as_sent(row) | {"ramp_code": "", "ramp_rate_erp_ids": row.rate_erp_ids}

    def as_shown(self, reference: TaxCode) -> Columns:
        return {
            "ramp_id": str(reference.ramp_id),
            "ramp_name": reference.name,
            "ramp_code": "",
            "ramp_is_active": reference.is_active,
            "ramp_rate_erp_ids": list(reference.tax_rate_ids),
        }


def accounts_in_ramp(connection_id: uuid.UUID, erp_ids: set[str]) -> dict[str, uuid.UUID]:
    """Ramp's ids of accounts that can be chosen there, by the ERP's."""
    found = LedgerAccount.objects.filter(
        connection_id=connection_id, erp_id__in=erp_ids, ramp_id__isnull=False, ramp_is_active=True
    )
    return {
        erp_id: ramp_id for erp_id, ramp_id in found.values_list("erp_id", "ramp_id") if ramp_id
    }


def _rate(row: Any, account: uuid.UUID) -> TaxRateUpload:
    return {
        "id": row.erp_id,
        "name": row.name,
        "rate": _fraction(row),
        "accounting_gl_account_id": str(account),
    }


def _fraction(row: Any) -> str:
    """0.05 and not 0.05000000."""
    return f"{row.rate.normalize():f}"


def _code(row: Any) -> TaxCodeUpload:
    body: TaxCodeUpload = {"id": row.erp_id, "name": row.name}
    if row.rate_erp_ids:
        body["tax_rate_ids"] = row.rate_erp_ids
    return body
