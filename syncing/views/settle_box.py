"""What a person can do about one item that nothing moves by itself, by its state only (P-17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser

from rampbridge.policy import Permission, can
from syncing.models import SyncItem
from syncing.queries.uncertain import Case
from syncing.reports import SILENT_TYPES
from syncing.settling import adopting, limits, looks, outside
from syncing.states import ItemState

_QUIET_OUTSIDE = frozenset({ItemState.READY})
"""Where marking is possible, and hardly ever what somebody came for."""


@dataclass(frozen=True, slots=True)
class SettleBox:
    """The acts that an item offers now, and what is in the way of the others."""

    case: Case
    may_settle: bool
    """Whether this person may."""
    is_mine: bool
    """Whether what waits for a second person was asked by this one."""
    is_fresh: bool
    """The look says what the ERP holds now."""
    problem: str = ""
    """Why the last act was refused."""
    typed: Any = None
    """What stood in the form that was refused."""

    @property
    def item(self) -> SyncItem:
        return self.case.item

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to decide."""
        return not (
            self.case.pending
            or self.case.mark
            or self.can_look
            or self.can_mark
            or self.can_take_back
            or self.can_agree
        )

    @property
    def is_uncertain(self) -> bool:
        return self.item.state in (ItemState.REVIEW, ItemState.POSTING)

    @property
    def is_waiting_for_answer(self) -> bool:
        return self.case.look is not None and self.case.look.due_at is not None

    @property
    def can_look(self) -> bool:
        return self.is_uncertain or adopting.can_adopt(self.item)

    @property
    def can_adopt(self) -> bool:
        return adopting.can_adopt(self.item) and self.is_fresh and not self.case.pending

    @property
    def can_post(self) -> bool:
        """Whether the look allows to post it; the service looks once more."""
        look = self.case.look
        if self.item.state != ItemState.REVIEW or not self.is_fresh or self.case.pending:
            return False
        return look is not None and not look.number and not self.has_ours

    @property
    def has_ours(self) -> bool:
        """Whether the ERP holds a document with our reference."""
        ours = self.item.erp_ref
        return any(one.document.ref and one.document.ref == ours for one in self.case.candidates)

    @property
    def is_not_there(self) -> bool:
        """Whether the ERP was searched by our reference just now, and nothing at all was found."""
        return self.can_post and not self.posting_needs_word and not self.case.candidates

    @property
    def posting_needs_word(self) -> bool:
        """Whether nothing but somebody's word says that it is not there."""
        return self.case.look is not None and not self.case.look.is_conclusive

    @property
    def post_help(self) -> str:
        """What posting it does, and what it takes."""
        if not self.posting_needs_word:
            return "It was searched by our reference just now and is not there."
        word = "It cannot be searched by our reference, so that your word is all there is."
        return f"{word} {self._second}" if self.is_above_limit else word

    @property
    def outside_help(self) -> str:
        """What marking it does, and what it takes."""
        does = "rampbridge leaves it alone, whatever Ramp lists, until somebody takes that back."
        return f"{does} {self._second}" if self.is_above_limit else does

    @property
    def _second(self) -> str:
        return f"It is over more than {self.limit}: a second person must agree."

    @property
    def is_above_limit(self) -> bool:
        return limits.is_above_limit(self.item.money)

    @property
    def limit(self) -> str:
        return limits.in_words(self.item.money)

    @property
    def can_wait(self) -> bool:
        return self.item.state == ItemState.REVIEW

    @property
    def can_mark(self) -> bool:
        return self.item.state in outside.MARKABLE and not self.case.mark

    @property
    def can_take_back(self) -> bool:
        return self.item.state == ItemState.EXTERNAL

    @property
    def can_agree(self) -> bool:
        return self.item.state == ItemState.MISMATCH and bool(self.item.erp_id)

    @property
    def can_report(self) -> bool:
        return self.can_agree and self.item.object_type not in SILENT_TYPES

    @property
    def is_quiet(self) -> bool:
        """Whether it is folded away, for the item goes on by itself."""
        has_news = self.case.pending or self.case.mark or self.case.look or self.problem
        return self.item.state in (*_QUIET_OUTSIDE, ItemState.FAILED) and not has_news


def box_of(
    case: Case,
    user: AbstractBaseUser | AnonymousUser,
    now: datetime,
    *,
    problem: str = "",
    typed: Any = None,
) -> SettleBox:
    """What this person can do about an item."""
    asked_by = [one.asked_by for one in (case.pending, case.mark) if one]
    return SettleBox(
        case=case,
        may_settle=can(user, Permission.SETTLE),
        is_mine=user.get_username() in asked_by,
        is_fresh=case.look is not None and looks.is_fresh(case.look, case.item, now),
        problem=problem,
        typed=typed,
    )
