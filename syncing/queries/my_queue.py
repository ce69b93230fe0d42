"""What waits for one person: open items and causes that are theirs."""

from dataclasses import dataclass

from syncing.statements import rows

MOST = 99
"""More are not counted: nobody needs to know exactly how many too many are."""


@dataclass(frozen=True, slots=True)
class MyQueue:
    """How many; `MOST` and one more stand for all beyond."""

    items: int
    causes: int

    @property
    def count(self) -> int:
        return self.items + self.causes

    @property
    def said(self) -> str:
        return f"{MOST}+" if max(self.items, self.causes) > MOST else str(self.count)


def my_queue(me: str) -> MyQueue:
    """One statement, which reads no more than it can show."""
    ((items, causes),) = rows(
        """
        SELECT (SELECT count(*) FROM (
                SELECT FROM syncing_handling h JOIN syncing_syncitem i ON i.id = h.item_id
                WHERE h.owner = %(me)s AND i.state NOT IN ('ACKED', 'EXTERNAL', 'WITHDRAWN')
                    AND (h.snoozed_until IS NULL OR h.snoozed_until <= now())
                LIMIT %(most)s) mine),
            (SELECT count(*) FROM (
                SELECT FROM syncing_errorgroup
                WHERE owner = %(me)s AND resolved_at IS NULL LIMIT %(most)s) mine)
        """,
        {"me": me, "most": MOST + 1},
    )
    return MyQueue(items, causes)
