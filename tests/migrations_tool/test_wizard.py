"""The task list's rules: pure, over data."""

import pytest

from migrations_tool.steps import (
    BY_STEP,
    LAST_WAY_BACK,
    NOT_NEEDED,
    STEPS,
    Act,
    Path,
    Step,
    definition,
    is_behind_point_of_no_return,
)
from migrations_tool.wizard import (
    LABELS,
    OVER,
    Gate,
    GateClosed,
    Light,
    Standing,
    Status,
    StepNotCurrent,
    StepNotYours,
    after_check,
    check_gates,
    check_order,
    check_page,
    check_runner,
    current_step,
    first_status,
    missing,
    standings_from,
)


def standings(path: Path = Path.MIGRATION, **statuses: Status) -> dict[Step, Standing]:
    return standings_from(
        path, {Step(name): (status, 1) for name, status in statuses.items()}, stale=(), runners={}
    )


def gate(light: Light, words: str = "", fix: str = "") -> Gate:
    return Gate("backup.fresh", "The backup is fresh", light, words, fix)


class TestSteps:
    def test_are_fourteen_numbered_as_people_say_them(self) -> None:
        assert [one.number for one in STEPS] == list(range(14))
        assert [one.step for one in STEPS] == list(Step)

    def test_need_only_earlier_ones_so_no_circle_can_arise(self) -> None:
        for one in STEPS:
            assert all(BY_STEP[need].number < one.number for need in one.needs), one.title

    @pytest.mark.parametrize("path", Path)
    def test_can_all_be_completed_in_their_order(self, path: Path) -> None:
        now = standings(path)
        walked = []
        while (step := current_step(now)) is not None:
            check_order(step, now)
            walked.append(step)
            now[step] = Standing(step, Status.DONE, 2)

        assert walked == [one.step for one in STEPS if one.step not in NOT_NEEDED[path]]

    def test_lead_all_to_the_switch(self) -> None:
        """Nobody can switch a customer past a step that has not been looked at."""
        before: set[Step] = set()
        waiting = [Step.FLIP]
        while waiting:
            needs = BY_STEP[waiting.pop()].needs - before
            before |= needs
            waiting += needs

        assert before == {one for one in Step if not is_behind_point_of_no_return(one)}

    def test_behind_the_point_of_no_return_are_the_last_three(self) -> None:
        assert LAST_WAY_BACK is Step.REHEARSAL
        behind = [one for one in Step if is_behind_point_of_no_return(one)]
        assert behind == [Step.FLIP, Step.CUTOVER, Step.HYPERCARE]

    def test_say_everything_that_their_page_shows(self) -> None:
        for one in STEPS:
            words = (one.title, one.goal, one.why, one.wrong, one.rollback)
            assert all(words), one.step
            assert all(text.endswith(".") for text in words[1:]), one.step
            assert {Act.CHECK, Act.COMPLETE} <= one.acts

    def test_that_take_back_also_apply(self) -> None:
        assert all(Act.APPLY in one.acts for one in STEPS if Act.UNDO in one.acts)

    def test_on_a_fresh_connection_leave_out_what_has_no_old_one(self) -> None:
        left_out = {one for one in Step if first_status(one, Path.FRESH) is Status.NOT_NEEDED}

        assert left_out == {Step.BACKUP, Step.DRAIN, Step.MAPPING, Step.FLIP}

    def test_are_found_by_their_name_only(self) -> None:
        assert definition("drain").number == 5
        with pytest.raises(ValueError, match="nowhere"):
            definition("nowhere")


class TestOrder:
    def test_holds_up_a_step_whose_needs_are_open_and_names_them(self) -> None:
        with pytest.raises(GateClosed, match="Still open: 2 Inventory"):
            check_order(Step.DRAIN, standings(plan=Status.DONE, access=Status.DONE))

    @pytest.mark.parametrize("status", sorted(OVER))
    def test_lets_pass_what_is_done_skipped_or_not_needed(self, status: Status) -> None:
        check_order(Step.DRAIN, standings(inventory=status))

    @pytest.mark.parametrize("status", sorted(set(Status) - OVER))
    def test_lets_nothing_else_pass(self, status: Status) -> None:
        assert missing(Step.DRAIN, standings(inventory=status)) == [Step.INVENTORY]

    def test_says_of_a_stale_step_that_it_was_done(self) -> None:
        done = dict.fromkeys(Step, (Status.DONE, 1))
        now = standings_from(Path.MIGRATION, done, stale=[Step.BACKUP], runners={})

        with pytest.raises(GateClosed, match=r"4 Backup \(its evidence is stale\)"):
            check_order(Step.MAPPING, now)
        assert current_step(now) is Step.BACKUP

    def test_ends_with_every_step_over(self) -> None:
        done = dict.fromkeys(Step, (Status.DONE, 1))
        assert current_step(standings_from(Path.FRESH, done, stale=(), runners={})) is None


class TestPages:
    def test_an_older_page_is_refused_and_told_so(self) -> None:
        check_page(Standing(Step.PLAN, Status.IN_PROGRESS, 3), 3)
        with pytest.raises(StepNotCurrent, match="Plan has changed since this page was loaded"):
            check_page(Standing(Step.PLAN, Status.IN_PROGRESS, 3), 2)

    def test_somebody_who_runs_the_step_keeps_others_off(self) -> None:
        running = Standing(Step.PLAN, Status.IN_PROGRESS, 3, "ana")
        with pytest.raises(StepNotYours, match="ana is running this step"):
            check_runner(running, "ines")
        with pytest.raises(StepNotYours, match="You are running this step"):
            check_runner(running, "ana")
        check_runner(Standing(Step.PLAN, Status.IN_PROGRESS, 3), "ines")


class TestGates:
    @pytest.mark.parametrize("light", [Light.GREEN, Light.WARNING, Light.WAIVED])
    def test_that_let_pass(self, light: Light) -> None:
        check_gates([gate(light)])

    @pytest.mark.parametrize("light", [Light.RED, Light.UNKNOWN])
    def test_that_do_not_say_what_was_seen_and_what_to_do(self, light: Light) -> None:
        closed = gate(light, words="It is 9 days old.", fix="Make another.")
        with pytest.raises(GateClosed) as refused:
            check_gates([gate(Light.GREEN), closed])

        assert str(refused.value) == "The backup is fresh: It is 9 days old. Make another."
        assert refused.value.gates == [closed]

    def test_decide_how_a_step_stands_that_is_not_done(self) -> None:
        assert after_check([gate(Light.RED)], None) is Status.BLOCKED
        assert after_check([gate(Light.UNKNOWN)], None) is Status.IN_PROGRESS
        assert after_check([gate(Light.GREEN)], None) is Status.IN_PROGRESS
        waiting = Status.WAITING_FOR_CUSTOMER
        assert after_check([gate(Light.RED)], waiting) is waiting


def test_every_status_has_a_word_of_its_own() -> None:
    assert set(LABELS) == set(Status)
    assert len(set(LABELS.values())) == len(Status)
