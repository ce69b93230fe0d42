"""What the end of a pull writes along with the lease it gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from syncing import snapshots
from syncing.models import SyncRun
from syncing.snapshots import Complete

COUNTED = ("pages", "seen", "new", "changed", "unannounced", "calls", "throttled_ms")
"""What a run counts while it reads."""
RESULTS = (*COUNTED, "problem", "trace_id")
"""What is kept of a run at its end, and when that was."""
_SET_RESULTS = ", ".join(f"{name} = %(run_{name})s" for name in RESULTS)


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

    # If a failover has made the database forget the run, its number may be another's (fault I5).
    also = f""",
        run AS (
            UPDATE syncing_syncrun SET finished_at = now(), {_SET_RESULTS}
            WHERE id = %(run)s AND connection_id = %(connection)s
              AND started_at = %(run_started_at)s AND NOT EXISTS (SELECT FROM first)
            RETURNING id
        ), answered AS (
            UPDATE syncing_webhookevent
            SET handled_at = %(answers_until)s, outcome = %(outcome)s,
                run_id = (SELECT id FROM run)
            WHERE connection_id = %(connection)s AND handled_at IS NULL
              AND received_at <= %(answers_until)s::timestamptz
              AND NOT EXISTS (SELECT FROM first)
        )
    """  # noqa: S608  names of columns
    """SQL: further parts of the statement."""

    @property
    def params(self) -> Mapping[str, Any]:
        results = {f"run_{name}": getattr(self.run, name) for name in RESULTS}
        new = self.run.new
        return {
            **snapshots.not_listed_params(self.run.connection_id, self.complete),
            **results,
            "run": self.run.pk,
            "run_started_at": self.run.started_at,
            "answers_until": self.answers_until,
            "outcome": f"pulled, {new} new" if new else "pulled, nothing new",
        }
