"""Settle a report that Ramp did not take: find out who of its members is the reason.

Ramp takes a batch whole or not at all, and "not ready" (7062) may mean "synced already", "key seen"
(7005) may mean anything. The only arbiter is what Ramp says of each object (contract 7, C11).
"""

import uuid
from collections.abc import Collection, Iterator, Set
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from syncing import reports, verdicts
from syncing.kinds import KINDS, Kind, Scope, Standing
from syncing.models import AckBatch
from syncing.report_body import new_batch, subject_of
from syncing.verdicts import Finding, Verdict

MANY = 500
"""So many objects take fewer calls to read, by their list, than to halve."""
FEW = 5
"""So many objects are read one by one; of more, the lists are read first."""
_ROWS_PER_PAGE = 10
"""Lists are read as long as a page may be expected to stand for so many single reads."""
MARGIN = timedelta(hours=1)
"""Ramp's clock and ours may differ."""
HICCUPS = 2
"""So often in one reading Ramp may fail at once, and what was read until then is kept."""


def settle_not_ready(
    batch: AckBatch, ramp: RampClient, named: Collection[uuid.UUID], *, why: str
) -> None:
    """7062: judge the refused members by reading them, report the others anew (K6, K7, K9-K12).

    A large batch of which nobody is named is halved first: for one odd member that takes fewer
    calls than to read all of them. If both halves are refused there are several, and lists tell.

    :raises RampError: if Ramp cannot be read now; the batch stays open
    """
    members = reports.members(batch)
    suspects = set(named) & set(members)
    is_large = not suspects and batch.size > MANY
    if is_large and not reports.has_company(batch, since=batch.created_at - MARGIN):
        split(batch, why=why)
        return
    found = _read_members(batch, ramp, suspects or members, most_are=Standing.READY)
    if not suspects:
        found = {id_: one for id_, one in found.items() if one.verdict is not Verdict.READY}
    if found:
        verdicts.reject(batch, found, why=why)
    else:
        split(batch, why=why)


def settle_used_key(batch: AckBatch, ramp: RampClient, *, why: str) -> None:
    """7005: Ramp has seen this key, and does not say what came of it (faults K3, K4, K19).

    :raises RampError: if Ramp cannot be read now; the batch stays open
    """
    found = _read_members(batch, ramp, reports.members(batch))
    if batch.outcome == AckBatch.Outcome.FAILURE:
        # A failure leaves an object ready, so its key is all there is to tell that it was told.
        told = Finding(Verdict.TOLD)
        found |= {id_: told for id_, one in found.items() if one.verdict is Verdict.READY}
    verdicts.reject(batch, found, why=why)


def split(batch: AckBatch, *, why: str, into: int | None = None) -> None:
    """Nobody is named: halve the batch until the odd one stands alone (faults K7, K15).

    :param into: the size of the parts, instead of halves
    """
    lines = reports.lines_of(batch)
    about = subject_of(batch)
    if about.request and (len(lines) <= 1 or _is_about_request(why)):
        # Alpha, and in no published contract: without the press's id the result still counts.
        plain = new_batch(replace(about, request=None), lines)
        verdicts.replace(batch, [(plain, lines)], why=why)
        return
    if len(lines) <= 1:
        alone = dict.fromkeys(reports.members(batch), Finding(Verdict.REFUSED))
        verdicts.reject(batch, alone, why=why)
        return
    size = into or (len(lines) + 1) // 2
    parts = [lines[start : start + size] for start in range(0, len(lines), size)]
    verdicts.replace(batch, [(new_batch(about, part), part) for part in parts], why=why)


def _is_about_request(why: str) -> bool:
    """Whether Ramp refuses the press of the sync button that a report names."""
    return "sync request" in why.lower().replace("_", " ")


def _read_members(
    batch: AckBatch,
    ramp: RampClient,
    ids: Collection[uuid.UUID],
    *,
    most_are: Standing = Standing.SYNCED,
) -> dict[uuid.UUID, Finding]:
    kind = next(one for one in KINDS.values() if one.sync_type == batch.sync_type)
    return read_again(kind, ramp, ids, since=batch.created_at - MARGIN, most_are=most_are)


def read_again(
    kind: Kind,
    ramp: RampClient,
    ids: Collection[uuid.UUID],
    *,
    since: datetime,
    most_are: Standing = Standing.SYNCED,
) -> dict[uuid.UUID, Finding]:
    """What Ramp says now of each object.

    :param since: safely before anything was reported of them
    :param most_are: SYNCED or READY: that list is read first, and the other one only if many are
        not on it

    :raises RampError: if Ramp cannot be read now
    """
    wanted = set(ids)
    found: dict[uuid.UUID, Finding] = {}
    hiccups = 0
    while True:
        try:
            _read_missing(kind, ramp, wanted, found, since=since, most_are=most_are)
        except errors.RampUnreachable as error:
            hiccups += 1
            if hiccups > HICCUPS or error.status not in _AT_ONCE:
                raise
        else:
            return found


_AT_ONCE = (500, 502, 503)
"""What Ramp says quickly and means nothing by. Time-outs would outlast the batch's lease."""


def _read_missing(
    kind: Kind,
    ramp: RampClient,
    wanted: Collection[uuid.UUID],
    found: dict[uuid.UUID, Finding],
    *,
    since: datetime,
    most_are: Standing,
) -> None:
    lists = [lambda: kind.synced_since(ramp, since), lambda: kind.ready(ramp, Scope())]
    for pages in reversed(lists) if most_are is Standing.READY else lists:
        if len(left := set(wanted) - found.keys()) > FEW:
            _add_listed(kind, pages(), left, found)
    for ramp_id in set(wanted) - found.keys():
        found[ramp_id] = _read_one(kind, ramp, ramp_id)


def _add_listed(
    kind: Kind,
    pages: Iterator[Page[Any]],
    wanted: Set[uuid.UUID],
    found: dict[uuid.UUID, Finding],
) -> None:
    for page in islice(pages, 1 + len(wanted) // _ROWS_PER_PAGE):
        found |= {one.id: finding(kind, one) for one in page.items if one.id in wanted}
        if wanted <= found.keys():
            break


def _read_one(kind: Kind, ramp: RampClient, ramp_id: uuid.UUID) -> Finding:
    try:
        one = kind.model.parse(kind.body(ramp, ramp_id))
    except errors.NotFound:
        return Finding(Verdict.GONE)
    found = finding(kind, one)
    if found.verdict is Verdict.READY and not kind.is_listed(ramp, one):
        return Finding(Verdict.NOT_READY)
    return found


def finding(kind: Kind, one: Any) -> Finding:
    """What an object of Ramp, as it stands now, means for a report of it."""
    match kind.standing(one):
        case Standing.SYNCED:
            return Finding(Verdict.SYNCED)
        case Standing.READY:
            return Finding(Verdict.READY)
        case Standing.NOT_READY:
            # Only a payment becomes ready by itself: when the money has arrived (gotcha 11).
            return Finding(Verdict.NOT_PAID if kind.phase else Verdict.NOT_READY)
        case Standing.UNKNOWN:
            return Finding(Verdict.UNKNOWN, kind.unknown_words(one))
