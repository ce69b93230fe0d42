import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.erp.records import DocKind, Document, Line, Ref

REF = Ref("3f0c", DocKind.BILL_PAYMENT, "b6f5b7a0-6d0e-4c67-9f0e-0f6f4b3f7a11")
DOC = Document(
    ref=REF,
    kind=DocKind.BILL_PAYMENT,
    posting_date=date(2026, 3, 5),
    currency="JPY",
    lines=(
        Line(
            account="17",
            amount=Decimal("1200"),
            memo="三月分",
            dimensions={"1": "4"},
            tax_code="3",
            tax_amount=Decimal("10.50"),
            party="9",
            applies_to=Ref("3f0c", DocKind.BILL, "x"),
            applies_to_id="44",
        ),
        Line(account="18", amount=Decimal("-0.10")),
    ),
    party="9",
    number="F-1",
    due=date(2026, 4, 5),
    bank_account="2",
    exchange_rate=Decimal("0.0067"),
    memo="Payment",
    url="https://example.test/1",
    entity="1",
)

amounts = st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9))


class TestDocumentAsJson:
    def test_comes_back_equal(self) -> None:
        text = json.dumps(DOC.to_json())

        assert Document.from_json(json.loads(text)) == DOC

    def test_leaves_out_nothing_when_all_is_default(self) -> None:
        bare = Document(REF, DocKind.JOURNAL, date(2026, 1, 1), "USD", ())

        assert Document.from_json(bare.to_json()) == bare

    @given(amounts)
    def test_keeps_every_digit(self, amount: Decimal) -> None:
        doc = replace(DOC, lines=(Line("1", amount),))

        again = Document.from_json(json.loads(json.dumps(doc.to_json())))

        assert str(again.lines[0].amount) == str(amount)
        assert again.fingerprint == doc.fingerprint

    def test_refuses_what_it_did_not_write(self) -> None:
        with pytest.raises(KeyError):
            Document.from_json({"ref": REF.to_json()})


class TestFingerprint:
    @pytest.mark.parametrize(
        "changed",
        [
            replace(DOC, posting_date=date(2026, 3, 6)),
            replace(DOC, currency="USD"),
            replace(DOC, number="F-2"),
            replace(DOC, payables_account="21"),
            replace(DOC, lines=DOC.lines[:1]),
            replace(DOC, lines=(replace(DOC.lines[0], account="99"), DOC.lines[1])),
            replace(DOC, lines=(replace(DOC.lines[0], dimensions={}), DOC.lines[1])),
        ],
    )
    def test_changes_with_what_is_booked(self, changed: Document) -> None:
        assert changed.fingerprint != DOC.fingerprint

    def test_stays_when_only_words_change(self) -> None:
        lines = (replace(DOC.lines[0], memo="other"), DOC.lines[1])

        assert replace(DOC, memo="", url="", lines=lines).fingerprint == DOC.fingerprint

    def test_stays_for_ever_so_that_what_is_booked_is_known_again(self) -> None:
        """ERPs keep it with the document; another version of ours must compute the same."""
        written = "0379560179ecb7514895001df9a452d09049c47f1868fa1a34818a8475fb4b79"

        assert DOC.fingerprint == written

    def test_changes_with_the_tax_that_a_line_is_the_base_or_the_amount_of(self) -> None:
        base, tax = (
            replace(DOC, lines=(replace(DOC.lines[0], **of), DOC.lines[1]))
            for of in ({"base_of": ("3", "4")}, {"tax_of": "3"})
        )

        assert len({DOC.fingerprint, base.fingerprint, tax.fingerprint}) == 3
        for doc in (base, tax):
            assert Document.from_json(json.loads(json.dumps(doc.to_json()))) == doc

    def test_of_a_document_frozen_before_it_named_its_payables_account_stays(self) -> None:
        frozen = DOC.to_json()
        del frozen["payables_account"]

        assert Document.from_json(frozen) == DOC


class TestTotal:
    def test_is_the_sum_of_the_lines(self) -> None:
        assert DOC.total == Decimal("1199.90")

    def test_gross_is_with_the_taxes_of_the_lines(self) -> None:
        assert DOC.gross == Decimal("1210.40")

    def test_of_no_lines_is_zero(self) -> None:
        assert replace(DOC, lines=()).total == 0


class TestRef:
    def test_is_whole_where_there_is_room(self) -> None:
        assert REF.short(200) == REF.full
        assert REF.full == "ramp-3f0c-bill_payment-b6f5b7a0-6d0e-4c67-9f0e-0f6f4b3f7a11"

    def test_is_a_digest_where_there_is_none(self) -> None:
        short = REF.short(16)

        assert len(short) == 16
        assert short == REF.short(16)
        assert short != replace(REF, ramp_id="other-" + REF.ramp_id).short(16)

    def test_survives_json(self) -> None:
        assert Ref.from_json(REF.to_json()) == REF
