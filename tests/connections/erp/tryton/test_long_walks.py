"""How far a walk through Tryton's records has read for certain."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from connections.erp.adapters.tryton import reference_data
from connections.erp.adapters.tryton.models import Records
from connections.erp.records import MasterKind

MORNING = datetime(2026, 11, 20, 9)  # noqa: DTZ001  Tryton's moments have no zone


class SlowTryton:
    """Every page takes five minutes; each of its records was written while it was asked for."""

    def __init__(self, pages: int) -> None:
        self.pages = pages
        self.asked = 0
        self.domains: list[Sequence[Any]] = []
        self.catalogue = SimpleNamespace(
            company=lambda: SimpleNamespace(id=1, dimensions={"1": "Department"})
        )
        self.rpc = self

    @property
    def seconds(self) -> float:
        return 300.0 * self.asked

    def read(
        self, _model: str, domain: Sequence[Any], *_: Any, **__: Any
    ) -> list[Mapping[str, Any]]:
        self.domains.append(domain)
        written = MORNING + timedelta(seconds=self.seconds)
        self.asked += 1
        size = reference_data.PAGE_SIZE if self.asked < self.pages else 1
        first = reference_data.PAGE_SIZE * self.asked
        return [
            {"id": first + n, "name": "One", "code": "", "active": True}
            | {"create_date": MORNING, "write_date": written}
            for n in range(size)
        ]


def walked(pages: int, monkeypatch: pytest.MonkeyPatch, cursor: str | None = None) -> Iterator[str]:
    tryton: Any = SlowTryton(pages)
    clock = SimpleNamespace(monotonic=lambda: tryton.seconds)
    monkeypatch.setattr(reference_data, "time", clock)
    records: Records = tryton
    for page in reference_data.changes(records, MasterKind.DIMENSION, cursor):
        yield page.cursor


def test_what_changes_on_the_first_page_of_a_long_walk_is_read_the_next_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    *_, cursor = walked(4, monkeypatch)

    assert datetime.fromisoformat(cursor) == MORNING


def test_a_walk_of_one_page_has_read_up_to_its_newest_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    *_, cursor = walked(1, monkeypatch)

    assert datetime.fromisoformat(cursor) == MORNING


def test_a_cursor_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    before = (MORNING + timedelta(minutes=2)).isoformat()

    *_, cursor = walked(4, monkeypatch, before)

    assert cursor == before
