"""Every row of the fault matrix has a test that names it, or a reason why it has none."""

from tests import matrix


def test_the_page_explains_every_row_and_no_other() -> None:
    assert set(matrix.faults()) == set(matrix.ids())
    assert len(matrix.ids()) == 99


def test_every_row_has_a_test_or_a_reason() -> None:
    open_rows = set(matrix.ids()) - matrix.named().keys() - matrix.reasons().keys()

    assert sorted(open_rows) == [], "Mark a test with the row, or say why not in matrix.toml."


def test_no_test_names_a_row_that_does_not_exist() -> None:
    unknown = matrix.named().keys() - set(matrix.ids())

    assert {row: matrix.named()[row] for row in unknown} == {}


def test_no_reason_outlives_its_row_getting_a_test() -> None:
    assert matrix.reasons().keys() & matrix.named().keys() == set()
    assert matrix.reasons().keys() <= set(matrix.ids())


class TestTable:
    def test_a_row_fails_with_any_of_its_tests(self) -> None:
        tests = {
            "a": {"rows": ["X1", "X2"], "outcome": "passed"},
            "b": {"rows": ["X2"], "outcome": "failed"},
        }

        rows = {row.id: row for row in matrix.table(tests)}

        assert rows["X1"].verdict == "pass"
        assert rows["X2"].verdict == "fail"
        assert rows["X2"].tests == ["a", "b"]

    def test_a_row_whose_tests_were_all_skipped_is_not_passed(self) -> None:
        rows = {row.id: row for row in matrix.table({"a": {"rows": ["X1"], "outcome": "skipped"}})}

        assert rows["X1"].verdict == "skipped"
        assert rows["X3"].verdict == "not covered"
        assert rows["X3"].why
