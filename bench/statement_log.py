"""SQL statements as the program sends them, savepoints too; begin and commit are not among them."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection as database

_LENGTH = 90
_BY_THE_CLOCK = (
    "INSERT INTO connections_ratebucket",
    "INSERT INTO syncing_workerbeat",
    "INSERT INTO rampbridge_process",
    "WITH counted AS ( SELECT name, labels::jsonb",
)
"""Sent again once so much time has gone by, however little was done meanwhile: tokens of the rate
limiter that expired unused, signs of life, and the figures that a process has counted."""


class StatementLog:
    """Counts statements by what they begin with, while it watches."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    @contextmanager
    def watching(self) -> Iterator[None]:
        with database.execute_wrapper(self._note):
            yield

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def by_the_clock(self) -> int:
        """How many of them a slower machine sends more of."""
        return sum(number for gist, number in self.counts.items() if gist.startswith(_BY_THE_CLOCK))

    def most(self, number: int) -> dict[str, int]:
        return dict(self.counts.most_common(number))

    def _note(
        self,
        execute: Callable[..., Any],
        sql: Any,
        params: Any,
        many: bool,  # noqa: FBT001
        context: Any,
    ) -> Any:
        self.counts[_gist(sql if isinstance(sql, str) else sql.as_string())] += 1
        return execute(sql, params, many, context)


def _gist(sql: str) -> str:
    """Enough to tell which statement it is: without the long list of columns."""
    text = re.sub(r"\s+", " ", sql).strip()
    text = re.sub(r'^SELECT (?=").*? FROM', "SELECT … FROM", text)
    text = re.sub(r'"s\d+_x\d+"|"s\d{6,}_x\d+"', '"…"', text)
    return text[:_LENGTH]
