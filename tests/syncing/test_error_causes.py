"""A failure is filed by what is wrong, not by whom it hits, when, or with how much."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection as database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connections.erp.adapters.tryton.errors import JOURNAL_CLOSED_TITLE
from connections.erp.errors import Code, ErpError
from connections.erp.refusals import WORDS, refusal, spoken
from connections.mappings import MissingMapping
from rampbridge.lib.money import Money
from syncing import cannot_post, classifier
from syncing.cannot_post import CannotPost
from syncing.classifier import classify
from syncing.models import ErrorGroup
from tests.factories import SyncItemFactory

pytestmark = pytest.mark.django_db

ERP = "Tryton"


@dataclass(frozen=True)
class Case:
    """What differs between two items with one cause."""

    name: str
    other: str
    day: date
    money: Money
    left: Money
    number: int

    @property
    def document(self) -> str:
        return f"BILL/{self.number}"


# As people name things: dots, digits, quotes, brackets, commas, other scripts.
NAMES = st.text(alphabet="aeT xZ09.,&-'()/“”\"サé", min_size=1, max_size=40).map(str.strip)
MONEY = st.integers(-(10**12), 10**12).map(lambda minor: Money(minor, "USD", 2)) | st.integers(
    -(10**9), 10**9
).map(lambda minor: Money(minor, "JPY", 0))
CASES = st.builds(
    Case,
    name=NAMES.filter(bool),
    other=NAMES.filter(bool),
    day=st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    money=MONEY,
    left=MONEY,
    number=st.integers(1, 10**6),
)

ERP_TITLES: dict[Code, Callable[[Case], str]] = {
    Code.PERIOD_CLOSED: lambda case: spoken(case.day),
    Code.ACCOUNT_INACTIVE: lambda case: f"Account {case.number} {case.name}",
    Code.DIMENSION_INACTIVE: lambda case: case.name,
    Code.VENDOR_MISSING: lambda case: f"vendor {case.name}",
    Code.VENDOR_INACTIVE: lambda case: case.name,
    Code.TAX_CODE_INVALID: lambda case: case.name,
    Code.DUPLICATE_NUMBER: lambda case: f"number {case.name}",
    Code.EXCHANGE_RATE_MISSING: lambda case: f"{case.money.currency} on {spoken(case.day)}",
    Code.OVERPAYMENT: lambda case: f"bill {case.name}",
    Code.APPROVAL_NEEDED: lambda case: case.name,
    Code.UNBALANCED: lambda case: f" by {case.money}",
    Code.REJECTED_PAYLOAD: lambda case: f": there is no account {case.name}",
    Code.REF_REUSED: lambda case: f": document {case.document}",
}
"""How adapters name the record, of every code whose words have a place for one."""
NAMELESS = {Code.DIMENSION_REQUIRED, Code.FORBIDDEN}
"""No adapter names anything in them but what is a cause of its own: a field, a permission."""


def of_erp(code: Code) -> Callable[[Case], str]:
    def title(case: Case) -> str:
        return refusal(code, erp=ERP, what=ERP_TITLES[code](case)).title

    return title


def of_own(make: Callable[[Case], CannotPost]) -> Callable[[Case], str]:
    return lambda case: make(case).title


def of_mapping(kind: str, why: str = "") -> Callable[[Case], str]:
    def title(case: Case) -> str:
        return classify(MissingMapping(kind, "7", case.name, why=why), erp_name=ERP).title

    return title


OWN: dict[str, Callable[[Case], CannotPost]] = {
    "no coding": lambda case: cannot_post.NoCoding(case.number, case.number + 7),
    "lines": lambda case: cannot_post.LinesDoNotAddUp(case.money, case.money + case.money),
    "currencies": lambda case: cannot_post.LinesInSeveralCurrencies([case.money.currency, "CHF"]),
    "credits": lambda case: cannot_post.CreditsDoNotFit(case.money, case.left),
    "below": lambda case: cannot_post.PaymentBelowBill(case.money, case.money + case.money),
    "sign": lambda case: cannot_post.UnexpectedSign("transfer", case.money),
    "unknown": lambda case: cannot_post.UnknownValue("direction", f"SIDE_{case.day:%A}"),
    "card": lambda case: cannot_post.CardDoesNotFitBill(case.money, case.money + case.money),
    "tax": lambda case: cannot_post.TaxDoesNotFit(
        case.money, case.money + case.money, f"{case.number} %"
    ),
    "tax below": lambda case: cannot_post.TaxBelowZero(case.name),
}
TITLES: dict[str, Callable[[Case], str]] = {
    **{f"erp {code}": of_erp(code) for code in ERP_TITLES},
    **{f"own {name}": of_own(make) for name, make in OWN.items()},
    "journal": lambda case: JOURNAL_CLOSED_TITLE.format(what=case.name),
    "no id": lambda case: f"Tryton does not accept it: {case.name!r} is no id of a record.",
    "decimals": lambda case: (
        refusal(
            Code.REJECTED_PAYLOAD,
            erp=ERP,
            what=f": {case.money.decimal} has more decimals than {case.money.currency}",
        ).title
    ),
    "add-on": lambda case: (
        refusal(
            Code.REF_REUSED,
            erp=ERP,
            what=f': The reference "{case.number}:x" belongs to "{case.number}", which has other'
            " content.",
        ).title
    ),
    "account": of_mapping("GL account"),
    "department": of_mapping("Department"),
    "vendor": of_mapping("vendor"),
    "entity": of_mapping("entity"),
    "closed account": of_mapping("GL account", "is no longer active"),
    "closed department": of_mapping("Department", "is no longer active"),
    "attempts": lambda case: classifier.without_answer(case.number).title,
    "several": lambda case: f"{ERP} has several vendors called {case.name}.",
    "alike": lambda case: f"{case.name} may be a vendor that {ERP} has: {case.other}, B 2.",
    "not codable": lambda case: (
        f"Ramp does not let us put the vendor {case.name} on this transaction."
    ),
    "twice": lambda case: (
        f"The expense stands twice: {case.document} was posted before Ramp said that it pays the"
        f" bill {case.number} of {case.name}."
    ),
    "deleted": lambda case: (
        f"{case.document} is no longer in {ERP}. It was deleted there after it was reported."
    ),
    "taken back": lambda case: f"{case.document} was taken back in {ERP} after it was reported.",
    "draft": lambda case: f"{case.document} is no longer posted in {ERP}; it is a draft again.",
    "more than once": lambda case: (
        f"It stands in {ERP} more than once: "
        + " and ".join(str(case.number + n) for n in range(2 + case.number % 3))
        + "."
    ),
    "other amount": lambda case: (
        f"{case.document} is over {Decimal(case.number)} {case.money.currency} in {ERP}, and over"
        f" {case.money} in Ramp."
    ),
    "changed amount": lambda case: (
        f"It was posted over {case.money}, and is {case.money + case.money} in Ramp now."
    ),
}


def causes(*titles: str) -> list[str]:
    with database.cursor() as cursor:
        cursor.execute("SELECT rampbridge_cause(t) FROM unnest(%s::text[]) AS t", [list(titles)])
        return [cause for (cause,) in cursor.fetchall()]


class TestTitles:
    @settings(
        max_examples=40,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(one=CASES, other=CASES)
    def test_of_one_cause_differ_in_nothing_once_names_and_figures_are_struck_out(
        self, one: Case, other: Case
    ) -> None:
        found = causes(*(title(case) for title in TITLES.values() for case in (one, other)))

        pairs = zip(TITLES, found[::2], found[1::2], strict=True)
        assert [name for name, first, second in pairs if first != second] == []

    def test_of_different_causes_stay_apart(self) -> None:
        case = Case("Old", "New", date(2026, 5, 3), Money(5, "USD", 2), Money(3, "USD", 2), 9)
        titles = {title(case) for title in TITLES.values()}
        # One cause each, told by the code: what is closed of accounts, vendors, options.
        same = {"erp vendor_inactive", "closed department"}

        found = causes(*titles)

        assert len(set(found)) >= len(titles) - len(same)

    @settings(
        max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(case=CASES)
    def test_have_nothing_left_to_be_struck_out(self, case: Case) -> None:
        found = causes(*(title(case) for title in TITLES.values()))

        assert causes(*found) == found

    def test_cover_every_text_that_names_a_record(self) -> None:
        named = {code for code, words in WORDS.items() if "{what}" in words.title}

        assert named == set(ERP_TITLES) | NAMELESS

    def test_can_still_be_read(self) -> None:
        assert causes(
            "Tryton has no open period for 5 March 2026.",
            "Account 6999 Old projects does not take postings in Tryton.",
            "Tryton has no GL account called St. John's Ltd.",
            "The lines add up to 12.34 USD but the item to 1.00 USD, a difference of 11.34 USD.",
            "It stands in Tryton more than once: 12 and 13 and 14.",
        ) == [
            "Tryton has no open period for ….",
            "An account does not take postings in Tryton.",
            "Tryton has no GL account called ….",
            "The lines add up to … but the item to …, a difference of ….",
            "It stands in Tryton more than once: ….",
        ]


class TestFingerprints:
    def fingerprint(self, code: str, title: str) -> str:
        item = SyncItemFactory.create(failed=True, error_code=code, error_title=title)
        item.refresh_from_db()
        return str(item.error_fingerprint)

    def test_are_equal_for_one_code_with_other_names_and_dates(self) -> None:
        assert self.fingerprint(
            "erp.period_closed", "Tryton has no open period for 5 March 2026."
        ) == self.fingerprint("erp.period_closed", "Tryton has no open period for May 2027.")

    def test_differ_for_different_codes_with_one_title(self) -> None:
        title = "The vendor is not active in Tryton."

        assert self.fingerprint("erp.vendor_inactive", title) != self.fingerprint(
            "erp.dimension_inactive", title
        )

    def test_are_empty_without_a_failure(self) -> None:
        item = SyncItemFactory.create()

        item.refresh_from_db()

        assert item.error_fingerprint == ""
        assert not ErrorGroup.objects.exists()

    def test_are_what_python_asks_the_database_for(self) -> None:
        error = refusal(Code.CONFLICT, erp=ERP)
        assert isinstance(error, ErpError)
        failure = classify(error, erp_name=ERP)

        found = self.fingerprint(failure.code, failure.title)

        assert ErrorGroup.objects.get().pk == found
        assert len(found) == 32
