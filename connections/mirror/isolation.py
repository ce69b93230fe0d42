"""Find the records for which Ramp refuses a whole batch (R-22, fault M3).

Ramp takes a batch whole or not at all. Where its refusal names the culprits they are set aside and
the rest is sent again; where it names nobody the batch is halved: 18 calls more for one bad record
in 500. Either way the good ones do not wait.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from connections.ramp.errors import InvalidRequest

_BETWEEN_WORDS = re.compile(r"[\s,;:\"'()\[\]{}<>]+")
_END_OF_SENTENCE = ".!?"


@dataclass(frozen=True, slots=True)
class Refused:
    """One record that Ramp does not take."""

    row: Any
    message: str
    field: str = ""
    trace_id: str = ""
    is_certain: bool = True
    """False: its id merely stands in the words of a refusal."""


@dataclass
class Search:
    """One batch on its way. `send` raises `InvalidRequest` if Ramp takes nothing of what it got."""

    send: Callable[[Sequence[Any]], None]
    trusts_names: bool = True
    refused: list[Refused] = field(default_factory=list)

    def run(self, rows: Sequence[Any]) -> list[Refused]:
        """Send all rows but those that Ramp does not take, which are returned.

        Rows go out in their order, so what was not sent yet is always at the end.

        :raises RampError: if Ramp is silent or refuses for another reason than the rows
        """
        self._search(rows, is_spoilt=False)
        return self.refused

    def _search(self, rows: Sequence[Any], *, is_spoilt: bool) -> bool:
        """Whether some of the rows were refused.

        :param is_spoilt: some must be, for all that was sent beside them was taken
        """
        if is_spoilt and len(rows) > 1:
            return self._halve(rows)
        found = False
        while rows:
            try:
                self.send(rows)
            except InvalidRequest as error:
                found = True
                culprits = self._culprits(error, rows)
                if not culprits:
                    return self._halve(rows)
                self.refused += culprits
                blamed = {culprit.row.erp_id for culprit in culprits}
                rows = [row for row in rows if row.erp_id not in blamed]
            else:
                break
        return found

    def _culprits(self, error: InvalidRequest, rows: Sequence[Any]) -> list[Refused]:
        if len(rows) == 1:
            named = blamed(error, [rows[0].erp_id])
            about = named[0].field if named else ""
            message = (named[0].message if named else "") or error.message
            return [Refused(rows[0], message, about, error.trace_id)]
        if not self.trusts_names:
            return []
        by_id = {row.erp_id: row for row in rows}
        return [
            Refused(by_id[one.erp_id], one.message, one.field, error.trace_id, one.is_certain)
            for one in blamed(error, list(by_id))
        ]

    def _halve(self, rows: Sequence[Any]) -> bool:
        middle = len(rows) // 2
        is_left_bad = self._search(rows[:middle], is_spoilt=False)
        self._search(rows[middle:], is_spoilt=not is_left_bad)
        return True


@dataclass(frozen=True, slots=True)
class Blamed:
    """A record that a refusal names."""

    erp_id: str
    field: str
    message: str
    is_certain: bool = True


def blamed(error: InvalidRequest, erp_ids: Sequence[str]) -> list[Blamed]:
    """Whom a refusal names, each once: by their place in the list that was sent, by their ids among
    its facts, or else by their ids in its words.
    """
    found: dict[str, Blamed] = {}
    known = set(erp_ids)
    for path, text in _leaves(error.fields, ()):
        place = _place(path, len(erp_ids))
        if place is not None:
            index, about = place
            found.setdefault(erp_ids[index], Blamed(erp_ids[index], about, text))
        elif text in known:
            found.setdefault(text, Blamed(text, path[-1] if path else "", error.message))
    if not found:
        for word in _BETWEEN_WORDS.split(error.message):
            erp_id = word if word in known else word.rstrip(_END_OF_SENTENCE)
            if erp_id in known:
                found.setdefault(erp_id, Blamed(erp_id, "", error.message, is_certain=False))
    return list(found.values())


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in nested facts, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            is_record = isinstance(inner, dict | list)
            yield from _leaves(inner, (*path, str(index)) if is_record else path)
    elif value is not None:
        yield path, str(value)


def _place(path: tuple[str, ...], size: int) -> tuple[int, str] | None:
    """Which of the records sent a path leads to, and which of its fields: gl_accounts, 3, name."""
    for depth, key in enumerate(path):
        if key.isdecimal() and int(key) < size:
            about = [step for step in path[depth + 1 :] if not step.isdecimal()]
            return int(key), about[-1] if about else ""
    return None
