"""Keyset pages: `start` is the last row of the page before, `page.next` an absolute address."""

import heapq
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlencode

from connections.ramp_simulator.calls import Call
from connections.ramp_simulator.records import Record
from connections.ramp_simulator.replies import Reply, invalid

R = TypeVar("R", bound=Record)

DEFAULT_SIZE = 20
SMALLEST_SIZE, LARGEST_SIZE = 2, 100


def by_rank(row: Record) -> Any:
    return row.seq


def page(
    call: Call,
    rows: Iterable[R],
    *,
    find: Callable[[str], R | None],
    render: Callable[[R], dict[str, Any]],
    key: Callable[[R], Any] = by_rank,
) -> Reply:
    """One page of `rows` in the order of `key`.

    `find` looks the row `start` names up. It need not be among `rows` any more: an item that was
    synced between two pages still tells where the next page begins.
    """
    size = _page_size(call)
    if start := call.query.get("start"):
        last = find(start)
        if last is None:
            raise invalid({"start": ["Not a row of this list."]})
        after = key(last)
        rows = (row for row in rows if key(row) > after)
    return _answer(call, heapq.nsmallest(size + 1, rows, key=key), size, render)


def page_in_order(
    call: Call,
    rows_after: Callable[[int], Iterable[R]],
    *,
    find: Callable[[str], R | None],
    render: Callable[[R], dict[str, Any]],
) -> Reply:
    """One page of a list that is kept in order, of which `rows_after` a rank are looked at."""
    size = _page_size(call)
    after = 0
    if start := call.query.get("start"):
        last = find(start)
        if last is None:
            raise invalid({"start": ["Not a row of this list."]})
        after = last.seq
    return _answer(call, list(islice(rows_after(after), size + 1)), size, render)


def _answer(
    call: Call, picked: Sequence[R], size: int, render: Callable[[R], dict[str, Any]]
) -> Reply:
    """A page of the picked rows, of which one too many tells that there is another."""
    shown = picked[:size]
    following = None
    if len(picked) > size:
        query = urlencode(call.query | {"start": shown[-1].id})
        following = f"{call.base_url}{call.path}?{query}"
    return Reply(payload={"data": [render(row) for row in shown], "page": {"next": following}})


def _page_size(call: Call) -> int:
    value = call.query.get("page_size", str(DEFAULT_SIZE))
    if not value.isdecimal():
        raise invalid({"page_size": ["Not a valid integer."]})
    if not SMALLEST_SIZE <= int(value) <= LARGEST_SIZE:
        raise invalid({"page_size": [f"Value must be between {SMALLEST_SIZE} and {LARGEST_SIZE}"]})
    return int(value)
