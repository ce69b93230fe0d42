"""How the ERP's books may differ from what Ramp was told, in words."""

from dataclasses import replace
from decimal import Decimal

import pytest

from connections.erp.ledger_audit import LedgerEntry
from connections.erp.records import State
from rampbridge.lib.money import Money
from syncing.ledger_comparison import Reported, difference

REF = "ramp-t-journal-1"
ITEM = Reported(1, REF, "JV-7", Money(1234, "USD", 2))
BOOKED = LedgerEntry(
    REF, "7", "JV-7", State.POSTED, Decimal("12.34"), Decimal("12.34"), Decimal("12.34"), "USD"
)
REVERSAL = replace(BOOKED, ref="", erp_id="8", number="JV-8", reverses=REF)


def test_what_is_as_it_was_reported_differs_in_nothing() -> None:
    assert difference(ITEM, [BOOKED], erp_name="Tryton") == ""


def test_a_refund_is_compared_without_its_sign() -> None:
    refund = replace(ITEM, money=Money(-1234, "USD", 2))

    assert difference(refund, [BOOKED], erp_name="Tryton") == ""


def test_an_erp_that_tells_only_its_own_currency_is_believed() -> None:
    assert difference(ITEM, [replace(BOOKED, total=None, currency="")], erp_name="Tryton") == ""


def test_lines_of_both_signs_amount_to_more_than_what_was_spent() -> None:
    """Of 15.00 spent and 2.66 returned in the same purchase the card owes 12.34."""
    split = replace(
        BOOKED,
        debit=Decimal(15),
        credit=Decimal(15),
        total=Decimal(15),
        amounts=frozenset({Decimal(15), Decimal("2.66"), Decimal("12.34")}),
    )

    assert difference(ITEM, [split], erp_name="Tryton") == ""
    assert difference(ITEM, [replace(split, amounts=frozenset({Decimal(15)}))], erp_name="Tryton")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "JV-7 is no longer in Tryton. It was deleted there after it was reported."),
        (
            [BOOKED, replace(BOOKED, erp_id="9", number="JV-9")],
            "It stands in Tryton more than once: JV-7 and JV-9.",
        ),
        ([BOOKED, REVERSAL], "JV-7 was taken back in Tryton after it was reported."),
        (
            [replace(BOOKED, state=State.VOID)],
            "JV-7 was taken back in Tryton after it was reported.",
        ),
        (
            [replace(BOOKED, state=State.DRAFT)],
            "JV-7 is no longer posted in Tryton; it is a draft again.",
        ),
        (
            [replace(BOOKED, total=Decimal("12.35"))],
            "JV-7 is over 12.35 USD in Tryton, and over 12.34 USD in Ramp.",
        ),
        (
            [replace(BOOKED, currency="EUR")],
            "JV-7 is over 12.34 EUR in Tryton, and over 12.34 USD in Ramp.",
        ),
    ],
)
def test_each_difference_is_told_so_that_somebody_can_act(
    entries: list[LedgerEntry], words: str
) -> None:
    assert difference(ITEM, entries, erp_name="Tryton") == words
