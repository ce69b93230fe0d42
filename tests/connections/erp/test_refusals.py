from datetime import date

import pytest

from connections.erp.errors import CATEGORY, Category, Code, ErpError
from connections.erp.refusals import WORDS, refusal, spoken


class TestWords:
    def test_there_are_some_for_every_code(self) -> None:
        assert set(WORDS) == set(Code) == set(CATEGORY)

    @pytest.mark.parametrize("code", list(Code))
    @pytest.mark.parametrize("what", ["", "something"])
    def test_are_whole_sentences(self, code: Code, what: str) -> None:
        error = refusal(code, erp="Tryton", what=what)

        for text in (error.title, error.fix):
            assert text[0].isupper()
            assert text.endswith(".")
            assert "{" not in text
            assert "  " not in text
            assert "successfully" not in text

    @pytest.mark.parametrize("code", list(Code))
    def test_ask_only_the_customer_to_act_who_can(self, code: Code) -> None:
        error = refusal(code, erp="Tryton")

        asks_for_us = error.fix.startswith("Contact us")

        assert asks_for_us == (error.category == Category.INTEGRATOR)
        if error.category == Category.TRANSIENT:
            assert "retry" not in error.fix


class TestErpError:
    def test_says_what_the_erp_said(self) -> None:
        error = refusal(Code.UNKNOWN, erp="Tryton", erp_code="KeyError", erp_message="'x'")

        assert str(error) == (
            "unknown: Tryton answered with something we do not know. [KeyError 'x']"
        )

    def test_can_be_told_apart_from_an_equal_one(self) -> None:
        one, two = (ErpError(Code.TIMEOUT, "Slow.", "Wait.") for _ in range(2))

        assert len({one, two}) == 2


def test_days_are_spoken_without_a_leading_zero() -> None:
    assert spoken(date(2026, 3, 5)) == "5 March 2026"
