"""Settle a report that Ramp did not take: find out who of its members is the reason.

Ramp takes a batch whole or not at all, and "not ready" (7062) may mean "synced already", "key seen"
(7005) may mean anything. The only arbiter is what Ramp says of each object (contract 7, C11).
"""

import uuid
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from itertools import islice

from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.pages import TransactionPage
from syncing import reports, verdicts
from syncing.models import AckBatch
from syncing.verdicts import Verdict

FEW = 5
"""So many objects are read one by one; of more, the lists are read first."""
_ROWS_PER_PAGE = 10
"""Lists are read as long as a page may be expected to stand for so many single reads."""
_MARGIN = timedelta(hours=1)
"""Ramp's clock and ours may differ."""


def settle_not_ready(
    batch: AckBatch, ramp: RampClient, named: Collection[uuid.UUID], *, why: str
) -> None:
    """7062: judge the refused members by reading them, report the others anew (K6, K7, K9-K11).

    :raises RampError: if Ramp cannot be read now; the batch stays open
    """
    members = reports.members(batch)
    suspects = set(named) & set(members)
    found = read_again(ramp, suspects or members, since=batch.created_at - _MARGIN)
    if not suspects:
        found = {ramp_id: one for ramp_id, one in found.items() if one is not Verdict.READY}
    if found:
        verdicts.reject(batch, found, why=why)
    else:
        split(batch, why=why)


def settle_used_key(batch: AckBatch, ramp: RampClient, *, why: str) -> None:
    """7005: Ramp has seen this key, and does not say what came of it (faults K3, K4, K19).

    :raises RampError: if Ramp cannot be read now; the batch stays open
    """
    found = read_again(ramp, reports.members(batch), since=batch.created_at - _MARGIN)
    if batch.outcome == AckBatch.Outcome.FAILURE:
        # A failure leaves an object ready, so its key is all there is to tell that it was told.
        told = {ramp_id: Verdict.TOLD for ramp_id, one in found.items() if one is Verdict.READY}
        found |= told
    verdicts.reject(batch, found, why=why)


def split(batch: AckBatch, *, why: str) -> None:
    """Nobody is named: halve the batch until the odd one stands alone (faults K7, K15)."""
    lines = reports.lines_of(batch)
    if len(lines) <= 1:
        alone = dict.fromkeys(reports.members(batch), Verdict.REFUSED)
        verdicts.reject(batch, alone, why=why)
        return
    middle = len(lines) // 2
    successors = [
        (reports.new_batch(batch.connection, batch.sync_type, batch.outcome, half), half)
        for half in (lines[:middle], lines[middle:])
    ]
    verdicts.replace(batch, successors, why=why)


def read_again(
    ramp: RampClient, ids: Collection[uuid.UUID], *, since: datetime
) -> dict[uuid.UUID, Verdict]:
    """What Ramp says now of each object; `since` is safely before anything was reported of them."""
    wanted = set(ids)
    found: dict[uuid.UUID, Verdict] = {}
    if len(wanted) > FEW:
        found |= _listed(ramp.transactions(sync_status="SYNCED", synced_after=since), wanted)
        found |= _listed(ramp.transactions(sync_status="SYNC_READY"), wanted - found.keys())
    found |= {ramp_id: _read_one(ramp, ramp_id) for ramp_id in wanted - found.keys()}
    return found


def _listed(
    pages: Iterator[TransactionPage], wanted: Collection[uuid.UUID]
) -> dict[uuid.UUID, Verdict]:
    found: dict[uuid.UUID, Verdict] = {}
    for page in islice(pages, 1 + len(wanted) // _ROWS_PER_PAGE):
        found |= {
            one.id: verdict_on(one.sync_status) for one in page.transactions if one.id in wanted
        }
        if len(found) == len(wanted):
            break
    return found


def _read_one(ramp: RampClient, ramp_id: uuid.UUID) -> Verdict:
    try:
        return verdict_on(ramp.transaction(ramp_id).sync_status)
    except errors.NotFound:
        return Verdict.GONE


def verdict_on(sync_status: str) -> Verdict:
    """What a sync status of Ramp means for a report."""
    match sync_status:
        case "SYNCED":
            return Verdict.SYNCED
        case "SYNC_READY":
            return Verdict.READY
        case _:
            return Verdict.NOT_READY
