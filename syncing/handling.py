"""Who cares for items and how they are filed: assign, tag, put off, comment (P-07).

Each act takes two statements for any number of items. It leaves a note with the actor's name on the
timeline of every item that it changed, and gives back what was there before, for an undo.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.db import transaction
from django.db.models.functions import Now

from connections import audit
from syncing.models import Comment, ItemEvent, SyncItem
from syncing.statements import execute, from_json, rows, storable

MOST_TAGS = 12
_TAG = re.compile(r"[\w][\w .:/+-]{0,39}")

Before = Mapping[int, Any]
"""Of each item that was changed, what stood there before."""


class NotHandled(Exception):
    """The act makes no sense as it was asked for. The message is fit to show."""


def assign(ids: Collection[int], *, owner: str, actor: str) -> Before:
    """Give items to somebody; an empty owner is nobody. Items that have them already stay."""
    return _change(
        ids,
        _OWNER,
        value=owner,
        actor=actor,
        text=f"Assigned to {owner}." if owner else "Assigned to nobody.",
    )


def tag(ids: Collection[int], *, tag: str, actor: str) -> Before:
    """File items under a tag. Those that are, or that have as many as fit, stay as they are.

    :raises NotHandled: if it is no tag
    """
    name = tag_name(tag)
    return _change(ids, _TAG_ON, value=name, actor=actor, text=f"Tagged {name}.")


def untag(ids: Collection[int], *, tag: str, actor: str) -> Before:
    """Take a tag off items.

    :raises NotHandled: if it is no tag
    """
    name = tag_name(tag)
    return _change(ids, _TAG_OFF, value=name, actor=actor, text=f"Tag {name} taken off.")


def snooze(ids: Collection[int], *, until: datetime | None, reason: str = "", actor: str) -> Before:
    """Leave items out of open lists until then; without a time, show them again at once.

    The items themselves go on as they would have. They come back into lists by themselves.
    """
    words = f"Put off until {until:%-d %b %Y, %H:%M %Z}" if until else "Shown in lists again"
    reason = storable(" ".join(reason.split()))[:300]
    return _change(
        ids,
        _SNOOZED,
        value=until,
        actor=actor,
        text=f"{words}: {reason}" if reason else f"{words}.",
        more={"by": actor if until else "", "reason": reason},
    )


def put_back(
    before: Before,
    column: Literal["owner", "snoozed_until"],
    *,
    set_by_job: str | None,
    actor: str,
) -> Before:
    """Undo an assignment or a snooze where nobody has changed it since.

    :param set_by_job: what the act had put there; None for a snooze that it ended
    """
    act = _OWNER if column == "owner" else _SNOOZED
    by_value: dict[str | None, list[int]] = {}
    for pk, value in before.items():
        by_value.setdefault(value or None, []).append(pk)
    changed: dict[int, Any] = {}
    for value, ids in by_value.items():
        changed |= _change(
            ids,
            act,
            value=(value or "") if column == "owner" else value,
            actor=actor,
            text=_put_back_words(column, value),
            more={"by": actor if value else "", "reason": ""},
            only_if=(set_by_job,),
        )
    return changed


def _put_back_words(column: str, value: str | None) -> str:
    if column == "owner":
        return f"Given back to {value}." if value else "Assigned to nobody again."
    return "Put off again as before." if value else "Shown in lists again."


def comment(item: SyncItem, *, text: str, author: str) -> Comment:
    """Say something about an item. It stands on the timeline, and cannot be changed.

    :raises NotHandled: if nothing is said
    """
    text = storable(text.strip())
    if not text:
        raise NotHandled("Write something first.")
    with transaction.atomic():
        said = Comment.objects.create(item=item, at=Now(), author=author, text=text[:4000])
        ItemEvent.objects.create(
            item=item,
            at=Now(),
            kind=ItemEvent.Kind.NOTE,
            text=text[:4000],
            actor=author,
            data={"comment": said.pk},
        )
        audit.record(
            author,
            "items.comment",
            f"Commented on {item.reference}.",
            connection_id=item.connection_id,
            subject="item",
            subject_id=item.pk,
        )
    return said


def record(act: str, text: str, item: SyncItem, *, actor: str) -> None:
    """The audit line of an act on one item; a job leaves one for all of its own."""
    audit.record(
        actor,
        f"items.{act}",
        f"{item.reference}: {text}",
        connection_id=item.connection_id,
        subject="item",
        subject_id=item.pk,
    )


def tag_name(text: str) -> str:
    """A tag as it is kept: small letters, single spaces.

    :raises NotHandled: if it is none
    """
    name = " ".join(storable(text).lower().split())
    if not _TAG.fullmatch(name):
        raise NotHandled(
            "A tag has up to 40 letters, digits, spaces and . : / + -, and begins with a letter"
            " or digit."
        )
    return name


@dataclass(frozen=True, slots=True)
class _Act:
    """What an act writes, as pieces of SQL: constants of this file."""

    column: str
    new: str
    condition: str
    also: str = ""


_OWNER = _Act(
    "owner",
    "%(value)s",
    "b.before <> %(value)s",
    also=", owned_since = CASE WHEN %(value)s = '' THEN NULL ELSE now() END",
)
_TAG_ON = _Act(
    "tags",
    "array_append(b.before, %(value)s::varchar)",
    f"%(value)s <> ALL(b.before) AND cardinality(b.before) < {MOST_TAGS}",
)
_TAG_OFF = _Act("tags", "array_remove(b.before, %(value)s::varchar)", "%(value)s = ANY(b.before)")
_SNOOZED = _Act(
    "snoozed_until",
    "%(value)s::timestamptz",
    "b.before IS DISTINCT FROM %(value)s::timestamptz",
    also=", snoozed_by = %(by)s, snooze_reason = %(reason)s",
)


def _change(
    ids: Collection[int],
    act: _Act,
    *,
    value: Any,
    actor: str,
    text: str,
    more: Mapping[str, Any] | None = None,
    only_if: tuple[str | None] | None = None,
) -> Before:
    """Two statements for any number of items, rows in one order so that none wait in a circle."""
    expected = f"AND h.{act.column} IS NOT DISTINCT FROM %(expected)s" if only_if else ""
    parameters = {
        "ids": list(ids),
        "value": value,
        "text": text,
        "actor": actor,
        "expected": only_if[0] if only_if else None,
        **(more or {}),
    }
    with transaction.atomic(savepoint=False):
        execute(
            """
            INSERT INTO syncing_handling (item_id, owner, tags, snoozed_by, snooze_reason)
            SELECT id, '', '{}', '', '' FROM syncing_syncitem
            WHERE id = ANY(%(ids)s::bigint[]) ORDER BY id
            ON CONFLICT DO NOTHING
            """,
            parameters,
        )
        found = rows(
            f"""
            WITH b AS MATERIALIZED (
                SELECT item_id, {act.column} AS before FROM syncing_handling h
                WHERE item_id = ANY(%(ids)s::bigint[]) {expected}
                ORDER BY item_id FOR UPDATE
            ), changed AS (
                UPDATE syncing_handling h SET {act.column} = {act.new}{act.also}
                FROM b WHERE h.item_id = b.item_id AND {act.condition}
                RETURNING h.item_id
            ), noted AS (
                INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
                SELECT item_id, now(), 'note', %(text)s, '{{}}', %(actor)s
                FROM changed ORDER BY item_id
            )
            SELECT item_id, to_jsonb(b.before)::text FROM b JOIN changed USING (item_id)
            """,  # noqa: S608  constants of this file
            parameters,
        )
    return {pk: from_json(before) for pk, before in found}
