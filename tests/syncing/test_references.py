import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncing.references import number_of, speakable

NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)


class TestSpeakable:
    @given(NUMBERS)
    def test_every_number_comes_back_from_its_reference(self, number: int) -> None:
        assert number_of(speakable(number)) == number

    def test_no_two_numbers_share_a_reference(self) -> None:
        around_each_length = [
            32**length + step for length in (4, 5, 6) for step in range(-500, 500)
        ]
        numbers = {*range(20_000), *around_each_length}

        assert len({speakable(number) for number in numbers}) == len(numbers)

    def test_neighbours_look_different_so_that_a_slip_is_noticed(self) -> None:
        first, second = speakable(1000), speakable(1001)

        assert sum(a != b for a, b in zip(first, second, strict=True)) > 2

    @given(NUMBERS)
    def test_says_nothing_that_could_be_misheard_for_a_digit(self, number: int) -> None:
        assert not set(speakable(number).removeprefix("RB-")) & set("OILU")


class TestNumberOf:
    @given(NUMBERS)
    def test_reads_it_however_it_was_typed(self, number: int) -> None:
        bare = speakable(number).removeprefix("RB-")
        typed = bare.replace("0", "O").replace("1", "l").lower()

        assert number_of(f"  rb {typed} ") == number
        assert bare.startswith("RB") or number_of(bare) == number

    @pytest.mark.parametrize(
        "text", ["", "RB-", "RB-7", "RB-7K3!", "Figma Inc", "12.34", "ZZZZ-ZZZZ"]
    )
    def test_knows_what_is_none(self, text: str) -> None:
        assert number_of(text) is None

    @given(st.text(max_size=12))
    def test_takes_nothing_for_a_reference_that_does_not_read_back(self, text: str) -> None:
        number = number_of(text)

        assert number is None or number_of(speakable(number)) == number
