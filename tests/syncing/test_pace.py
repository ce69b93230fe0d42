"""How fast an ERP takes documents."""

import pytest

from syncing.pace import Pace


class TestCalls:
    def test_are_as_many_as_the_adapter_says_until_the_erp_asks_for_less(self) -> None:
        assert Pace().calls(8) == 8

    def test_are_halved_when_the_erp_asks_for_less_but_never_to_none(self) -> None:
        pace = Pace()
        seen = []
        for _ in range(5):
            pace.crowded(8)
            seen.append(pace.calls(8))

        assert seen == [4, 2, 1, 1, 1]

    def test_grow_by_one_with_each_clean_chunk_up_to_what_the_adapter_says(self) -> None:
        pace = Pace(limit=2)
        seen = []
        for _ in range(4):
            pace.clean(4)
            seen.append(pace.calls(4))

        assert seen == [3, 4, 4, 4]
        assert pace.limit is None, "nothing is left to be remembered"

    def test_never_exceed_what_the_adapter_says_now(self) -> None:
        assert Pace(limit=6).calls(2) == 2

    def test_an_adapter_that_says_nothing_sensible_gets_one(self) -> None:
        assert Pace().calls(0) == 1


class TestSpeed:
    def test_is_that_of_the_first_documents_and_then_an_average(self) -> None:
        pace = Pace()
        pace.booked(25, 5)
        assert pace.per_second == 5

        pace.booked(25, 2.5)

        assert pace.per_second == pytest.approx(5 + 5 / 3)

    def test_one_document_alone_weighs_little(self) -> None:
        pace = Pace(per_second=10)

        pace.booked(1, 1)

        assert pace.per_second == pytest.approx(10, abs=0.2)

    @pytest.mark.parametrize(("documents", "seconds"), [(0, 3.0), (5, 0.0)])
    def test_nothing_booked_says_nothing_of_it(self, documents: int, seconds: float) -> None:
        pace = Pace(per_second=10)

        pace.booked(documents, seconds)

        assert pace.per_second == 10
