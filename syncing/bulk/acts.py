"""What each act of a job does to a chunk of items, in the caller's transaction."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rampbridge.policy import Permission
from syncing import handling, releases, services
from syncing.models import Handling, Job, SyncItem
from syncing.settling import outside

Act = Job.Act
Argument = Mapping[str, Any]

CHUNK = 500
"""Items that are done in one transaction."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one item."""

    item_id: int
    is_done: bool
    text: str = ""
    before: Any = None


@dataclass(frozen=True, slots=True)
class Kind:
    """An act, in the words of the page that asks for it."""

    act: Act
    permission: Permission
    icon: str
    verb: str
    """As on its button."""
    key: str
    """Of the keyboard; empty: none."""
    becomes: str
    """What an item becomes that it is done to."""
    effect: str
    way_back: str
    can_undo: bool = False


KINDS: Mapping[Act, Kind] = {
    Act.RETRY: Kind(
        Act.RETRY,
        Permission.RETRY,
        "rotate-ccw",
        "Retry",
        "r",
        "Queued again, in front.",
        "Each is put at the front of its customer's queue and posted again. An item whose outcome"
        " is unknown is never sent twice.",
        "Stop the job, or pause the customer: what has not been sent yet is not sent. A document"
        " that the ERP has taken stays there.",
    ),
    Act.ASSIGN: Kind(
        Act.ASSIGN,
        Permission.HANDLE,
        "user",
        "Assign",
        "a",
        "Theirs to care for.",
        "Lists and the item say who cares for it. The sync goes on as before.",
        "Undo on the job's page gives each back to whoever had it.",
        can_undo=True,
    ),
    Act.TAG: Kind(
        Act.TAG,
        Permission.HANDLE,
        "flag",
        "Tag",
        "t",
        "Filed under it.",
        "Lists can be filtered by it. The sync goes on as before.",
        "Undo on the job's page takes it off those that did not have it.",
        can_undo=True,
    ),
    Act.UNTAG: Kind(
        Act.UNTAG,
        Permission.HANDLE,
        "flag",
        "Remove a tag",
        "",
        "No longer filed under it.",
        "The tag is taken off. The sync goes on as before.",
        "Undo on the job's page puts it back where it was.",
        can_undo=True,
    ),
    Act.SNOOZE: Kind(
        Act.SNOOZE,
        Permission.HANDLE,
        "alarm-clock",
        "Snooze",
        "s",
        "Left out of open lists until then.",
        "Open lists leave them out until then, and say how many. The sync goes on as before.",
        "Undo on the job's page shows them again at once.",
        can_undo=True,
    ),
    Act.OUTSIDE: Kind(
        Act.OUTSIDE,
        Permission.SETTLE,
        "external-link",
        "Mark handled outside",
        "h",
        "Left alone by rampbridge.",
        "rampbridge leaves them alone, whatever Ramp lists. Above a limit a second person must"
        " agree first; until then nothing of them moves.",
        "Each item's page takes it back, one by one.",
    ),
    Act.UNDO: Kind(
        Act.UNDO,
        Permission.HANDLE,
        "undo-2",
        "Undo",
        "",
        "As before.",
        "What the job has changed stands as before, where nobody has changed it since.",
        "Do it again.",
    ),
}


class BadArgument(ValueError):
    """An act does not know what to do with what it was given. The message is fit to show."""


def checked(act: Act, argument: Argument) -> dict[str, Any]:
    """The argument of an act as its job keeps it. What a job cannot do must never become one.

    :raises BadArgument: if something is missing or means nothing
    """
    match act:
        case Act.RETRY:
            return {}
        case Act.ASSIGN:
            return {"owner": str(argument.get("owner", ""))[:150]}
        case Act.TAG | Act.UNTAG:
            try:
                return {"tag": handling.tag_name(str(argument.get("tag", "")))}
            except handling.NotHandled as refusal:
                raise BadArgument(str(refusal)) from refusal
        case Act.SNOOZE:
            return {"until": _until(argument), "reason": str(argument.get("reason", ""))[:300]}
        case Act.OUTSIDE:
            reason = str(argument.get("reason", "")).strip()[:300]
            if not reason:
                raise BadArgument("Say why they were handled outside rampbridge.")
            return {"reason": reason}
        case Act.UNDO:
            return dict(argument)


def _until(argument: Argument) -> str | None:
    text = argument.get("until")
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        raise BadArgument("Say until when, as a date and time.") from None
    if moment.tzinfo is None:
        raise BadArgument("Say in which time zone that is.")
    return moment.isoformat()


def carry_out(job: Job, members: Mapping[int, Any], *, actor: str) -> list[Result]:
    """Do the job's act to these items. The result of each; rolled back, nothing was done.

    :param members: the items, each with what an undo is to put back
    """
    return list(_DOES[Act(job.act)](job.argument, members, actor))


def _retry(_argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    retried = releases.retry(list(members), actor=actor)
    yield from (Result(pk, is_done=True, text="Queued again.") for pk in sorted(retried))
    left = SyncItem.objects.filter(pk__in=members.keys() - retried)
    for pk, state, title in left.values_list("pk", "state", "error_title"):
        if state == SyncItem.State.READY:
            yield Result(pk, is_done=False, text=title or "It waits for something else.")
        else:
            yield Result(pk, is_done=False, text=services.why_not_retried(state))


def _assign(argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    owner = argument["owner"]
    before = handling.assign(list(members), owner=owner, actor=actor)
    return _results(members, before, "It was theirs already." if owner else "It was nobody's.")


def _tag(argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    tag = argument["tag"]
    before = handling.tag(list(members), tag=tag, actor=actor)
    have_it = set(
        Handling.objects.filter(
            item_id__in=members.keys() - before.keys(), tags__contains=[tag]
        ).values_list("item_id", flat=True)
    )
    full = members.keys() - before.keys() - have_it
    for pk in sorted(full):
        yield Result(pk, is_done=False, text=f"It has {handling.MOST_TAGS} tags, and no more fit.")
    yield from _results(members.keys() - full, before, "It had the tag already.")


def _untag(argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    before = handling.untag(list(members), tag=argument["tag"], actor=actor)
    return _results(members, before, "It did not have the tag.")


def _snooze(argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    before = handling.snooze(
        list(members),
        until=_moment(argument["until"]),
        reason=argument.get("reason", ""),
        actor=actor,
    )
    return _results(members, before, "It stood so already.")


def _outside(argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    marked = outside.mark_outside(
        list(members), erp_reference="", reason=argument["reason"], actor=actor
    )
    for one in marked:
        yield Result(one.item_id, is_done=one.is_done or one.waits, text=one.words)


def _undo(argument: Argument, members: Mapping[int, Any], actor: str) -> Iterator[Result]:
    """Put back what another job had changed."""
    done = argument["argument"]
    match Act(argument["act"]):
        case Act.ASSIGN:
            back = handling.put_back(members, "owner", set_by_job=done["owner"], actor=actor)
        case Act.SNOOZE:
            back = handling.put_back(
                members, "snoozed_until", set_by_job=done["until"], actor=actor
            )
        case Act.TAG:
            back = handling.untag(list(members), tag=done["tag"], actor=actor)
        case Act.UNTAG:
            back = handling.tag(list(members), tag=done["tag"], actor=actor)
        case Act.RETRY | Act.OUTSIDE | Act.UNDO as act:
            raise ValueError(f"a job to {act} cannot be undone")
    for pk in members:
        yield (
            Result(pk, is_done=True, text="Stands as before.")
            if pk in back
            else Result(pk, is_done=False, text="Somebody has changed it since; it was left alone.")
        )


_DOES: Mapping[Act, Callable[[Argument, Mapping[int, Any], str], Iterable[Result]]] = {
    Act.RETRY: _retry,
    Act.ASSIGN: _assign,
    Act.TAG: _tag,
    Act.UNTAG: _untag,
    Act.SNOOZE: _snooze,
    Act.OUTSIDE: _outside,
    Act.UNDO: _undo,
}


def _results(members: Collection[int], before: Mapping[int, Any], same: str) -> Iterator[Result]:
    """An item that stood so already is done too; there is nothing to put back."""
    for pk in members:
        if pk in before:
            yield Result(pk, is_done=True, before={"was": before[pk]})
        else:
            yield Result(pk, is_done=True, text=same)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
