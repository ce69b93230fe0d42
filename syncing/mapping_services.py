"""What people do to mappings: save, take back, read in, copy. What was held up goes on at once.

The book and the release of the items are one commit: nobody sees a mapping that has freed nothing.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from connections.mapping_book import lines, revisions
from connections.mapping_book.changes import Change, Key
from connections.models import Connection, MappingRevision
from syncing import mapping_effects, schedule

logger = logging.getLogger(__name__)

Source = MappingRevision.Source

REMEMBERED = 5_000
"""Items of a revision whose further way is shown; all of them are released."""


@dataclass(frozen=True, slots=True)
class Saved:
    """A revision, and how many items it let go. None: everything was so already."""

    revision: MappingRevision | None
    released: int = 0


def save_and_release(
    connection: Connection,
    changes: Sequence[Change],
    *,
    actor: str,
    reason: str,
    source: MappingRevision.Source = Source.WORKBENCH,
    expected_number: int | None = None,
) -> Saved:
    """Save changes as one revision, and queue at once every item that they let go.

    :raises BadTarget, Outdated: as `revisions.save` says; nothing is saved then
    """
    with transaction.atomic():
        before = lines.standing(connection, [change.key for change in changes])
        revision = revisions.save(
            connection,
            changes,
            actor=actor,
            reason=reason,
            source=source,
            expected_number=expected_number,
        )
        return _released(connection, revision, changes, before, actor)


def revert(
    revision: MappingRevision, *, actor: str, reason: str, only_unchanged: bool = False
) -> Saved:
    """Take a revision back, and queue what goes on by that.

    :raises Conflict, BadTarget: as `revisions.revert` says; nothing is saved then
    """
    with transaction.atomic():
        undone = revisions.changes_of(revision)
        before = lines.standing(revision.connection, [change.key for change in undone])
        made = revisions.revert(revision, actor=actor, reason=reason, only_unchanged=only_unchanged)
        changes = revisions.changes_of(made) if made else []
        return _released(revision.connection, made, changes, before, actor)


def _released(
    connection: Connection,
    revision: MappingRevision | None,
    changes: Sequence[Change],
    before: dict[Key, str],
    actor: str,
) -> Saved:
    if revision is None:
        return Saved(None)
    why = f"Mapped in revision {revision.number}."
    ids = mapping_effects.release(connection, changes, before, why=why, actor=actor)
    if ids:
        revision.released, revision.released_items = len(ids), ids[:REMEMBERED]
        revision.save(update_fields=["released", "released_items"])
        schedule.work_soon(connection.pk)
    logger.info(
        "Items were released by a mapping.",
        extra={
            "connection": connection.slug,
            "revision": revision.number,
            "items": len(ids),
            "actor": actor,
        },
    )
    return Saved(revision, len(ids))
