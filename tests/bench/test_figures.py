import json
from importlib import import_module

import pytest

from bench.figures import Measured, Target, benchmark_of, line, targets, words


class TestTargets:
    def test_each_belongs_to_a_benchmark_and_has_a_reason_and_one_bound(self) -> None:
        for name, target in targets().items():
            assert callable(import_module(f"bench.{benchmark_of(name)}").measure)
            assert target.reason
            assert (target.at_most is None) != (target.at_least is None)

    @pytest.mark.parametrize(
        ("target", "met", "missed"),
        [(Target("B1", "why", at_most=2), 2, 2.1), (Target("B1", "why", at_least=2), 2, 1.9)],
    )
    def test_hold_on_their_side(self, target: Target, met: float, missed: float) -> None:
        assert target.is_met_by(met)
        assert not target.is_met_by(missed)


class TestLine:
    def test_says_it_all_in_one_line(self) -> None:
        said = line("calls", Measured(1.25, {"made": 5}), Target("B1", "why", at_most=1.05))

        assert "\n" not in said
        assert json.loads(said) == {
            "id": "B1",
            "name": "calls",
            "value": 1.25,
            "target": "<= 1.05",
            "met": False,
            "details": {"made": 5},
        }


class TestWords:
    def test_say_whether_it_is_met(self) -> None:
        said = words(line("calls", Measured(1.25), Target("B1", "why", at_most=1.05)))

        assert said.split() == ["B1", "calls", "1.25", "<=", "1.05", "MISSED"]
