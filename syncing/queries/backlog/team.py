"""How the team copes: what is assigned to whom, since when, and what came back to them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncing.queries.backlog.scope import Scope, condition, parameters
from syncing.queries.errors import ErrorFilter, open_groups
from syncing.queries.group_states import GroupState
from syncing.statements import rows

MOST = 30


@dataclass(frozen=True, slots=True)
class Load:
    """What one person has."""

    owner: str
    items: int
    median: timedelta | None
    """Half of their items have been theirs for longer."""
    causes: int
    came_back: int
    """Of their causes, those that were resolved and are open again."""


def team(scope: Scope, *, now: datetime) -> Sequence[Load]:
    """Everybody with anything open, who has most first. Two statements."""
    found = rows(
        f"""
        SELECT h.owner, count(*), percentile_cont(0.5) WITHIN GROUP (
            ORDER BY extract(epoch FROM %(now)s - coalesce(h.owned_since, i.ready_at)))
        FROM syncing_handling h JOIN syncing_syncitem i ON i.id = h.item_id
        WHERE h.owner <> '' AND NOT (i.state IN ('ACKED', 'EXTERNAL', 'WITHDRAWN'))
          AND {condition(scope)}
        GROUP BY h.owner
        """,  # noqa: S608  conditions of this program
        {**parameters(scope), "now": now},
    )
    items = {owner: (count, timedelta(seconds=max(median, 0))) for owner, count, median in found}
    causes: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for group in open_groups(ErrorFilter(customer=scope.slug), now=now):
        if group.owner:
            causes[group.owner] += 1
            back[group.owner] += group.state is GroupState.REGRESSED
    loads = []
    for owner in {*items, *causes}:
        count, median = items.get(owner, (0, None))
        loads.append(Load(owner, count, median, causes[owner], back[owner]))
    return sorted(loads, key=lambda load: (-load.items, -load.causes, load.owner))[:MOST]
