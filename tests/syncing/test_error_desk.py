"""What people decide about groups of errors, and what becomes of groups by themselves."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database

from connections.erp.errors import Code
from connections.erp.refusals import refusal
from connections.models import AuditLine
from syncing import releases, results
from syncing.classifier import ErrorCategory, Origin, SyncFailure, classify
from syncing.engine import post_due_items
from syncing.error_desk import acts, judging, tending
from syncing.error_desk.acts import NotDone, Snooze
from syncing.error_desk.judging import Wish
from syncing.models import Comment, ErrorCount, ErrorGroup, ItemEvent, Occurrence, Ruling, SyncItem
from syncing.results import Refused
from syncing.rulings import Rule, choices, ruled
from syncing.states import ItemState as S
from tests.factories import SyncItemFactory, UserFactory, now
from tests.syncing.world import World

pytestmark = pytest.mark.django_db

USER, TIME, OURS = ErrorCategory
FIX = "Reopen May in the ERP."


def failed(**changes: Any) -> SyncItem:
    item: SyncItem = SyncItemFactory.create(failed=True, **changes)
    return item


def group_of(item: SyncItem) -> ErrorGroup:
    item.refresh_from_db()
    return ErrorGroup.objects.get(pk=item.error_fingerprint)


def went_through(item: SyncItem) -> None:
    """Retried, posted and acked; long enough ago to be believed."""
    releases.release(item.connection_id, ids=[item.pk], why="Retried.")
    item.refresh_from_db()
    for state in (S.POSTING, S.POSTED, S.ACKING, S.ACKED):
        SyncItem.objects.filter(pk=item.pk).update(
            state=state, erp_id="7", lease_token=uuid.uuid4(), posted_at=now(), acked_at=now()
        )
    age_of_leaving(minutes=11)


def age_of_leaving(*, minutes: float) -> None:
    Occurrence.objects.exclude(left_at=None).update(left_at=now() - timedelta(minutes=minutes))


class TestAssigning:
    def test_leaves_an_owner_and_a_line_that_nobody_can_edit(self) -> None:
        UserFactory.create(username="ana")
        group = group_of(failed())

        acts.assign(group, "ana", actor="maya")

        group.refresh_from_db()
        line = AuditLine.objects.get()
        assert (group.owner, bool(group.owned_since)) == ("ana", True)
        assert (line.actor, line.act, line.subject_id) == ("maya", "errors.assign", group.pk)
        assert line.data == {"before": "", "after": "ana"}

    def test_to_nobody_ends_it(self) -> None:
        UserFactory.create(username="ana")
        group = group_of(failed())
        acts.assign(group, "ana", actor="maya")
        group.refresh_from_db()

        acts.assign(group, "", actor="maya")

        group.refresh_from_db()
        assert (group.owner, group.owned_since) == ("", None)

    def test_refuses_a_name_that_nobody_has(self) -> None:
        with pytest.raises(NotDone, match="nobody with the user name ghost"):
            acts.assign(group_of(failed()), "ghost", actor="maya")

    def test_the_quicker_of_two_wins(self) -> None:
        UserFactory.create(username="ana")
        group = group_of(failed())
        ErrorGroup.objects.update(owner="bela")

        with pytest.raises(NotDone, match="Somebody else"):
            acts.assign(group, "ana", actor="maya")

        assert not AuditLine.objects.exists()


class TestComments:
    def test_are_kept_with_their_author(self) -> None:
        group = group_of(failed())

        acts.comment(group, "  Asked the controller. ", actor="maya")

        written = Comment.objects.get(group=group)
        assert (written.author, written.text) == ("maya", "Asked the controller.")
        assert AuditLine.objects.get().act == "errors.comment"

    def test_with_nothing_in_them_are_refused(self) -> None:
        with pytest.raises(NotDone, match="Write something"):
            acts.comment(group_of(failed()), "  ", actor="maya")


class TestSnoozing:
    def snoozed(self, **until: Any) -> ErrorGroup:
        group = group_of(failed())
        acts.snooze(group, Snooze("They know.", **until), actor="maya", now=now())
        return group

    def woken(self, group: ErrorGroup) -> str:
        tending.wake_due()
        group.refresh_from_db()
        return group.woken_because if group.snoozed_at is None else ""

    def test_needs_something_that_ends_it(self) -> None:
        with pytest.raises(NotDone, match="what brings it back"):
            self.snoozed()
        with pytest.raises(NotDone, match="time to come"):
            self.snoozed(until=now() - timedelta(minutes=1))

    def test_is_audited_with_its_reason_and_end(self) -> None:
        self.snoozed(for_more=5)

        assert AuditLine.objects.get().text.endswith("until 5 more items fail with it: They know.")

    def test_ends_when_its_time_is_up(self) -> None:
        group = self.snoozed(until=now() + timedelta(hours=1))
        assert self.woken(group) == ""

        ErrorGroup.objects.update(snoozed_until=now() - timedelta(seconds=1))

        assert self.woken(group) == "Its time was up. It was snoozed by maya: They know."
        assert group.regressed_at is not None

    def test_ends_after_so_many_more(self) -> None:
        group = self.snoozed(for_more=2)
        ErrorGroup.objects.update(snoozed_at=now() - timedelta(hours=1))
        Occurrence.objects.update(last_at=now() - timedelta(hours=2))
        failed()
        assert self.woken(group) == ""

        failed()

        assert self.woken(group).startswith("2 more items have failed with it.")

    def test_ends_when_one_of_its_items_goes_through_as_after_a_period_is_reopened(self) -> None:
        item = failed()
        other = failed()
        group = group_of(item)
        acts.snooze(group, Snooze("Books open on Monday.", until_freed=True), actor="m", now=now())
        ErrorGroup.objects.update(snoozed_at=now() - timedelta(hours=1))
        assert self.woken(group) == ""
        SyncItem.objects.filter(pk=other.pk).update(state=S.WITHDRAWN)
        assert self.woken(group) == "", "withdrawn is not gone through"

        went_through(item)

        assert self.woken(group).startswith("One of its items went through.")

    def test_ends_when_another_version_runs(self, settings: Any) -> None:
        group = self.snoozed(until_release=True)
        assert self.woken(group) == ""

        settings.RELEASE = "9.9.9"

        assert self.woken(group).startswith("Another version runs: 9.9.9.")

    def test_can_be_ended_by_hand_once(self) -> None:
        group = self.snoozed(for_more=5)

        acts.wake(group, actor="ana")

        group.refresh_from_db()
        assert (group.snoozed_at, group.woken_because) == (None, "ana ended the snooze.")
        with pytest.raises(NotDone, match="not snoozed any more"):
            acts.wake(group, actor="ana")


class TestTending:
    def test_resolves_by_proof_once_nothing_was_open_for_ten_minutes(self) -> None:
        item = failed()
        group = group_of(item)
        went_through(item)

        tending.tend()

        group.refresh_from_db()
        assert group.resolved_by_item_id == item.pk
        assert group.resolved_at == Occurrence.objects.get().left_at

    def test_waits_while_nothing_proves_it_yet(self) -> None:
        item = failed()
        group = group_of(item)
        releases.release(item.connection_id, ids=[item.pk], why="Retried.")
        age_of_leaving(minutes=11)

        tending.tend()

        group.refresh_from_db()
        assert group.resolved_at is None

    def test_waits_ten_quiet_minutes(self) -> None:
        item = failed()
        group = group_of(item)
        went_through(item)
        age_of_leaving(minutes=9)

        tending.tend()

        group.refresh_from_db()
        assert group.resolved_at is None

    def test_resolves_without_proof_what_was_withdrawn_everywhere(self) -> None:
        item = failed()
        group = group_of(item)
        SyncItem.objects.filter(pk=item.pk).update(state=S.WITHDRAWN)
        age_of_leaving(minutes=11)

        tending.tend()

        group.refresh_from_db()
        assert group.resolved_at is not None
        assert group.resolved_by_item is None

    def test_is_not_resolved_while_another_item_is_open(self) -> None:
        item = failed()
        failed()
        group = group_of(item)
        went_through(item)

        tending.tend()

        group.refresh_from_db()
        assert group.resolved_at is None

    def test_says_when_it_came_back_and_is_resolved_anew(self) -> None:
        item = failed()
        group = group_of(item)
        went_through(item)
        tending.tend()

        back = failed()
        tending.tend()
        group.refresh_from_db()
        assert group.regressed_at is not None

        went_through(back)
        tending.tend()
        group = ErrorGroup.objects.get(pk=group.pk)
        assert group.regressed_at is None
        assert group.resolved_by_item_id in {item.pk, back.pk}

    def test_a_snooze_ends_with_what_was_snoozed(self) -> None:
        item = failed()
        group = group_of(item)
        acts.snooze(group, Snooze("Later.", for_more=9), actor="maya", now=now())
        went_through(item)

        tending.tend()

        group.refresh_from_db()
        assert group.snoozed_at is None

    def test_sweeps_counts_of_nothing_away(self) -> None:
        item = failed()
        went_through(item)
        open_one = failed()
        assert ErrorCount.objects.filter(items=0).exists()

        tending.tend()

        assert [row.fingerprint for row in ErrorCount.objects.all()] == [group_of(open_one).pk]

    def test_leaves_the_work_to_whoever_is_at_it(self) -> None:
        item = failed()
        went_through(item)
        other = database.copy()
        try:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(hashtextextended('error desk', 0))")
                assert tending.tend() == 0
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended('error desk', 0))")
        finally:
            other.close()

        assert tending.tend() == 1


class TestRulings:
    def rule(self, item: SyncItem, category: ErrorCategory, fix: str = "") -> Ruling:
        group = group_of(item)
        wish = Wish(category, "Support knows better.", fix)
        return judging.rule(group, wish, before=item.error_category, actor="tomas")

    def test_change_what_is_open_and_what_the_customer_reads(self) -> None:
        item = failed()

        self.rule(item, OURS)

        item.refresh_from_db()
        assert item.error_category == OURS
        assert item.error_text.endswith(f"and quote {item.reference}.")
        assert item.failure_telling == SyncItem.Telling.DUE
        assert ItemEvent.objects.get(item=item).actor == "tomas"
        assert AuditLine.objects.get().act == "errors.rule"

    def test_leave_groups_of_other_causes_alone(self) -> None:
        other = failed(error_code="erp.account_inactive")

        self.rule(failed(), OURS)

        other.refresh_from_db()
        assert other.error_category == USER

    def test_give_the_customer_a_fix(self) -> None:
        item = failed(error_category=OURS, error_code="us.bug", error_fix="")

        self.rule(item, USER, FIX)

        item.refresh_from_db()
        assert item.error_text == f"{item.error_title} {FIX}"

    @pytest.mark.parametrize("fix", ["", "It will pass.", "Something went wrong"])
    def test_refuse_a_fix_that_tells_nobody_what_to_do(self, fix: str) -> None:
        item = failed(error_category=OURS, error_code="us.bug")

        with pytest.raises(NotDone):
            self.rule(item, USER, fix)

        assert not Ruling.objects.exists()

    def test_of_what_passes_by_itself_queue_it_again(self) -> None:
        item = failed(error_category=OURS, error_code="erp.unknown")

        self.rule(item, TIME)

        item.refresh_from_db()
        assert (item.state, item.error_category) == ("READY", "")

    def test_one_at_a_time(self) -> None:
        item = failed()
        self.rule(item, OURS)

        with pytest.raises(NotDone, match="just ruled"):
            judging.rule(group_of(item), Wish(OURS, "Again."), before=USER, actor="ana")

    def test_withdrawn_has_everything_judged_anew(self) -> None:
        item = failed()
        ruling = self.rule(item, OURS)

        judging.withdraw(ruling, group_of(item), reason="It was right.", actor="ana")

        item.refresh_from_db()
        assert (item.state, item.error_category) == ("READY", "")
        with pytest.raises(NotDone, match="withdrawn already"):
            judging.withdraw(ruling, ErrorGroup.objects.get(), reason="x", actor="ana")

    def test_reach_a_large_group_turn_by_turn(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(judging, "AT_ONCE", 2)
        items = [failed() for _ in range(5)]
        self.rule(items[0], OURS)
        assert SyncItem.objects.filter(error_category=OURS).count() == 2

        tending.tend()

        assert SyncItem.objects.filter(error_category=OURS).count() == 5
        assert judging.catch_up() == 0

    def test_do_not_count_as_another_occurrence(self) -> None:
        item = failed()

        self.rule(item, OURS)

        assert Occurrence.objects.get().times == 1

    def test_are_followed_by_the_engine_from_the_next_failure_on(self) -> None:
        here = World()
        (item,) = here.ready()
        error = refusal(Code.TAX_CODE_INVALID, erp="Ledger")
        here.erp.faults.refuse_with = error
        judged = classify(error, erp_name="Ledger")
        known = failed(error_code=judged.code, error_title=judged.title)
        self.rule(known, OURS)

        post_due_items(here.worker)

        item.refresh_from_db()
        assert (item.state, item.error_category) == ("FAILED", OURS)
        assert item.reference in item.error_text

    def test_to_pass_by_itself_is_tried_again_by_the_engine(self) -> None:
        here = World()
        (item,) = here.ready()
        error = refusal(Code.UNKNOWN, erp="Ledger")
        here.erp.faults.refuse_with = error
        judged = classify(error, erp_name="Ledger")
        self.rule(failed(error_code=judged.code, error_title=judged.title), TIME)

        post_due_items(here.worker)

        item.refresh_from_db()
        assert (item.state, item.error_category) == ("READY", TIME)


class TestRules:
    FAILURE = SyncFailure(USER, Origin.ERP, "erp.period_closed", "May is closed.", "Reopen it.")

    def test_none_changes_nothing(self) -> None:
        assert ruled(self.FAILURE, None) is self.FAILURE

    def test_the_fix_stays_where_the_ruling_has_none(self) -> None:
        assert ruled(self.FAILURE, Rule(OURS)).fix == "Reopen it."
        assert ruled(self.FAILURE, Rule(USER, FIX)).fix == FIX

    @pytest.mark.parametrize(
        "code", ["data.no_coding", "mapping.entity", "us.bug", "erp.unknown.gave_up", "erp.review"]
    )
    def test_time_does_not_heal_what_would_be_refused_again_unchanged(self, code: str) -> None:
        assert TIME not in choices(code, OURS)

    def test_the_category_it_has_is_no_choice(self) -> None:
        assert choices("erp.unknown", OURS) == [USER, TIME]


def test_a_refusal_that_nobody_ruled_upon_stays_as_it_was_judged() -> None:
    item = SyncItemFactory.create()

    results.record_refused(None, [Refused(item.pk, TestRules.FAILURE, "Said.")])

    item.refresh_from_db()
    assert item.error_category == USER
