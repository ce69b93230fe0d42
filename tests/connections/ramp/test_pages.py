import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.ramp.errors import ForeignAddress, SchemaSurprise
from connections.ramp.pages import Page, TransactionPage, cursor_of
from connections.ramp.schemas import Transaction

RAMP = "https://api.ramp.com"
ID = "9f8b2c1e-1111-4a4a-8b8b-000000000001"
GOOD = {"id": ID, "amount": 90.0, "currency_code": "USD"}


def page(document: object) -> Page[Transaction]:
    return Page.read(json.dumps(document).encode(), Transaction, base_url=RAMP)


class TestRead:
    def test_one_malformed_object_costs_nobody_else(self) -> None:
        broken = GOOD | {"amount": "much"}

        read = page({"data": [GOOD, broken, GOOD], "page": {"next": None}})

        assert len(read.items) == 2
        assert [(one.id, one.raw["amount"]) for one in read.malformed] == [(ID, "much")]
        assert read.malformed[0].reason.startswith("amount:")

    @pytest.mark.parametrize("row", [None, 1, "x", [], {}, {"id": 7}])
    def test_what_is_no_object_at_all_has_no_id(self, row: object) -> None:
        assert page({"data": [row]}).malformed[0].id == ""

    @pytest.mark.parametrize("ending", [{}, {"page": None}, {"page": {}}, {"page": {"next": None}}])
    def test_every_way_of_ending_is_understood(self, ending: dict[str, Any]) -> None:
        assert page({"data": [], **ending}).next_cursor is None

    @pytest.mark.parametrize("document", [[], {}, {"data": None}, {"data": {}}, "x", None])
    def test_what_is_no_page_is_a_surprise(self, document: object) -> None:
        with pytest.raises(SchemaSurprise, match="not a page"):
            page(document)

    def test_keeps_the_body_as_it_came(self) -> None:
        raw = json.dumps({"data": [GOOD]}, indent=3).encode()

        read = TransactionPage.read(raw, Transaction, base_url=RAMP)

        assert read.raw == raw
        assert read.transactions[0].memo == ""


class TestStorable:
    @given(st.text() | st.text(alphabet="\\u0d8cf\x00\ud800\udc00\ud83d\ude00"))
    def test_holds_nothing_that_jsonb_refuses_and_changes_nothing_else(self, memo: str) -> None:
        raw = json.dumps({"data": [{"memo": memo}]}).encode()

        stored = json.loads(Page(raw, (), (), None).storable)["data"][0]["memo"]

        joined = json.loads(json.dumps(memo))  # two halves side by side are one character
        assert stored == "".join(
            "\ufffd" if char == "\x00" or "\ud800" <= char <= "\udfff" else char for char in joined
        )


class TestCursor:
    @pytest.mark.parametrize(
        "following",
        [
            f"{RAMP}/developer/v1/transactions?sync_status=SYNC_READY&start={ID}&page_size=100",
            f"https://API.ramp.com:443/anything?start={ID}",
            ID,
        ],
    )
    def test_is_taken_out_of_whatever_carries_it(self, following: str) -> None:
        assert cursor_of(following, base_url=RAMP) == ID

    @pytest.mark.parametrize(
        "following",
        [
            f"http://api.ramp.com/?start={ID}",
            f"https://api.ramp.com:8443/?start={ID}",
            f"https://evil.example/?start={ID}",
            f"https://api.ramp.com@evil.example/?start={ID}",
            f"https://user:secret@api.ramp.com/?start={ID}",
            f"https://api.ramp.com.evil.example/?start={ID}",
            f"//evil.example/?start={ID}",
            f"https://api.ramp.com./?start={ID}",
            f"https://api.ramp.com\\@evil.example/?start={ID}",
            f"file:///etc/passwd?start={ID}",
            f"javascript:alert(1)?start={ID}",
            f"/developer/v1/transactions?start={ID}",
            "https://[::1/?start=x",
            "https://api.ramp.com:port/?start=x",
            "",
        ],
    )
    def test_is_not_taken_from_another_host(self, following: str) -> None:
        with pytest.raises(ForeignAddress):
            cursor_of(following, base_url=RAMP)

    @pytest.mark.parametrize(
        "following", [f"{RAMP}/x", f"{RAMP}/x?start=", f"{RAMP}/x?start=a&start=b", 5, {}, True]
    )
    def test_must_be_there_once(self, following: object) -> None:
        with pytest.raises(SchemaSurprise, match=r"page\.next"):
            cursor_of(following, base_url=RAMP)

    @given(st.text())
    def test_no_text_does_worse_than_an_error(self, following: str) -> None:
        try:
            cursor = cursor_of(following, base_url=RAMP)
        except SchemaSurprise:
            return
        assert cursor
