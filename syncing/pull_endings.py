"""What the end of a pull writes along with the lease it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncing import snapshots
from syncing.models import SyncRun
from syncing.snapshots import Complete


@dataclass(frozen=True, slots=True)
class Ending:
    """How a pull that did not break off ends."""

    run: SyncRun
    """As it is to be kept; it is finished now."""
    complete: Sequence[Complete] = ()
    """Lists that were read to their end and not yet looked at for what they no longer had: if there
    is any, nothing is written."""
    answers_until: datetime | None = None
    """Events that came until then are answered by it. None: not all lists are read."""

    @property
    def first(self) -> str:
        """SQL: a row if there is something to be seen to before."""
        return f"{snapshots.NOT_LISTED} LIMIT 1"

    also = """,
        run AS (
            UPDATE syncing_syncrun SET finished_at = now(), pages = %(run_pages)s,
                seen = %(run_seen)s, new = %(run_new)s, changed = %(run_changed)s,
                unannounced = %(run_unannounced)s, calls = %(run_calls)s,
                throttled_ms = %(run_throttled_ms)s, problem = %(run_problem)s,
                trace_id = %(run_trace_id)s
            WHERE id = %(run)s AND NOT EXISTS (SELECT FROM first)
        ), answered AS (
            UPDATE syncing_webhookevent
            SET handled_at = %(answers_until)s, outcome = %(outcome)s, run_id = %(run)s
            WHERE connection_id = %(connection)s AND handled_at IS NULL
              AND received_at <= %(answers_until)s::timestamptz
              AND NOT EXISTS (SELECT FROM first)
        )
    """
    """SQL: further parts of the statement."""

    @property
    def params(self) -> Mapping[str, Any]:
        kept = {f"run_{name}": getattr(self.run, name) for name in _KEPT}
        new = self.run.new
        return {
            **snapshots.not_listed_params(self.run.connection_id, self.complete),
            **kept,
            "run": self.run.pk,
            "answers_until": self.answers_until,
            "outcome": f"pulled, {new} new" if new else "pulled, nothing new",
        }


_KEPT = (
    "pages",
    "seen",
    "new",
    "changed",
    "unannounced",
    "calls",
    "throttled_ms",
    "problem",
    "trace_id",
)
