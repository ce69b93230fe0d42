"""The records of one of Ramp's pages as they came, letter by letter."""

import json
from json.decoder import scanstring  # type: ignore[attr-defined]

from connections.ramp.errors import SchemaSurprise

_DECODER = json.JSONDecoder()
_SPACES = " \t\n\r"


def record_texts(body: str) -> list[str]:
    """One line of JSON for each record under `data`, its figures and words as Ramp wrote them.

    :raises SchemaSurprise: if the body is no page
    """
    try:
        return _records(body)
    except (ValueError, IndexError, RecursionError) as error:
        raise SchemaSurprise(
            "The answer is not a page: its records cannot be told apart."
        ) from error


def _records(body: str) -> list[str]:
    """Walks the outermost object and leaves the inside of each value to the parser."""
    at = _after(body, 0, "{")
    while body[at] != "}":
        name, at = scanstring(body, at + 1)
        at = _after(body, at, ":")
        if name == "data":
            return _members(body, at)
        _, at = _DECODER.raw_decode(body, at)
        at = _next(body, at)
    return []


def _members(body: str, at: int) -> list[str]:
    at = _after(body, at, "[")
    found = []
    while body[at] != "]":
        _, end = _DECODER.raw_decode(body, at)
        found.append(body[at:end].replace("\r", " ").replace("\n", " "))  # between tokens only
        at = _next(body, end)
    return found


def _after(body: str, at: int, sign: str) -> int:
    at = _skip(body, at)
    if body[at] != sign:
        raise ValueError(sign)
    return _skip(body, at + 1)


def _next(body: str, at: int) -> int:
    """Where the next member starts, or the closing bracket stands."""
    at = _skip(body, at)
    return _skip(body, at + 1) if body[at] == "," else at


def _skip(body: str, at: int) -> int:
    while body[at] in _SPACES:
        at += 1
    return at
