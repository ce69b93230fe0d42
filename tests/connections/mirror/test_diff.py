from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from connections.mirror import diff
from connections.mirror.diff import ORDER, Action, Decision, InRamp, Record, Step

contents = st.tuples(st.sampled_from(["Travel", "Meals", "Rent"]), st.sampled_from(["", "61"]))


@st.composite
def records(draw: st.DrawFn) -> list[Record]:
    """Any chart, with Ramp in any state: nothing, the same, something else, hidden, inactive."""
    ids = draw(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=8))
    return [_record(draw, erp_id) for erp_id in ids]


def _record(draw: st.DrawFn, erp_id: str) -> Record:
    kind = draw(st.sampled_from(diff.KINDS))
    there = st.builds(
        InRamp,
        content=contents,
        is_active=st.booleans(),
        is_hidden=st.booleans() if kind == diff.OPTION else st.just(False),
    )
    return Record(
        kind=kind,
        erp_id=erp_id,
        is_wanted=draw(st.booleans()),
        content=draw(contents),
        in_ramp=draw(st.none() | there),
        decision=draw(st.sampled_from(Decision)),
    )


def carried_out(step: Step) -> Record:
    """The record after Ramp has done what the step asks of it, as Ramp's contract has it."""
    record, there = step.record, step.record.in_ramp
    if step.action is Action.CREATE:
        assert there is None, "Ramp refuses what it has"
        return replace(record, in_ramp=InRamp(record.content))
    assert there is not None, "only what is there can be changed"
    match step.action:
        case Action.CHANGE:
            return replace(record, in_ramp=replace(there, content=record.content))
        case Action.REACTIVATE | Action.SHOW:
            return replace(record, in_ramp=InRamp(record.content))
        case Action.HIDE:
            assert record.kind == diff.OPTION, "nothing else can be hidden"
            return replace(record, in_ramp=replace(there, is_hidden=True))
        case _:
            return replace(record, in_ramp=replace(there, is_active=False))


def apply(chart: list[Record]) -> list[Record]:
    done = {step.record.erp_id: carried_out(step) for step in diff.steps(chart)}
    return [done.get(record.erp_id, record) for record in chart]


class TestSteps:
    @given(records())
    def test_make_ramp_what_the_erp_wants(self, chart: list[Record]) -> None:
        for record in apply(chart):
            there = record.in_ramp
            if record.decision is Decision.LEAVE:
                continue
            if record.is_wanted:
                assert there == InRamp(record.content)
            elif there is not None and there.is_active:
                assert there.is_hidden or diff.needs_decision(record)

    @given(records())
    def test_leave_nothing_for_a_second_time(self, chart: list[Record]) -> None:
        assert diff.steps(apply(chart)) == []

    @given(records())
    def test_deactivate_nothing_without_a_decision(self, chart: list[Record]) -> None:
        for step in diff.steps(chart):
            if step.action is Action.DEACTIVATE:
                assert step.record.decision is Decision.DEACTIVATE
                assert not step.record.is_wanted

    @given(records())
    def test_go_in_the_order_that_they_depend_on_each_other(self, chart: list[Record]) -> None:
        places = [(step.record.kind, step.action) for step in diff.steps(chart)]

        assert places == sorted(places, key=ORDER.index)

    @given(records())
    def test_leave_alone_what_people_want_left(self, chart: list[Record]) -> None:
        for step in diff.steps(chart):
            if step.record.decision is Decision.LEAVE:
                assert step.action in {Action.CREATE, Action.CHANGE}


class TestOrder:
    def test_builds_rates_after_accounts_and_codes_after_rates(self) -> None:
        created = [kind for kind, action in ORDER if action is Action.CREATE]

        assert created.index("account") < created.index("tax_rate") < created.index("tax_code")
        assert created.index("field") < created.index("option")

    def test_withdraws_the_other_way_round(self) -> None:
        gone = [kind for kind, action in ORDER if action is Action.DEACTIVATE]

        assert gone.index("tax_code") < gone.index("tax_rate") < gone.index("account")
        assert gone.index("option") < gone.index("field")

    def test_builds_everything_before_it_withdraws_anything(self) -> None:
        actions = [action for _, action in ORDER]

        assert max(i for i, one in enumerate(actions) if one in diff.BUILDING) < min(
            i for i, one in enumerate(actions) if one in diff.WITHDRAWING
        )
