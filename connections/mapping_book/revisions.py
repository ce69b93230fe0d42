"""Write the book of mappings, revision by revision: who, why, what led where before and after.

This is the one way to change a mapping. Nothing is ever half saved, nothing is overwritten that
somebody else has just written, and every revision can be taken back.
"""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from django.db import transaction
from django.db.models import Max

from connections import audit
from connections.mapping_book import lines, targets
from connections.mapping_book.changes import (
    ONLY_COMPANY,
    BadTarget,
    Change,
    Conflict,
    Key,
    NotSaved,
    Outdated,
    Problem,
)
from connections.models import Connection, Entity, MappingChange, MappingKind, MappingRevision

__all__ = [
    "ONLY_COMPANY",
    "BadTarget",
    "Change",
    "Conflict",
    "Difference",
    "NotSaved",
    "Outdated",
    "Problem",
    "changes_of",
    "diff",
    "lines_of",
    "newest_number",
    "revert",
    "save",
]

logger = logging.getLogger(__name__)

Source = MappingRevision.Source


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that leads elsewhere in one revision than in another. Empty is nowhere."""

    key: Key
    ramp_name: str
    before: str
    after: str


def newest_number(connection: Connection) -> int:
    """The number of the newest revision; 0 before the first."""
    newest = MappingRevision.objects.filter(connection=connection).aggregate(Max("number"))
    return newest["number__max"] or 0


@transaction.atomic
def save(
    connection: Connection,
    changes: Sequence[Change],
    *,
    actor: str,
    reason: str,
    source: MappingRevision.Source,
    expected_number: int | None = None,
    reverts: MappingRevision | None = None,
) -> MappingRevision | None:
    """Write all the changes as one revision, or none of them.

    :param expected_number: the newest revision when whoever decides looked at the book
    :returns: the revision, or None if everything was so already
    :raises Outdated: if a revision after `expected_number` has changed one of the same lines
    :raises BadTarget: if a line leads to a record that the ERP does not have, has closed, does not
        post to, or that is of the wrong class; says of each such line which field it is
    """
    _lock(connection)
    wanted = {change.key: change for change in changes}
    if expected_number is not None:
        _check_current(connection, wanted, expected_number)
    before = lines.standing(connection, wanted)
    moved = [one for one in wanted.values() if before.get(one.key, "") != one.after]
    # All of them are checked, or two lines for one coding would pass if the last changes nothing.
    if problems := targets.problems(connection, _worth_checking(changes, moved)):
        raise BadTarget(problems)
    if not moved:
        return None
    lines.write(connection, moved, actor=actor, reason=reason)
    revision = MappingRevision.objects.create(
        connection=connection,
        number=newest_number(connection) + 1,
        source=source,
        actor=actor,
        reason=reason,
        reverts=reverts,
    )
    _note(revision, moved, before)
    audit.record(
        actor,
        f"mappings.{source}",
        f"Changed {len(moved)} mapping{'' if len(moved) == 1 else 's'} as revision"
        f" {revision.number}: {reason}",
        connection_id=connection.pk,
        subject="revision",
        subject_id=revision.number,
    )
    logger.info(
        "Mappings were changed.",
        extra={
            "connection": connection.slug,
            "revision": revision.number,
            "lines": len(moved),
            "actor": actor,
        },
    )
    return revision


def revert(
    revision: MappingRevision, *, actor: str, reason: str, only_unchanged: bool = False
) -> MappingRevision | None:
    """Lead every line of a revision back to where it led before, as a revision of its own.

    :param only_unchanged: leave lines alone that later revisions have changed again
    :returns: the new revision, or None if nothing is left to take back
    :raises Conflict: if later revisions have changed some of the lines; nothing is saved
    :raises BadTarget: if a line led to a record that is closed by now
    """
    with transaction.atomic():
        _lock(revision.connection)
        was = [(_change_of(one), one.before) for one in lines_of(revision)]
        now = lines.standing(revision.connection, [change.key for change, _ in was])
        later = [change for change, _ in was if now.get(change.key, "") != change.after]
        if later and not only_unchanged:
            raise Conflict(revision.number, [targets.name_of(one) for one in later])
        return save(
            revision.connection,
            [replace(change, after=before) for change, before in was if change not in later],
            actor=actor,
            reason=reason,
            source=Source.REVERT,
            reverts=revision,
        )


def changes_of(revision: MappingRevision) -> list[Change]:
    """What a revision has changed, as it was saved."""
    return [_change_of(one) for one in lines_of(revision)]


def lines_of(revision: MappingRevision) -> list[MappingChange]:
    """The lines of a revision, with what was before and after."""
    return list(revision.changes.select_related("entity").order_by("pk"))


def diff(connection: Connection, number_a: int, number_b: int) -> list[Difference]:
    """What leads elsewhere after revision `number_b` than after revision `number_a`.

    Either may be the older one; 0 is the empty book.
    """
    first, last = sorted((number_a, number_b))
    written = MappingChange.objects.filter(
        revision__connection=connection, revision__number__gt=first, revision__number__lte=last
    )
    found: dict[Key, Difference] = {}
    for one in written.select_related("entity").order_by("revision__number", "pk"):
        key = _change_of(one).key
        earlier = found.get(key)
        before = earlier.before if earlier else one.before
        found[key] = Difference(key, one.ramp_name, before, one.after)
    moved = [one for one in found.values() if one.before != one.after]
    if number_a > number_b:
        moved = [replace(one, before=one.after, after=one.before) for one in moved]
    return sorted(moved, key=lambda one: one.key)


def _lock(connection: Connection) -> None:
    """Let nobody else write this book now. Rows that only name the connection are not held up."""
    Connection.objects.select_for_update(no_key=True).only("pk").get(pk=connection.pk)


def _check_current(connection: Connection, wanted: Iterable[Key], expected: int) -> None:
    """:raises Outdated: if one of the lines was written after that revision"""
    mine = set(wanted)
    later = (
        MappingChange.objects.filter(
            revision__connection=connection,
            revision__number__gt=expected,
            ramp_external_id__in={key.external_id for key in mine},
        )
        .select_related("revision", "entity")
        .order_by("-revision__number", "pk")
    )
    touched = [change for change in later if _change_of(change).key in mine]
    if touched:
        newest = touched[0].revision
        names = [targets.name_of(_change_of(one)) for one in touched]
        raise Outdated(newest.number, newest.actor, list(dict.fromkeys(names)))


def _worth_checking(changes: Sequence[Change], moved: Sequence[Change]) -> list[Change]:
    """Lines that stay as they are may lead to what is closed by now: that is no news."""
    keys = {change.key for change in moved}
    twice = len({(change.key, change.after) for change in changes}) > len(
        {change.key for change in changes}
    )
    return [one for one in changes if twice or one.key in keys]


def _note(revision: MappingRevision, moved: Sequence[Change], before: dict[Key, str]) -> None:
    ids = {str(ramp_id): pk for pk, ramp_id in _entity_ids(revision.connection)}
    MappingChange.objects.bulk_create(
        [
            MappingChange(
                revision=revision,
                entity_id=ids[one.entity_ramp_id] if one.entity_ramp_id else None,
                kind=one.kind,
                field_erp_id=one.field_erp_id,
                ramp_external_id=one.ramp_external_id,
                ramp_name=one.ramp_name,
                before=before.get(one.key, ""),
                after=one.after,
            )
            for one in moved
        ],
        batch_size=lines.BATCH,
    )


def _entity_ids(connection: Connection) -> list[tuple[int, object]]:
    return list(Entity.objects.filter(connection=connection).values_list("pk", "ramp_id"))


def _change_of(line: MappingChange) -> Change:
    return Change(
        kind=MappingKind(line.kind),
        ramp_external_id=line.ramp_external_id,
        after=line.after,
        entity_ramp_id=str(line.entity.ramp_id) if line.entity else "",
        field_erp_id=line.field_erp_id,
        ramp_name=line.ramp_name,
    )
