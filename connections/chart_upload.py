"""Mirror the ERP's chart into Ramp: keep our copy, then upload what Ramp does not have yet.

Ramp takes up to 500 records per call, all or nothing, and refuses what it knows already; so what it
has is read first, and its ids are kept (contract 4).
"""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from django.db.models import QuerySet

from connections.erp.port import ErpAdapter
from connections.erp.records import Master, MasterKind
from connections.models import Connection, CustomField, FieldOption, LedgerAccount, Vendor
from connections.ramp.bodies import FieldOptionUpload, GLAccountUpload, VendorUpload
from connections.ramp.chart import Chart
from connections.ramp.chart_calls import Taken
from connections.ramp.schemas import Reference

BATCH = 500
_CLASSES = {"ASSET", "CREDCARD", "EQUITY", "EXPENSE", "LIABILITY", "REVENUE"}
UploadBody = TypeVar("UploadBody", GLAccountUpload, VendorUpload, FieldOptionUpload)
Row = TypeVar("Row", LedgerAccount, CustomField, FieldOption, Vendor)


@dataclass(frozen=True, slots=True)
class Uploaded:
    """How many records Ramp got from us just now."""

    accounts: int = 0
    fields: int = 0
    options: int = 0
    vendors: int = 0


def mirror_chart(connection: Connection, erp: ErpAdapter, chart: Chart) -> Uploaded:
    """Read the ERP's whole chart and upload what is new; unchanged data costs no upload.

    :raises ErpError, RampError: if either side breaks off; what was uploaded until then is kept
    """
    read_chart(connection, erp)
    fields, options = _upload_fields(connection, chart)
    return Uploaded(
        accounts=_upload_accounts(connection, chart),
        fields=fields,
        options=options,
        vendors=_upload_vendors(connection, chart),
    )


def read_chart(connection: Connection, erp: ErpAdapter) -> None:
    """Bring our copy up to the ERP's chart."""
    _keep(
        LedgerAccount,
        ("connection", "erp_id"),
        [
            LedgerAccount(
                **_common(connection, master),
                classification=_classification(master),
                is_postable=master.postable,
            )
            for master in _masters(erp, MasterKind.ACCOUNT)
        ],
        ("classification", "is_postable"),
    )
    _keep(
        CustomField,
        ("connection", "erp_id"),
        [
            CustomField(**_common(connection, master))
            for master in _masters(erp, MasterKind.DIMENSION)
        ],
    )
    fields = {field.erp_id: field for field in CustomField.objects.filter(connection=connection)}
    _keep(
        FieldOption,
        ("field", "erp_id"),
        [
            FieldOption(**_common(connection, master), field=fields[master.parent])
            for master in _masters(erp, MasterKind.DIMENSION_VALUE)
            if master.parent in fields
        ],
    )
    _keep(
        Vendor,
        ("connection", "erp_id"),
        [Vendor(**_common(connection, master)) for master in _masters(erp, MasterKind.VENDOR)],
    )


def _masters(erp: ErpAdapter, kind: MasterKind) -> list[Master]:
    return [master for page in erp.changes(kind, None) for master in page.items]


def _common(connection: Connection, master: Master) -> dict[str, object]:
    return {
        "connection": connection,
        "erp_id": master.id,
        "name": master.name[:300],
        "code": master.code[:100],
        "is_active": master.active,
    }


def _classification(master: Master) -> str:
    return master.classification if master.classification in _CLASSES else "UNKNOWN"


def _keep(
    model: type[Row], identity: Sequence[str], rows: Sequence[Row], more: Sequence[str] = ()
) -> None:
    model.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=list(identity),
        update_fields=["name", "code", "is_active", *more],
        batch_size=1000,
    )


def _upload_accounts(connection: Connection, chart: Chart) -> int:
    missing = LedgerAccount.objects.filter(
        connection=connection, ramp_id=None, is_active=True, is_postable=True
    )
    if not missing.exists():
        return 0
    _adopt(missing, chart.gl_accounts())
    return _upload(
        missing.order_by("code", "id"),
        lambda row: GLAccountUpload(
            id=row.erp_id, name=row.name, classification=row.classification, code=row.code
        ),
        chart.upload_gl_accounts,
    )


def _upload_vendors(connection: Connection, chart: Chart) -> int:
    missing = Vendor.objects.filter(connection=connection, ramp_id=None, is_active=True)
    if not missing.exists():
        return 0
    _adopt(missing, chart.vendors())
    return _upload(
        missing.order_by("id"),
        lambda row: VendorUpload(id=row.erp_id, name=row.name),
        chart.upload_vendors,
    )


def _upload_fields(connection: Connection, chart: Chart) -> tuple[int, int]:
    """Fields before their options, which need Ramp's id of the field (R-17)."""
    created = options = 0
    for field in CustomField.objects.filter(connection=connection, is_active=True).order_by("id"):
        if field.ramp_id is None:
            made = chart.create_field(
                id=field.erp_id, name=field.name, input_type="SINGLE_CHOICE", is_splittable=True
            )
            field.ramp_id = made.ramp_id
            field.save(update_fields=["ramp_id"])
            created += 1
        options += _upload_options(field, field.ramp_id, chart)
    return created, options


def _upload_options(field: CustomField, field_ramp_id: uuid.UUID, chart: Chart) -> int:
    missing = FieldOption.objects.filter(field=field, ramp_id=None, is_active=True)
    if not missing.exists():
        return 0
    _adopt(missing, chart.field_options(field_ramp_id))

    def upload(rows: Sequence[FieldOptionUpload]) -> Taken[Any]:
        return chart.upload_field_options(field_ramp_id, rows)

    return _upload(
        missing.order_by("id"),
        lambda row: FieldOptionUpload(id=row.erp_id, value=row.name, code=row.code),
        upload,
    )


def _adopt(missing: QuerySet[Row], known: Iterable[Reference]) -> None:
    """Keep Ramp's ids of records that it has although we did not know (an answer was lost)."""
    _write_ramp_ids(missing, {one.id: one.ramp_id for one in known})


def _upload(
    missing: QuerySet[Row],
    body: Callable[[Row], UploadBody],
    send: Callable[[Sequence[UploadBody]], Taken[Any]],
) -> int:
    """Upload in batches; after each, Ramp's ids are kept, so that a crash resumes at the batch."""
    rows = iter(list(missing))
    uploaded = 0
    while batch := list(islice(rows, BATCH)):
        made = send([body(row) for row in batch])
        _write_ramp_ids(missing, {one.id: one.ramp_id for one in made.rows})
        uploaded += len(batch)
    return uploaded


def _write_ramp_ids(rows: QuerySet[Row], ramp_ids: Mapping[str, uuid.UUID]) -> None:
    changed = []
    for row in rows.filter(erp_id__in=list(ramp_ids)):
        row.ramp_id = ramp_ids[row.erp_id]
        changed.append(row)
    rows.model.objects.bulk_update(changed, ["ramp_id"], batch_size=1000)
