"""Small real documents to download: a PDF of a few lines, a PNG that looks like a till slip."""

import struct
import zlib
from collections.abc import Sequence

PDF, PNG = "application/pdf", "image/png"
_WIDTH, _HEIGHT, _ROW = 120, 180, 12


def pdf(lines: Sequence[str]) -> bytes:
    """One page; letters beyond Latin-1 become question marks."""
    shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
    text = f"BT /F1 14 Tf 20 TL 40 780 Td {shown}ET".encode("latin-1", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 5 0 R"
        b" /Resources << /Font << /F1 4 0 R >> >> >>",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(text), text),
    )
    document, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        places.append(len(document))
        document += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    trailer = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return document + head + table + trailer % (len(objects) + 1, len(document))


def png(lines: Sequence[str]) -> bytes:
    """White paper with a grey bar for each line, as long as the line is."""
    bars = {
        row: min(_WIDTH - 2 * _ROW, 3 * len(line))
        for number, line in enumerate(lines, start=1)
        for row in range(number * _ROW, number * _ROW + _ROW // 2)
    }
    pixels = b"".join(b"\0" + _pixel_row(bars.get(row, 0)) for row in range(_HEIGHT))
    header = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(pixels)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _escaped(line: str) -> str:
    return line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")


def _pixel_row(bar: int) -> bytes:
    return b"\xff" * _ROW + b"\x60" * bar + b"\xff" * (_WIDTH - _ROW - bar)


def _chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)
