"""Enough of PromQL to see which figures an expression speaks of, and whether it is whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<text>"(?:[^"\\]|\\.)*")
  | (?P<span>\[\d+[smhdw](?::\d*[smhdw]?)?\])
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_:][A-Za-z0-9_:]*)
  | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^<>=(){},])
  | (?P<space>\s+)
    """,
    re.VERBOSE,
)
_WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "bool", "offset"}
_LISTS = {"by", "without", "on", "ignoring"}
_CLOSING = {"(": ")", "{": "}"}


class NotPromQL(Exception):
    """The expression cannot be read. The message says from where on."""


@dataclass(frozen=True, slots=True)
class Use:
    """One figure in an expression, with the labels that it is chosen by."""

    name: str
    labels: frozenset[str]


def tokens(expression: str) -> list[tuple[str, str]]:
    """Kind and text of each token.

    :raises NotPromQL: at the first thing that is none, and where brackets do not match
    """
    found, at, opened = [], 0, []
    while at < len(expression):
        match = _TOKEN.match(expression, at)
        if match is None:
            raise NotPromQL(expression[at:])
        at = match.end()
        kind, text = str(match.lastgroup), match.group()
        if text in _CLOSING:
            opened.append(_CLOSING[text])
        elif text in _CLOSING.values() and (not opened or opened.pop() != text):
            raise NotPromQL(expression[match.start() :])
        if kind != "space":
            found.append((kind, text))
    if opened:
        raise NotPromQL(f"{expression} lacks {opened[-1]}")
    return found


def uses(expression: str) -> Iterator[Use]:
    """The figures that it speaks of."""
    found = tokens(expression)
    for place, (kind, text) in enumerate(found):
        following = found[place + 1][1] if place + 1 < len(found) else ""
        is_figure = kind == "name" and text not in _WORDS and following not in {"(", *_LISTS}
        if is_figure and not _is_label(found, place):
            yield Use(text, frozenset(_labels(found, place + 1)))


def grouped_by(expression: str) -> set[str]:
    """The labels that stand in `by (...)` and the like."""
    found = tokens(expression)
    return {
        text
        for place, (kind, text) in enumerate(found)
        if kind == "name" and _opening(found, place) in _LISTS
    }


def _is_label(found: list[tuple[str, str]], place: int) -> bool:
    return _opening(found, place) in {*_LISTS, "{"}


def _opening(found: list[tuple[str, str]], place: int) -> str:
    """What the bracket around a place belongs to: its word, a brace, or nothing."""
    depth = 0
    for back in range(place - 1, -1, -1):
        text = found[back][1]
        if text in ")}":
            depth += 1
        elif text in "({":
            if depth == 0:
                return text if text == "{" else found[back - 1][1] if back else ""
            depth -= 1
    return ""


def _labels(found: list[tuple[str, str]], place: int) -> Iterator[str]:
    if place >= len(found) or found[place][1] != "{":
        return
    for kind, text in found[place + 1 :]:
        if text == "}":
            return
        if kind == "name":
            yield text
