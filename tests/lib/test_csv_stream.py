"""Files that are written while they are sent, and that no spreadsheet runs."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from rampbridge.lib.csv_stream import csv_response, lines, safe_cell


def read(pieces: list[bytes]) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(pieces).decode("utf-8-sig"), newline="")))


class TestCells:
    @pytest.mark.parametrize("text", ["=1+1", "+49", "-cmd", "@x", "\tx", "\rx", " =1", "\n=1"])
    def test_text_that_begins_like_a_formula_gets_an_apostrophe(self, text: str) -> None:
        assert safe_cell(text) == f"'{text}"

    def test_amounts_stay_exact_and_negative(self) -> None:
        assert read(list(lines(["a"], [[Decimal("-1234567890123.10")]])))[1] == [
            "-1234567890123.10"
        ]

    def test_times_say_their_zone_and_nothing_is_empty(self) -> None:
        row = [datetime(2026, 5, 1, 9, tzinfo=UTC), date(2026, 5, 1), None, True]

        assert read(list(lines(["a"], [row])))[1] == [
            "2026-05-01T09:00:00+00:00",
            "2026-05-01",
            "",
            "yes",
        ]


class TestFile:
    def test_excel_reads_it_as_utf8_and_quotes_hold(self) -> None:
        pieces = list(lines(["name"], [['Sakura 株式会社, "Tokyo"\nHQ']]))

        assert pieces[0].startswith(b"\xef\xbb\xbf")
        assert read(pieces) == [["name"], ['Sakura 株式会社, "Tokyo"\nHQ']]

    def test_is_sent_in_pieces_while_rows_are_read(self) -> None:
        read_so_far = 0

        def rows() -> Iterator[list[int]]:
            nonlocal read_so_far
            for n in range(2_000):
                read_so_far = n
                yield [n]

        pieces = iter(lines(["n"], rows()))
        next(pieces)

        assert read_so_far < 600
        assert len(b"".join(pieces).splitlines()) > 1_400

    def test_is_a_download_under_its_name(self) -> None:
        response = csv_response("items", ["a"], [])

        assert response["Content-Disposition"] == 'attachment; filename="items.csv"'
        assert response.getvalue().decode("utf-8-sig") == "a\r\n"
