from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.mirror.isolation import Search, blamed
from connections.ramp.errors import InvalidRequest


@dataclass(frozen=True)
class Row:
    erp_id: str


class Ramp:
    """Takes a batch whole or not at all."""

    def __init__(self, bad: set[str], *, names: bool = False, fields: Any = None) -> None:
        self.bad, self.names, self.fields = bad, names, fields
        self.taken: list[str] = []
        self.calls = 0

    def send(self, rows: Sequence[Row]) -> None:
        self.calls += 1
        spoilt = [row.erp_id for row in rows if row.erp_id in self.bad]
        if spoilt:
            named = f": {', '.join(spoilt)}" if self.names else ""
            raise InvalidRequest(f"Some of these cannot be taken{named}", fields=self.fields)
        self.taken += [row.erp_id for row in rows]


def rows(count: int) -> list[Row]:
    return [Row(f"v{number}") for number in range(count)]


class TestSearch:
    @pytest.mark.matrix("M3")
    @pytest.mark.parametrize("place", [0, 1, 249, 250, 498, 499])
    def test_finds_one_in_five_hundred_by_halving(self, place: int) -> None:
        ramp = Ramp({f"v{place}"})

        refused = Search(ramp.send).run(rows(500))

        assert [one.row.erp_id for one in refused] == [f"v{place}"]
        assert len(ramp.taken) == 499
        assert ramp.calls <= 1 + 18

    def test_sends_the_rest_at_once_where_the_culprit_is_named(self) -> None:
        ramp = Ramp({"v7"}, names=True)

        refused = Search(ramp.send).run(rows(500))

        assert [one.row.erp_id for one in refused] == ["v7"]
        assert ramp.calls == 2

    @given(st.integers(1, 60), st.data())
    def test_takes_all_the_good_and_none_of_the_bad_in_their_order(
        self, count: int, data: st.DataObject
    ) -> None:
        all_ids = [row.erp_id for row in rows(count)]
        bad = set(data.draw(st.lists(st.sampled_from(all_ids), unique=True)))
        ramp = Ramp(bad, names=data.draw(st.booleans()))

        refused = Search(ramp.send).run(rows(count))

        assert {one.row.erp_id for one in refused} == bad
        assert ramp.taken == [one for one in all_ids if one not in bad]


class TestBlamed:
    def test_reads_the_place_in_the_list_and_the_field(self) -> None:
        error = InvalidRequest("Bad", fields={"vendors": {"1": {"name": ["Too long."]}}})

        (one,) = blamed(error, ["a", "b", "c"])

        assert (one.erp_id, one.field, one.message, one.is_certain) == (
            "b",
            "name",
            "Too long.",
            True,
        )

    def test_reads_ids_among_the_facts(self) -> None:
        error = InvalidRequest("These objects already exist: a, c", fields={"id": ["a", "c"]})

        assert [(one.erp_id, one.field) for one in blamed(error, ["a", "b", "c"])] == [
            ("a", "id"),
            ("c", "id"),
        ]

    def test_is_not_certain_of_an_id_that_stands_in_words(self) -> None:
        error = InvalidRequest("Value must be between 1 and 100.")

        assert [(one.erp_id, one.is_certain) for one in blamed(error, ["100", "7"])] == [
            ("100", False)
        ]

    def test_names_nobody_where_nobody_is_named(self) -> None:
        assert blamed(InvalidRequest("Something is wrong"), ["a", "b"]) == []
