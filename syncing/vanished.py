"""What Ramp no longer lists as ready has been synced by someone else, or taken back."""

import logging
import uuid
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from django.conf import settings

from connections.models import Connection
from connections.ramp import errors
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp.schemas import Schema
from syncing import intake, snapshots
from syncing.kinds import LISTS, Kind, Standing, kind_of, list_of
from syncing.snapshots import Complete, Vanished

logger = logging.getLogger(__name__)

OF_ONE_OBJECT = (
    errors.ScopeMissing,
    errors.Forbidden,
    errors.NoSuchEndpoint,
    errors.InvalidRequest,
    errors.SchemaSurprise,
)
"""What is wrong with one object, or one type of them; others can be read all the same."""
MOST_REREADS = 100
"""Vanished objects read one by one after a pull; the rest waits for the next pull."""

_WHY = {
    "EXTERNAL": "Marked as synced in Ramp, but not by rampbridge: the Export button,"
    " or another tool.",
    "WITHDRAWN": "No longer ready to sync in Ramp.",
}


def settle(
    connection: Connection,
    ramp: RampClient,
    lists: Sequence[Complete],
    *,
    listed_at: datetime,
    keep_lease: Callable[[], None],
) -> list[errors.RampError]:
    """Read each object again that complete lists no longer have: a list that was read while it
    changed may have skipped a row (fault P5).

    Returns why single ones could not be read; they are looked at again after the next pull.

    :raises RampError: if Ramp cannot be asked at all now
    """
    unread: list[errors.RampError] = []
    vanished = snapshots.not_listed(connection.pk, lists, MOST_REREADS)
    by_object = sorted(vanished, key=lambda one: (list_of(one.object_type), one.ramp_id.bytes))
    for (list_name, ramp_id), items in groupby(
        by_object, key=lambda one: (list_of(one.object_type), one.ramp_id)
    ):
        keep_lease()
        try:
            _settle(connection, ramp, list_name, ramp_id, list(items), listed_at)
        except OF_ONE_OBJECT as error:
            unread.append(error)
            logger.warning(
                "An object that is no longer listed cannot be read.",
                extra={"connection": connection.slug, "object": str(ramp_id), "why": str(error)},
            )
    return unread


def _settle(
    connection: Connection,
    ramp: RampClient,
    list_name: str,
    ramp_id: uuid.UUID,
    items: Sequence[Vanished],
    listed_at: datetime,
) -> None:
    """One object, with its items of each phase."""
    first = LISTS[list_name][0]
    try:
        page = _as_page(first, first.body(ramp, ramp_id))
    except errors.NotFound:
        for item in items:
            snapshots.leave(item.item_id, "WITHDRAWN", why=_WHY["WITHDRAWN"])
        return
    standing = {item: _standing(kind_of(item.object_type), page) for item in items}
    is_ready = Standing.READY in standing.values()
    if is_ready and not all(first.is_listed(ramp, one) for one in page.items):
        is_ready = False
        standing = {
            item: Standing.NOT_READY if found is Standing.READY else found
            for item, found in standing.items()
        }
    if is_ready or Standing.UNKNOWN in standing.values():
        intake.take_in(connection, list_name, page, listed_at=listed_at)
    for item, found in standing.items():
        if found in (Standing.SYNCED, Standing.NOT_READY):
            state = "EXTERNAL" if found is Standing.SYNCED else "WITHDRAWN"
            snapshots.leave(item.item_id, state, why=_WHY[state])


def _standing(kind: Kind, page: Page[Schema]) -> Standing:
    for one in page.items:
        return kind.standing(one)
    (malformed,) = page.malformed
    return intake.standing_of_malformed(kind, malformed)


def _as_page(kind: Kind, body: bytes) -> Page[Schema]:
    """One object as a list of one, to be stored, or put aside if malformed, like any other."""
    return Page.read(
        b'{"data":[' + body + b'],"page":null}', kind.model, base_url=settings.RAMP_API_URL
    )
