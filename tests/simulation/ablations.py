"""What each safeguard is for: the engine without one of them, for the harness to find out.

A harness that finds nothing proves nothing until it has been seen to find something.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence

from connections.erp.records import Document, Posted
from syncing import claims, results


def apply(name: str) -> None:
    """Take a safeguard away from this process; an empty name takes none."""
    if name:
        ABLATIONS[name]()


NOTHING: results.Took = {}


def _without_intent() -> None:
    """Claim nothing durably before the ERP is asked: the row stays READY meanwhile."""
    begin, record = claims.begin_posting, results.record_posted
    meant: dict[uuid.UUID, tuple[Sequence[tuple[int, Document]], float]] = {}

    def forget(token: uuid.UUID, documents: Sequence[tuple[int, Document]], settle: float) -> None:
        meant[token] = (documents, settle)

    def record_late(
        token: uuid.UUID, posted: Sequence[tuple[int, Posted]], took: results.Took = NOTHING
    ) -> int:
        if token in meant:
            begin(token, *meant.pop(token))
        return record(token, posted, took)

    claims.begin_posting, results.record_posted = forget, record_late


def _nothing_here() -> None:
    """`settle`: the adapter itself says that requests die at once; see `kills`."""


ABLATIONS: Mapping[str, Callable[[], None]] = {"intent": _without_intent, "settle": _nothing_here}
