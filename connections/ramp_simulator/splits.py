"""The lines of what was spent: one, or a split over several accounts."""

from collections.abc import Sequence

from connections.ramp_simulator.records import Coded, Line

Part = tuple[int, str | None]


def split(parts: Sequence[Part], currency: str, original: tuple[int, str] | None) -> list[Line]:
    """Lines of minor units and account codes.

    Those of something foreign are in the merchant's currency and converted, as seen live.
    """
    if original is None:
        return [line(minor, currency, code) for minor, code in parts]
    foreign_minor, foreign_currency = original
    foreign = _shares(foreign_minor, [minor for minor, _ in parts])
    return [
        Line(minor=share, currency=foreign_currency, converted_minor=minor, account_code=code)
        for share, (minor, code) in zip(foreign, parts, strict=True)
    ]


def line(minor: int, currency: str, code: str | None) -> Line:
    return Line(minor=minor, currency=currency, converted_minor=minor, account_code=code)


def adds_up(row: Coded) -> bool:
    """Whether the lines make the whole, in the currency of the whole."""
    return sum(_converted(line) for line in row.lines) == row.minor


def _converted(line: Line) -> int:
    return line.minor if line.converted_minor is None else line.converted_minor


def _shares(total: int, weights: Sequence[int]) -> list[int]:
    """`total` in the proportion of `weights`; the last takes what rounding leaves."""
    shares = [round(total * weight / sum(weights)) for weight in weights[:-1]]
    return [*shares, total - sum(shares)]
