"""Rulings of people on groups of errors: made, withdrawn, and carried through to what is open.

From then on the engine follows by itself (`syncing.rulings`). What failed before is judged anew
here, some thousand items at a time, so that a ruling on a hundred thousand holds nobody up.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import OuterRef, Subquery
from django.db.models.functions import JSONObject, Now

from connections import audit
from syncing.classifier import ErrorCategory, Origin, SyncFailure, text_for_customer
from syncing.error_desk.acts import SUBJECT, NotDone
from syncing.error_texts import fix_faults
from syncing.models import ErrorGroup, Ruling
from syncing.references import speakable
from syncing.reports import SILENT_TYPES
from syncing.rulings import choices
from syncing.statements import execute, rows
from syncing.undecided import nobody_is_asked

AT_ONCE = 1000
"""Items judged anew by one statement."""
TURN = 5
"""Such statements for one ruling in one turn."""

LATELY = timedelta(days=1)
"""For so long items are looked for that were judged by a ruling which is withdrawn."""

LABELS = {
    ErrorCategory.USER_ACTIONABLE: "user-actionable",
    ErrorCategory.TRANSIENT: "transient",
    ErrorCategory.NEEDS_INTEGRATOR: "needs integrator",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants a group to be."""

    category: ErrorCategory
    reason: str
    fix: str = ""
    """What the customer is told to do; needed, and only used, where the customer can act."""


def current(fingerprint: str) -> Ruling | None:
    """The ruling in force on a group."""
    return Ruling.objects.filter(fingerprint=fingerprint, withdrawn_at=None).first()


def with_ruling(fingerprint: str) -> tuple[ErrorGroup, Ruling | None] | None:
    """A group, the item that proves that it is over, and the ruling in force. One statement."""
    in_force = Ruling.objects.filter(fingerprint=OuterRef("pk"), withdrawn_at=None)
    columns = ("pk", "category", "before", "fix", "reason", "made_by", "made_at")
    as_json = JSONObject(**{column: column for column in columns})
    group = (
        ErrorGroup.objects.filter(pk=fingerprint)
        .select_related("resolved_by_item")
        .annotate(ruled=Subquery(in_force.values(row=as_json)[:1]))
        .first()
    )
    if group is None:
        return None
    if group.ruled is None:
        return group, None
    made_at = datetime.fromisoformat(group.ruled["made_at"])
    return group, Ruling(fingerprint=fingerprint, **group.ruled | {"made_at": made_at})


def rule(group: ErrorGroup, wish: Wish, *, before: str, actor: str) -> Ruling:
    """Put a group into another category: now for what is open, and for what fails from here on.

    :param before: the category it was in, to go back to

    :raises NotDone: if the category cannot be, the fix would tell a customer nothing, or somebody
        else has just ruled
    """
    if wish.category not in choices(group.code, before):
        raise NotDone(f"An error like this cannot be {LABELS[wish.category]}.")
    is_users = wish.category is ErrorCategory.USER_ACTIONABLE
    if is_users and (wrong := fix_faults(wish.fix)):
        raise NotDone(" ".join(wrong))
    try:
        with transaction.atomic():
            made = Ruling.objects.create(
                fingerprint=group.pk,
                category=wish.category,
                before=before,
                fix=wish.fix.strip() if is_users else "",
                reason=wish.reason[:300],
                made_by=actor,
                made_at=Now(),
            )
            text = f"Ruled “{group.heading}” to be {LABELS[wish.category]}: {wish.reason}"
            _record(actor, "errors.rule", text, group, ruling=made.pk, fix=made.fix)
            judge_anew(made, turns=1)
    except IntegrityError as error:
        raise NotDone("Somebody else has just ruled on it. Look again.") from error
    return made


@transaction.atomic
def withdraw(ruling: Ruling, group: ErrorGroup, *, reason: str, actor: str) -> None:
    """End a ruling. What is open of the group is tried again, and judged as the program judges.

    :raises NotDone: if it was withdrawn already
    """
    ended = Ruling.objects.filter(pk=ruling.pk, withdrawn_at=None).update(
        withdrawn_by=actor, withdrawn_at=Now()
    )
    if not ended:
        raise NotDone("It was withdrawn already.")
    text = f"Withdrew the ruling on “{group.heading}”: {reason}"
    _record(actor, "errors.withdraw_ruling", text, group, ruling=ruling.pk)
    ruling.refresh_from_db()
    judge_anew(ruling, turns=1)


def catch_up() -> int:
    """Carry rulings through to what is still open under another judgement. Returns how many."""
    in_force = list(Ruling.objects.filter(withdrawn_at=None).order_by("pk"))
    ended = Ruling.objects.filter(withdrawn_at__gt=Now() - LATELY).exclude(
        fingerprint__in=[one.fingerprint for one in in_force]
    )
    return sum(judge_anew(one) for one in [*in_force, *ended.order_by("pk")])


def judge_anew(ruling: Ruling, *, turns: int = TURN) -> int:
    """Bring open items of a group under its ruling, or from under one that was withdrawn."""
    changed = 0
    for _ in range(turns):
        if ruling.withdrawn_at is not None:
            moved = _try_again(ruling, "A ruling was withdrawn: judged anew.", ruling.withdrawn_by)
        elif ruling.category == ErrorCategory.TRANSIENT:
            moved = _try_again(ruling, "Ruled to pass by itself: tried again.", ruling.made_by)
            moved += _rename(ruling)
        else:
            moved = _tell_otherwise(ruling) + _rename(ruling)
        changed += moved
        if moved < AT_ONCE:
            break
    return changed


def _tell_otherwise(ruling: Ruling) -> int:
    """Failed items: their category and fix, and what the customer reads in Ramp."""
    found = rows(
        """
        SELECT id, error_code, error_title, error_fix FROM syncing_syncitem
        WHERE error_fingerprint = %(fingerprint)s AND state = 'FAILED'
          AND (error_category <> %(category)s OR (%(fix)s <> '' AND error_fix <> %(fix)s))
        ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
        """,
        _params(ruling),
    )
    texts = [_text(ruling, *row) for row in found]
    return execute(
        """
        WITH judged AS (
            SELECT * FROM unnest(%(ids)s::bigint[], %(texts)s::text[]) AS j(id, said)
        ), moved AS (
            UPDATE syncing_syncitem i
            SET error_category = %(category)s,
                error_fix = CASE WHEN %(fix)s <> '' THEN %(fix)s ELSE i.error_fix END,
                error_text = j.said, failure_telling = CASE
                    WHEN i.object_type = ANY(%(silent)s) THEN ''
                    WHEN i.failure_telling = 'sending' THEN 'sending'
                    WHEN i.failure_telling = 'told' AND i.error_text = j.said THEN 'told'
                    ELSE 'due' END
            FROM judged j WHERE i.id = j.id AND i.state = 'FAILED'
            RETURNING i.id, j.said
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'note', 'Ruled to be ' || %(label)s || ': ' || said,
               jsonb_build_object('category', %(category)s::text), %(actor)s
        FROM moved ORDER BY id
        """,
        {
            **_params(ruling),
            "ids": [row[0] for row in found],
            "texts": texts,
            "silent": list(SILENT_TYPES),
            "label": LABELS[ErrorCategory(ruling.category)],
            "actor": ruling.made_by,
        },
    )


def _rename(ruling: Ruling) -> int:
    """Open items that Ramp is told nothing of now: only the category that we show."""
    return execute(
        """
        UPDATE syncing_syncitem SET error_category = %(category)s
        WHERE id IN (
            SELECT id FROM syncing_syncitem
            WHERE error_fingerprint = %(fingerprint)s AND error_category <> %(category)s
              AND state IN ('READY', 'REVIEW', 'MISMATCH')
            ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
        )
        """,
        _params(ruling),
    )


def _try_again(ruling: Ruling, why: str, actor: str) -> int:
    """Failed items go back to the queue, as `releases.release` does it."""
    return execute(
        f"""
        WITH asked AS (
            SELECT id FROM syncing_syncitem
            WHERE error_fingerprint = %(fingerprint)s AND state = 'FAILED'
              AND {nobody_is_asked("syncing_syncitem")}
              AND ((%(before)s::timestamptz IS NULL AND error_category <> %(category)s)
                   OR (error_at < %(before)s AND error_category = %(category)s))
            ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED
        ), moved AS (
            UPDATE syncing_syncitem i
            SET state = 'READY', state_at = now(), due_at = now(), attempts = 0, blocked_by = '',
                error_category = '', error_origin = '', error_code = '', error_title = '',
                error_fix = '', error_detail = '', failure_telling =
                    CASE WHEN i.failure_telling = 'due' THEN '' ELSE i.failure_telling END
            FROM asked WHERE i.id = asked.id
            RETURNING i.id
        )
        INSERT INTO syncing_itemevent (item_id, at, kind, text, data, actor)
        SELECT id, now(), 'released', %(why)s, '{{}}', %(actor)s FROM moved ORDER BY id
        """,  # noqa: S608  a constant of this program
        {**_params(ruling), "before": ruling.withdrawn_at, "why": why, "actor": actor},
    )


def _text(ruling: Ruling, item_id: int, code: str, title: str, fix: str) -> str:
    failure = SyncFailure(
        ErrorCategory(ruling.category), Origin.DATA, code, title, ruling.fix or fix
    )
    return text_for_customer(
        failure, reference=speakable(item_id), contact=str(settings.SUPPORT_CONTACT)
    )[:1000]


def _params(ruling: Ruling) -> dict[str, Any]:
    return {
        "fingerprint": ruling.fingerprint,
        "category": ruling.category,
        "fix": ruling.fix,
        "most": AT_ONCE,
    }


def _record(actor: str, act: str, text: str, group: ErrorGroup, **data: object) -> None:
    audit.record(actor, act, text, subject=SUBJECT, subject_id=group.pk, data=data)
