"""Mappings travel through spreadsheets and come back as they were, with an answer per row."""

import pytest

from connections.mapping_book.csv_file import MOST_BYTES, MOST_ROWS, BadFile, Row, read, written

PLAIN = "kind,ramp_id,erp_id\ngl_account,old,61\n"


def rows(text: str, encoding: str = "utf-8") -> list[Row]:
    return [row for _, row in read(text.encode(encoding))]


class TestThereAndBack:
    @pytest.mark.parametrize(
        "name", ["Café, “Süd”; 株式会社", "=HYPERLINK(1)", "-5", "@x", "'q", "+1"]
    )
    def test_whatever_a_name_contains(self, name: str) -> None:
        row = Row("vendor", "", "", "v-1", name, "7", "C", name, "because")

        assert rows(written([row])) == [row]

    @pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
    def test_no_cell_becomes_a_formula(self, cell: str) -> None:
        line = written([Row(kind="vendor", ramp_name=cell)]).splitlines()[1]

        assert f"'{cell}" in line

    def test_excel_sees_that_it_is_utf_8(self) -> None:
        assert written([]).startswith("\ufeffkind,")


class TestQuirks:
    @pytest.mark.parametrize(
        "text",
        [
            PLAIN,
            "\ufeff" + PLAIN,
            PLAIN.replace(",", ";"),
            PLAIN.replace(",", "\t"),
            "sep=;\r\n" + PLAIN.replace(",", ";"),
            PLAIN.replace("\n", "\r\n") + "\r\n,,\r\n",
            "ERP ID,Kind,Ramp-Id\n61,gl_account,old\n",
            '"kind","ramp_id","erp_id"\n"gl_account","old","61"',
        ],
    )
    def test_of_spreadsheets_are_understood(self, text: str) -> None:
        assert rows(text) == [Row(kind="gl_account", ramp_id="old", erp_id="61")]

    @pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
    def test_of_their_encodings_too(self, encoding: str) -> None:
        text = "kind;ramp_id;erp_id;ramp_name\nvendor;v;7;Café\n"

        assert rows(text, encoding)[0].ramp_name == "Café"

    def test_rows_keep_the_number_of_their_line(self) -> None:
        found = read(f"{PLAIN}\n\nvendor,v,7\n".encode())

        assert [number for number, _ in found] == [2, 5]

    def test_an_id_that_became_a_number_is_noticed(self) -> None:
        assert Row(ramp_id="1.2E+15").rewritten == "ramp_id"
        assert Row(ramp_id="1E5", erp_id="12").rewritten == ""


class TestRefusedFiles:
    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("", "names no column kind and no ramp_id and no erp_id"),
            ("a,b\n1,2\n", "names no column kind"),
            ("kind,ramp_id,erp_id\n", "a heading and no rows"),
            (PLAIN * (MOST_ROWS + 1), "more than 5,000 rows"),
            ("x" * (MOST_BYTES + 1), "larger than 1,000 kB"),
        ],
    )
    def test_say_what_is_wrong(self, text: str, words: str) -> None:
        with pytest.raises(BadFile, match=words):
            rows(text)
