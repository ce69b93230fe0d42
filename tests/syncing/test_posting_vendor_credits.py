"""Documents of vendor credits: the whole of what the vendor granted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import DocKind
from connections.mappings import MissingMapping
from syncing.cannot_post import LinesDoNotAddUp, NothingToPost, UnexpectedSign
from tests import spend
from tests.syncing.posting_world import TENANT, document, minor_units

PARTS = st.lists(st.integers(1, 10**9), min_size=1, max_size=8)


@given(PARTS, st.integers(0, 8))
def test_expense_and_inventory_lines_make_up_the_credit(parts: list[int], expenses: int) -> None:
    lines = [spend.line(part, "USD", spend.account("6200")) for part in parts]

    made = document(
        "vendor_credit",
        spend.vendor_credit(
            sum(parts), expense_line_items=lines[:expenses], inventory_line_items=lines[expenses:]
        ),
    )

    assert [minor_units(line.amount, "USD") for line in made.lines] == parts


def test_is_a_credit_of_the_vendor_whatever_is_used_of_it() -> None:
    body = spend.vendor_credit(3000, remaining_amount=spend.amount(0), reference_number="CM-7")

    made = document("vendor_credit", body)

    assert (made.kind, made.party, made.number) == (DocKind.VENDOR_CREDIT, "v-1", "CM-7")
    assert made.ref.full == f"ramp-{TENANT}-vendor_credit-{body['id']}"
    assert str(made.total) == "30.00"
    assert str(made.posting_date) == "2026-11-05"


def test_of_a_vendor_nobody_has_coded_or_mapped_is_held() -> None:
    body = spend.vendor_credit(accounting_field_selections=[])

    with pytest.raises(MissingMapping) as missing:
        document("vendor_credit", body)

    assert (missing.value.kind, missing.value.value) == ("vendor", body["vendor_id"])


@pytest.mark.parametrize(("minor", "refusal"), [(0, NothingToPost), (-1, UnexpectedSign)])
def test_not_above_zero_is_held(minor: int, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        document("vendor_credit", spend.vendor_credit(minor))


def test_with_lines_that_do_not_add_up_is_held() -> None:
    lines = [spend.line(2000, "USD", spend.account("6200"))]

    with pytest.raises(LinesDoNotAddUp, match=r"difference of 10\.00 USD"):
        document("vendor_credit", spend.vendor_credit(3000, expense_line_items=lines))


def test_is_net_and_tax_where_its_lines_are_taxed() -> None:
    taxed = spend.selection("TAX_CODE", "T10", field="Tax Code")
    lines = [
        spend.line(1100, "USD", spend.account("6200"), taxed),
        spend.line(1900, "USD", spend.account("6300")),
    ]

    made = document("vendor_credit", spend.vendor_credit(3000, expense_line_items=lines))

    assert str(made.gross) == "30.00"
    assert [(str(line.amount), line.tax_code) for line in made.lines] == [
        ("10.00", "t-10"),
        ("19.00", ""),
    ]
