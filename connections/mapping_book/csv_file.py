"""Mappings as a CSV file, for spreadsheets. Pure: what the cells mean is `importing`'s to say."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

MOST_BYTES = 1_000_000
MOST_ROWS = 5_000

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_REWRITTEN = re.compile(r"\d([.,]\d+)?E\+\d+", re.IGNORECASE)


class BadFile(Exception):
    """Nothing of the file can be read. The message is fit to show."""


@dataclass(frozen=True, slots=True)
class Row:
    """One mapping, as the columns of the file are called and ordered."""

    kind: str = ""
    entity: str = ""
    field: str = ""
    ramp_id: str = ""
    ramp_name: str = ""
    erp_id: str = ""
    erp_code: str = ""
    erp_name: str = ""
    reason: str = ""

    @property
    def rewritten(self) -> str:
        """The column of an id that a spreadsheet has turned into a number, such as 1.2E+15."""
        for column in ("ramp_id", "erp_id", "erp_code"):
            if _REWRITTEN.fullmatch(getattr(self, column)):
                return column
        return ""


COLUMNS = tuple(one.name for one in fields(Row))
_NEEDED = ("kind", "ramp_id")


def written(rows: Iterable[Row]) -> str:
    """The file, with a byte order mark so that Excel reads it as UTF-8.

    No cell can become a formula: one that begins like it gets an apostrophe, which `read` takes
    off again.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_safe(cell) for cell in astuple(row)])
    return "\ufeff" + text.getvalue()


def read(data: bytes) -> list[tuple[int, Row]]:
    """The rows of a file with the number of the line each stands in; blank ones are left out.

    Commas, semicolons or tabs; UTF-8, Excel's UTF-16 or Western European; columns in any order.

    :raises BadFile: if it is too large, empty, or its columns are not there
    """
    if len(data) > MOST_BYTES:
        raise BadFile(f"The file is larger than {MOST_BYTES // 1000:,} kB. Split it.")
    text = _decoded(data)
    first, _, rest = text.partition("\n")
    stated = first.strip().strip('"').casefold()
    if stated.startswith("sep=") and len(stated) <= len("sep=;"):  # Excel's own first line
        text = rest
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        names = [_column(cell) for cell in next(lines, [])]
        _check_columns(names)
        found = [
            (lines.line_num, _row(names, cells)) for cells in lines if any(map(str.strip, cells))
        ]
    except csv.Error as error:
        raise BadFile(f"This is no CSV file: {error}.") from error
    if len(found) > MOST_ROWS:
        raise BadFile(f"The file has more than {MOST_ROWS:,} rows. Split it.")
    if not found:
        raise BadFile("The file has a heading and no rows.")
    return found


def _safe(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) or cell.startswith("'") else cell


def _plain(cell: str) -> str:
    cell = cell.replace("\0", "").strip()
    return cell[1:] if cell.startswith("'") else cell


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace")


def _column(cell: str) -> str:
    return "_".join(cell.strip().casefold().replace("-", " ").replace("_", " ").split())


def _check_columns(names: Sequence[str]) -> None:
    missing = [name for name in _NEEDED if name not in names]
    if not {"erp_id", "erp_code"} & set(names):
        missing.append("erp_id")
    if missing:
        raise BadFile(
            f"The first line names no column {' and no '.join(missing)}. It must have"
            f" {', '.join(_NEEDED)}, and erp_id or erp_code. Download the mappings to see a file"
            " as it should be."
        )


def _row(names: Sequence[str], cells: Sequence[str]) -> Row:
    found = {name: _plain(cell) for name, cell in zip(names, cells, strict=False)}
    return Row(**{name: found.get(name, "") for name in COLUMNS})
