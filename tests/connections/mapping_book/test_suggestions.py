"""Suggestions say why, are always the same, and only those beyond doubt are accepted in bulk."""

import pytest

from connections.mapping_book.suggestions import Candidate, Coding, Suggester, folded

CHART = (
    Candidate("1", "Travel", "7100", "EXPENSE"),
    Candidate("2", "Software subscriptions", "7200", "EXPENSE"),
    Candidate("3", "Office supplies", "7300", "EXPENSE"),
    Candidate("4", "Travel advances", "1400", "ASSET"),
    Candidate("5", "Café & meals", "7400", "EXPENSE"),
    Candidate("6", "Rent", "7500", "EXPENSE"),
    Candidate("7", "Rent", "7501", "EXPENSE"),
    Candidate("8", "GitHub, Inc."),
)


def best(coding: Coding, earlier: dict[str, str] | None = None) -> tuple[str, str, bool]:
    found = Suggester(CHART, earlier).suggest(coding)
    if not found:
        return ("", "", False)
    return (found[0].candidate.erp_id, found[0].reason, found[0].is_strong)


class TestWhy:
    @pytest.mark.parametrize(
        ("coding", "erp_id", "reason", "is_strong"),
        [
            (Coding("x", "Travel", "7100"), "1", "same code 7100 and same name", True),
            (Coding("7200", "Software"), "2", "same code 7200", True),
            (Coding("x", "Gifts", "7100"), "1", "same code 7100, but another name", False),
            (Coding("x", "office  SUPPLIES"), "3", "same name", True),
            (Coding("x", "Cafe meals"), "5", "same name", True),
            (Coding("x", "Rent"), "6", "same name, but so have 1 other", False),
            (Coding("x", "Github"), "8", "same name but for the legal form", True),
            (Coding("x", "supplies, office"), "3", "same words in another order", False),
            (Coding("x", "Software licences"), "2", "name differs in one word", False),
            (Coding("x", "Ofice suplies"), "3", "name spelt almost the same", False),
        ],
    )
    def test_is_stated_with_each(
        self, coding: Coding, erp_id: str, reason: str, is_strong: bool
    ) -> None:
        assert best(coding) == (erp_id, reason, is_strong)

    def test_what_was_mapped_before_under_the_name_counts(self) -> None:
        found = best(Coding("x", "Old Journeys"), {"old journeys": "1"})

        assert found == ("1", "“Old Journeys” was mapped to it before", True)

    def test_an_account_of_another_class_is_never_strong(self) -> None:
        found = best(Coding("x", "Travel advances", classification="EXPENSE"))

        assert found[0] == "1"
        assert not found[2]

    def test_nothing_is_suggested_for_what_nothing_resembles(self) -> None:
        assert best(Coding("x", "Zebra")) == ("", "", False)
        assert best(Coding("")) == ("", "", False)

    def test_a_record_is_not_suggested_for_itself(self) -> None:
        assert best(Coding("1", "Travel", "7100"))[0] != "1"


class TestAlwaysTheSame:
    def test_whatever_order_the_records_come_in(self) -> None:
        coding = Coding("x", "Rent")

        assert Suggester(CHART).suggest(coding) == Suggester(reversed(CHART)).suggest(coding)

    def test_names_are_compared_without_case_accents_and_punctuation(self) -> None:
        assert folded("  Café—Crème, S.A. ") == "cafe creme s a"
        assert folded("Sakura 株式会社") == "sakura 株式会社"


class TestManyRecords:
    def test_only_few_of_them_are_compared_letter_by_letter(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        compared: list[tuple[object, ...]] = []
        monkeypatch.setattr(
            "connections.mapping_book.suggestions.SequenceMatcher",
            lambda *names: Never(compared, names),
        )
        many = [Candidate(str(n), f"Cost centre expenses {n}") for n in range(5000)]

        Suggester(many).suggest(Coding("x", "Cost center expense 17 b"))
        assert 0 < len(compared) <= 200

        compared.clear()
        Suggester(many).suggest(Coding("x", "Cost centre of another name, far too long"))
        assert not compared  # their lengths alone tell them apart


class Never:
    def __init__(self, seen: list[tuple[object, ...]], names: tuple[object, ...]) -> None:
        seen.append(names)

    def ratio(self) -> float:
        return 0.0
