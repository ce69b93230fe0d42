"""Which accounts probably stand for what Ramp does not code."""

from dataclasses import dataclass

from connections.upkeep.posting_accounts import PURPOSES, fitting, suggestions


@dataclass(frozen=True)
class Account:
    code: str
    name: str
    classification: str

    @property
    def erp_id(self) -> str:
        return f"id-{self.code}"


CHART = [
    Account("1010", "Operating account", "ASSET"),
    Account("2100", "Credit card AmEx", "LIABILITY"),
    Account("2150", "Ramp card clearing", "LIABILITY"),
    Account("2160", "Employee reimbursements", "LIABILITY"),
    Account("4900", "Cashback income", "REVENUE"),
    Account("6100", "Travel with a ramp", "EXPENSE"),
]


def test_the_surest_word_wins_and_says_why() -> None:
    found = suggestions(CHART)

    assert found["card_liability_account"].erp_id == "id-2150"
    assert found["card_liability_account"].reason == "Its name says “ramp”."
    assert found["bank_account"].erp_id == "id-1010"
    assert found["reimbursement_account"].erp_id == "id-2160"
    assert found["cashback_account"].erp_id == "id-4900"


def test_nothing_is_suggested_where_nothing_fits() -> None:
    assert suggestions([Account("6100", "Travel", "EXPENSE")]) == {}


def test_only_accounts_of_a_fitting_class_are_offered() -> None:
    card = PURPOSES[0]

    offered = fitting(card, [*CHART, Account("9999", "Old books", "UNKNOWN")])

    assert [one.code for one in offered] == ["2100", "2150", "2160", "9999"]
