"""Files on documents in the ledger: Tryton's own attachments, each under the name of its source.

With our add-on Tryton keeps a source from being attached twice. Without it we look before we
attach, so that one writer at a time and a settle delay after a lost answer are needed.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from connections.erp.adapters.tryton.documents import one_line
from connections.erp.adapters.tryton.errors import ERP
from connections.erp.adapters.tryton.models import MODELS, Records
from connections.erp.errors import Code
from connections.erp.records import Evidence, Posted, Ref
from connections.erp.refusals import refusal

ATTACHMENT = "ir.attachment"
LARGEST_FILE = 20 * 1024 * 1024
"""Tryton takes far more; a worker holds a file and its base64 in memory."""


def attach_once(records: Records, ref: Ref, file: Evidence) -> str:
    """Attach through our add-on.

    :raises ErpError: REJECTED_PAYLOAD, if nothing carries the reference
    """
    attached = records.rpc.call(
        f"model.{ATTACHMENT}.bridge_attach",
        MODELS[ref.kind],
        ref.full,
        file.source,
        named(file),
        file.content,
        write=True,
    )
    if attached is None:
        raise not_there(ref)
    return str(attached)


def attach_if_absent(records: Records, booked: Posted | None, ref: Ref, file: Evidence) -> str:
    """Look, then attach to `booked`, which is what carries the reference.

    :raises ErpError: REJECTED_PAYLOAD, if nothing does
    """
    if booked is None:
        raise not_there(ref)
    resource = f"{MODELS[ref.kind]},{booked.erp_id}"
    name = named(file)
    rows = records.rpc.read(ATTACHMENT, [["resource", "=", resource], ["name", "=", name]], ["id"])
    if rows:
        return str(rows[0]["id"])
    values = {"resource": resource, "name": name, "type": "data", "data": file.content}
    (made,) = records.rpc.call(f"model.{ATTACHMENT}.create", [values], write=True)
    return str(made)


def named(file: Evidence) -> str:
    """What people see, and what a file is found by: "receipt [source].pdf"."""
    name = PurePosixPath(one_line(file.name).replace("/", "-"))
    return f"{name.stem} [{file.source}]{name.suffix}"


def not_there(ref: Ref) -> Exception:
    return refusal(Code.REJECTED_PAYLOAD, erp=ERP, what=f": nothing carries {ref.full}")
