"""Receipts and invoices reach the ERP's document, now or late (F-21, F-22).

    rows come with the post (`results.record_posted`), by webhook (`attachments.look_again`) and
    from the daily look (`look_for_late`); `send_due` downloads each file and attaches it.

A file that fails is its own trouble, with its own tries: no item changes its state for it, and no
document is ever posted again.
"""

import hashlib
import logging
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Any

from django.db import InterfaceError, OperationalError

from connections.erp.errors import ErpError
from connections.erp.port import ErpAdapter
from connections.erp.records import Capabilities, Evidence
from connections.models import Connection
from connections.ramp import errors as ramp_errors
from connections.ramp.client import RampClient
from connections.ramp.errors import RampError, SchemaSurprise
from connections.ramp.file_errors import AddressExpired, FileNotFetched, FileTooLarge
from connections.ramp.files import Download, FileStore
from connections.ramp.spend import Bill
from rampbridge.lib import failpoints
from rampbridge.lib.backoff import full_jitter
from syncing import attachments, file_claims, setbacks, stopping
from syncing.classifier import ErrorCategory, SyncFailure, attempts_spent, classify
from syncing.file_claims import LEASE_SECONDS, ClaimedFile
from syncing.kinds import kind_of
from syncing.setbacks import CannotAttach, Setback

logger = logging.getLogger(__name__)

CHUNK = 10
"""Files per ring; then other connections have their turn."""
RETRY_BUDGET = 8
LONGEST_FILE_SECONDS = 110
"""Of the slowest download and the slowest ERP; no file is begun later before the lease ends."""
WITH_RECEIPTS = ("transaction", "reimbursement")
"""Types whose files have ids. An invoice of a bill has only its address, which may change."""


@dataclass(frozen=True)
class Courier:
    """Who carries the files of one connection from Ramp to its ERP."""

    connection: Connection
    ramp: RampClient
    erp: ErpAdapter
    files: FileStore
    jitter: Callable[[], float]
    token: uuid.UUID = field(default_factory=uuid.uuid4)


def send_due(courier: Courier) -> int:
    """Attach a chunk of the files that are due. Returns how many it took up."""
    connection = courier.connection
    try:
        capabilities = courier.erp.capabilities()
    except ErpError as error:
        failure = classify(error, erp_name=connection.erp_name)
        file_claims.postpone(connection.pk, failure, setbacks.SILENCE)
        return 0
    if not capabilities.attachments:
        return file_claims.skip(connection.pk, f"{connection.erp_name} takes no files.")
    deadline = time.monotonic() + LEASE_SECONDS - LONGEST_FILE_SECONDS
    claimed = file_claims.claim(connection.pk, courier.token, CHUNK)
    if claimed:
        failpoints.hit("after_file_claim")
    else:
        file_claims.put_off_others(connection.pk)
    for place, file in enumerate(claimed):
        setback = _carry(courier, file, capabilities)
        late = time.monotonic() > deadline or stopping.is_asked()
        if late or (setback and setback.stops):
            file_claims.give_back(courier.token, [left.id for left in claimed[place + 1 :]])
            if setback and setback.stops:
                wait = setbacks.pause(setback.failure)
                file_claims.postpone(connection.pk, setback.failure, wait)
            break
    return len(claimed)


def look_for_late(connection: Connection, ramp: RampClient, *, since: datetime) -> int:
    """Queue receipts of what was synced since, that nobody has told us of (F-22).

    Files that had failed and are in Ramp still get another chance. Returns how many are queued.

    :raises RampError: if a list breaks off; what was queued until then stays
    """
    found = 0
    for object_type in WITH_RECEIPTS:
        if object_type not in connection.object_types:
            continue
        for page in kind_of(object_type).synced_since(ramp, since):
            found += attachments.add_late(connection.pk, object_type, _receipts(page.items))
    return found


def postpone(connection: Connection, failure: SyncFailure) -> int:
    """Let the files wait of a connection that one side cannot be used of now."""
    return file_claims.postpone(connection.pk, failure, setbacks.pause(failure))


def _carry(courier: Courier, file: ClaimedFile, capabilities: Capabilities) -> Setback | None:
    """Attach one file, or write down what came in its way, which is what is returned."""
    try:
        _attach_or_look(courier, file, capabilities)
    except (ErpError, RampError, FileNotFetched, CannotAttach) as error:
        setback = setbacks.judge(error, erp_name=courier.connection.erp_name)
    except (OperationalError, InterfaceError):  # the database's own: nothing of the file
        raise
    except Exception as error:
        logger.exception("A file could not be attached.", extra={"file": file.id})
        setback = setbacks.unexpected(error)
    else:
        return None
    _write_setback(courier, file, setback, settle=capabilities.settle)
    return setback


def _attach_or_look(courier: Courier, file: ClaimedFile, capabilities: Capabilities) -> None:
    if file.attempts > RETRY_BUDGET:  # fault X21, with a file in the item's place
        raise CannotAttach("The file could not be attached: no worker survived it.")
    if file.is_wish:
        _look(courier, file)
    else:
        _attach(courier, file, capabilities)


def _attach(courier: Courier, file: ClaimedFile, capabilities: Capabilities) -> None:
    if file.ref is None:
        raise CannotAttach("This item has no document of its own to attach the file to.")
    download = _fetch(courier, file)
    size = len(download.content)
    if size > capabilities.largest_attachment:
        raise FileTooLarge(f"{size} bytes; {capabilities.largest_attachment} are the most.")
    name = _name(file, download)
    erp_id = courier.erp.attach(
        file.ref, Evidence(file.source, name, download.media_type, download.content)
    )
    failpoints.hit("after_attach")
    file_claims.record_attached(file, courier.token, erp_id=erp_id, name=name, size=size)


def _fetch(courier: Courier, file: ClaimedFile) -> Download:
    if not file.url:
        return courier.files.download(courier.ramp.receipt(_receipt_id(file)).receipt_url)
    try:
        return courier.files.download(file.url)
    except AddressExpired:
        url = _signed_again(courier, file)
        file_claims.keep_address(file, courier.token, url)
        return courier.files.download(url)


def _receipt_id(file: ClaimedFile) -> uuid.UUID:
    try:
        return uuid.UUID(file.source)
    except ValueError:
        raise SchemaSurprise(f"Ramp names a receipt {file.source!r}, which is no id.") from None


def _signed_again(courier: Courier, file: ClaimedFile) -> str:
    """The invoice's address as Ramp signs it today."""
    urls = Bill.parse(courier.ramp.bill_body(file.ramp_id)).invoice_urls
    for url in urls:
        if digest_of(url) == file.source:
            return url
    raise AddressExpired("Ramp no longer lists this invoice.")


def digest_of(url: str) -> str:
    """What an invoice is known by: its address without the signature."""
    return hashlib.sha256(url.partition("?")[0].encode()).hexdigest()


def _look(courier: Courier, file: ClaimedFile) -> None:
    """Grant the wish to read an object again."""
    kind = kind_of(file.object_type)
    try:
        found = kind.model.parse(kind.body(courier.ramp, file.ramp_id))
    except ramp_errors.NotFound:
        receipts = []
    else:
        receipts = _receipts([found])
    attachments.add_late(courier.connection.pk, file.object_type, receipts)
    file_claims.fulfilled(file, courier.token)


def _receipts(objects: Sequence[Any]) -> list[tuple[uuid.UUID, str]]:
    return [(one.id, receipt) for one in objects for receipt in one.receipts]


def _name(file: ClaimedFile, download: Download) -> str:
    """As a bookkeeper wants to find it: "Receipt Figma.pdf"."""
    kind = "Invoice" if file.url else "Receipt"
    return f"{kind} {file.label}"[:80].rstrip() + PurePosixPath(download.name).suffix


def _write_setback(courier: Courier, file: ClaimedFile, setback: Setback, *, settle: float) -> None:
    failure = setback.failure
    if not setback.counts:
        file_claims.give_back(courier.token, [file.id])  # and it waits with all others
        return
    if failure.category is not ErrorCategory.TRANSIENT:
        file_claims.record_failed(file, courier.token, failure)
        return
    if file.attempts >= RETRY_BUDGET:
        file_claims.record_failed(file, courier.token, attempts_spent(failure, file.attempts))
        return
    wait = full_jitter(
        file.attempts,
        base=timedelta(seconds=15),
        ceiling=timedelta(hours=1),
        # a request that we gave up must have died out before the ERP is asked again
        minimum=timedelta(seconds=max(1, settle, failure.retry_after or 0)),
        jitter=courier.jitter(),
    )
    file_claims.record_retry(file, courier.token, failure, wait.total_seconds())
