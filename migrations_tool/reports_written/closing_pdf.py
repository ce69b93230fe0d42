"""The closing report as a PDF. Names in any script are printed; nothing depends on fonts here."""

import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from migrations_tool.reports_written.closing_tables import sections, summary

_CJK = "HeiseiKakuGo-W5"
_WIDTH = A4[0] - 36 * mm
_BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=8.5, leading=11)
_NUMBER = ParagraphStyle("number", parent=_BODY, alignment=TA_RIGHT)
_HEAD = ParagraphStyle("head", parent=_BODY, fontName="Helvetica-Bold", textColor=colors.grey)
_NUMBER_HEAD = ParagraphStyle("number head", parent=_HEAD, alignment=TA_RIGHT)
_SECTION = ParagraphStyle("section", parent=_BODY, fontName="Helvetica-Bold", fontSize=12,
                          leading=15, spaceBefore=12, spaceAfter=4)  # fmt: skip
_TITLE = ParagraphStyle("title", parent=_SECTION, fontSize=17, leading=21, spaceAfter=6)
_GRID = TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, -1), 0.25, colors.lightgrey),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("RIGHTPADDING", (0, 0), (-1, -1), 5),
    ]
)


def pdf_of(facts: Mapping[str, Any], *, digest: str, made_by: str, made_at: str) -> bytes:
    """The report's bytes. The same facts make the same pages."""
    if _CJK not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(UnicodeCIDFont(_CJK))
    out = io.BytesIO()
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=18 * mm,
        rightMargin=18 * mm,
        topMargin=16 * mm,
        bottomMargin=18 * mm,
        title=f"Closing report: {facts['customer']}",
        author="rampbridge",
        invariant=1,
    )

    def foot(canvas: Any, page: Any) -> None:
        canvas.setFont("Helvetica", 7)
        canvas.drawString(18 * mm, 9 * mm, f"SHA-256 of the facts: {digest}")
        canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, str(page.page))

    document.build(list(_story(facts, made_by, made_at)), onFirstPage=foot, onLaterPages=foot)
    return out.getvalue()


def _story(facts: Mapping[str, Any], made_by: str, made_at: str) -> Iterable[Flowable]:
    yield Paragraph(_text(f"Closing report: {facts['customer']}"), _TITLE)
    yield _table((20, 80), [*summary(facts), ("Written", f"{made_at}, by {made_by}")])
    for one in sections(facts):
        yield Paragraph(_text(one.title), _SECTION)
        if one.lines:
            yield _table(one.widths, one.lines, one.head, one.numbers)
        else:
            yield Paragraph("None.", _BODY)
    yield Spacer(1, 6)


def _table(
    widths: Sequence[int],
    lines: Sequence[Sequence[object]],
    head: Sequence[str] = (),
    numbers: Collection[str] = (),
) -> Table:
    to_the_right = [name in numbers for name in head] or [False] * len(widths)
    cells = [
        [
            Paragraph(_text(one), _NUMBER if is_number else _BODY)
            for one, is_number in zip(line, to_the_right, strict=True)
        ]
        for line in lines
    ]
    if head:
        heads = [Paragraph(_text(one), _NUMBER_HEAD if one in numbers else _HEAD) for one in head]
        cells.insert(0, heads)
    shares = [_WIDTH * width / sum(widths) for width in widths]
    return Table(cells, colWidths=shares, repeatRows=1 if head else 0, style=_GRID)


def _text(value: object) -> str:
    """Markup in which what Helvetica has no sign for is set in a font that has."""
    parts: list[str] = []
    for is_cjk, run in _runs(str(value)):
        parts.append(f'<font name="{_CJK}">{escape(run)}</font>' if is_cjk else escape(run))
    return "".join(parts)


def _runs(text: str) -> Iterable[tuple[bool, str]]:
    """Pieces of text, each of one font."""
    piece, kind = "", False
    for sign in text:
        is_cjk = not _is_latin(sign)
        if piece and is_cjk != kind:
            yield kind, piece
            piece = ""
        piece, kind = piece + sign, is_cjk
    if piece:
        yield kind, piece


def _is_latin(sign: str) -> bool:
    try:
        sign.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
