"""CSV files that are written while they are sent, however long, and that no spreadsheet runs."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.http import StreamingHttpResponse

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_ROWS_AT_ONCE = 500


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def safe_cell(value: object) -> object:
    """A cell that no spreadsheet takes for a formula. Figures and times stay what they are.

    Text that begins like a formula gets an apostrophe in front.
    """
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case int() | Decimal():
            return value
        case datetime() | date():
            return value.isoformat()
        case _:
            text = str(value)
            return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def lines(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """The file in pieces, with a byte order mark so that Excel reads it as UTF-8."""
    writer = csv.writer(_Echo(), lineterminator="\r\n")
    waiting = ["\ufeff", writer.writerow(columns)]
    for row in rows:
        waiting.append(writer.writerow([safe_cell(cell) for cell in row]))
        if len(waiting) >= _ROWS_AT_ONCE:
            yield "".join(waiting).encode()
            waiting = []
    yield "".join(waiting).encode()


def csv_response(
    name: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> StreamingHttpResponse:
    """A download of rows that are read while they are sent. `name` is without its ending."""
    return StreamingHttpResponse(
        lines(columns, rows),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
