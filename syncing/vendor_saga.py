"""From a merchant to coded transactions: create its vendor on both sides, then code who waits.

    ERP --> upload to Ramp --> code each waiting transaction --> read it again --> it is queued

Once per merchant for the first two steps (`connections.vendors`), once per transaction for the
others. A transaction leaves its wait only by what Ramp says when it is read again (R-39), so that
whoever dies between two steps leaves nothing but work to go on with (fault X24).
"""

import logging
import time
import uuid
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction

from connections import vendor_queue, vendors
from connections.erp.errors import ErpError
from connections.models import VendorCreation
from connections.ramp import errors as ramp_errors
from connections.ramp.client import RampClient
from connections.ramp.errors import RampError
from connections.ramp.pages import Page
from connections.ramp.schemas import Transaction
from connections.vendor_queue import LeaseLost
from connections.vendors import LooksAlike, SeveralVendors
from rampbridge.lib import failpoints
from rampbridge.lib.backoff import full_jitter
from syncing import intake, releases, results, rulings, snapshots, stopping, vendor_waits
from syncing.classifier import (
    ErrorCategory,
    SyncFailure,
    attempts_spent,
    classify,
    classify_ramp,
    judged,
    poisonous,
    unexpected,
)
from syncing.dispatch import Worker
from syncing.engine import for_people
from syncing.setbacks import PATIENCE, SILENCE

logger = logging.getLogger(__name__)

MERCHANTS = 5
"""Per ring; then other connections have their turn."""
TRANSACTIONS = 25
"""Coded per merchant and turn."""
MOST_TOLD = 5000
"""Transactions of one merchant that are put aside with the reason; others follow as they come."""
RETRY_BUDGET = 8
LONGEST_CODING_SECONDS = 200
"""Three calls to Ramp; no transaction is begun later before the lease ends."""

_SILENT = (ramp_errors.RampUnreachable, ramp_errors.RampRateLimited)


class NotConfirmed(Exception):
    """Ramp took the coding and still says that the transaction has no vendor."""


@dataclass(frozen=True, slots=True)
class _Option:
    """A vendor as codings name it: Ramp's ids of the field and of the option."""

    field_id: str
    option_id: str
    erp_id: str
    name: str


def create_due(worker: Worker, ramp: RampClient) -> int:
    """Go on with the merchants that are due. Returns how many were taken up."""
    for taken_up in range(MERCHANTS):
        if stopping.is_asked():
            return taken_up
        token, deadline = uuid.uuid4(), _latest_start()
        claimed = vendor_queue.claim(worker.connection, token, 1)
        if not claimed:
            return taken_up
        for creation in claimed:
            _go_on(worker, ramp, creation, deadline)
    return MERCHANTS


def _latest_start() -> float:
    return time.monotonic() + vendor_queue.LEASE_SECONDS - LONGEST_CODING_SECONDS


def _go_on(worker: Worker, ramp: RampClient, creation: VendorCreation, deadline: float) -> None:
    if creation.attempts > RETRY_BUDGET:
        _write_failure(worker, creation, poisonous(creation.attempts - 1), counts=True)
        return
    try:
        vendors.advance(creation, worker.erp, ramp)
        is_over = _code_waiting(worker, ramp, creation, deadline)
    except LeaseLost:
        return  # somebody else goes on with it
    except (ErpError, RampError, SeveralVendors, NotConfirmed) as error:
        failure = _judge(error, worker.connection.erp_name)
        is_outage = failure.stops_connection or isinstance(error, _SILENT)
        _write_failure(worker, creation, failure, counts=not is_outage)
    except (OperationalError, InterfaceError):  # the database's own: nothing of the merchant
        raise
    except Exception as error:
        logger.exception("A vendor could not be created.", extra={"creation": str(creation.pk)})
        _write_failure(worker, creation, unexpected(error), counts=True)
    else:
        (vendor_queue.done if is_over else vendor_queue.go_on_later)(creation)


def _code_waiting(
    worker: Worker, ramp: RampClient, creation: VendorCreation, deadline: float
) -> bool:
    """Code a turn's worth of the transactions that wait. False if there are more.

    :raises NotConfirmed: if there are more, and not one of these has left its wait: the next turn
        would only do the same again
    """
    these = partial(
        vendor_waits.waiting_for, worker.connection.pk, creation.merchant_id, TRANSACTIONS
    )
    waiting = these()
    if not waiting:
        return True
    option = _option(ramp, creation)
    for item_id, ramp_id in waiting:
        if time.monotonic() > deadline or stopping.is_asked():
            return False
        try:
            _code(worker, ramp, item_id, ramp_id, option)
        except ramp_errors.NotFound:
            continue  # it is gone from Ramp; the next pull puts it aside
    if len(waiting) < TRANSACTIONS:
        return True
    if these() == waiting:
        raise NotConfirmed
    return False


def _option(ramp: RampClient, creation: VendorCreation) -> _Option:
    assert creation.ramp_id is not None  # that is what the step says
    vendor = ramp.vendor(creation.ramp_id)
    if not vendor.is_active:  # what is coded with a deleted vendor cannot be synced
        vendor = ramp.update_vendor(creation.ramp_id, reactivate=True)
    field = vendor.vendor_category_info
    if field is None or field.ramp_id is None:
        raise ramp_errors.SchemaSurprise("Ramp does not say which field vendors belong to.")
    return _Option(str(field.ramp_id), str(creation.ramp_id), creation.erp_id, vendor.name)


def _code(
    worker: Worker, ramp: RampClient, item_id: int, ramp_id: uuid.UUID, option: _Option
) -> None:
    """Give one transaction its vendor, unless a person has, and take in what Ramp then says."""
    before, listed_at = ramp.transaction_body(ramp_id), snapshots.database_now()
    if not _is_without_vendor(before):
        _take_in(worker, before, listed_at)
        return
    try:
        ramp.code_object(
            ramp_id, [{"field_id": option.field_id, "field_option_id": option.option_id}]
        )
    except ramp_errors.InvalidRequest as error:
        _put_aside(worker, item_id, _not_codable(option, error))
        return
    failpoints.hit("after_coding")
    listed_at = snapshots.database_now()
    after = ramp.transaction_body(ramp_id)
    if _is_without_vendor(after):
        raise NotConfirmed
    _take_in(worker, after, listed_at)


@transaction.atomic
def _put_aside(worker: Worker, item_id: int, failure: SyncFailure) -> None:
    """Say what is wrong with one transaction; of one that was told of the vendor, instead."""
    releases.release(worker.connection.pk, ids=[item_id], why="Its vendor is there.")
    results.record_refused(None, for_people([(item_id, failure)]))


def _is_without_vendor(body: bytes) -> bool:
    return Transaction.parse(body).requires_accounting_vendor_creation_to_sync


def _take_in(worker: Worker, body: bytes, listed_at: datetime) -> None:
    page = Page.read(
        b'{"data":[' + body + b'],"page":null}', Transaction, base_url=settings.RAMP_API_URL
    )
    intake.take_in(worker.connection, vendor_waits.TRANSACTION, page, listed_at=listed_at)


def _judge(
    error: ErpError | RampError | SeveralVendors | NotConfirmed, erp_name: str
) -> SyncFailure:
    match error:
        case ErpError():
            return classify(error, erp_name=erp_name)
        case RampError():
            return classify_ramp(error)
        case LooksAlike():
            others = ", ".join(error.others)
            return judged("vendor.looks_alike", what=error.name, erp=erp_name, others=others)
        case SeveralVendors():
            return judged("vendor.several", what=error.name, erp=erp_name)
        case NotConfirmed():
            return judged("vendor.not_confirmed")


def _not_codable(option: _Option, error: RampError) -> SyncFailure:
    return judged("vendor.not_codable", what=option.name, detail=str(error))


def _write_failure(
    worker: Worker, creation: VendorCreation, failure: SyncFailure, *, counts: bool
) -> None:
    again_in: float | None = None
    (failure,) = rulings.follow([failure])
    if failure.category is ErrorCategory.TRANSIENT:
        if counts and creation.attempts >= RETRY_BUDGET:
            failure = attempts_spent(failure, creation.attempts)
        else:
            again_in = _back_off(worker, creation, failure, at_least=1 if counts else SILENCE)
    elif failure.stops_connection:
        again_in = PATIENCE
    if again_in is None:
        _tell_who_waits(creation, failure)
    vendor_queue.record_failure(
        creation,
        category=failure.category.value,
        code=failure.code,
        title=failure.title,
        fix=failure.fix,
        detail=failure.detail,
        again_in=again_in,
        counts=counts,
    )


def _tell_who_waits(creation: VendorCreation, failure: SyncFailure) -> None:
    """Put the transactions aside with the reason, so that Ramp shows it: a person must act.

    Once the vendor is there they are coded like any other, wherever the person has acted.
    """
    cause = vendor_waits.cause_of(creation.merchant_id)
    waiting = vendor_waits.waiting_for(creation.connection_id, creation.merchant_id, MOST_TOLD)
    blocked = replace(failure, blocked_by=cause)
    refused = for_people([(item_id, blocked) for item_id, _ in waiting], recheck=False)
    results.record_refused(None, refused)


def _back_off(
    worker: Worker, creation: VendorCreation, failure: SyncFailure, *, at_least: float
) -> float:
    wait = full_jitter(
        creation.attempts,
        base=timedelta(seconds=4),
        ceiling=timedelta(minutes=15),
        # a request that we gave up must have died out before the ERP is asked again
        minimum=timedelta(
            seconds=max(at_least, worker.capabilities.settle, failure.retry_after or 0)
        ),
        jitter=worker.jitter(),
    )
    return wait.total_seconds()
