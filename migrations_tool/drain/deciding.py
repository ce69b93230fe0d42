"""What people decide about bills that the switch does not carry along (F-26)."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from migrations_tool.models import BillInFlight, ConnectionMigration
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused


@transaction.atomic
def decide(
    migration: ConnectionMigration,
    bills: Sequence[int],
    decision: BillInFlight.Decision | None,
    *,
    actor: str,
    now: datetime,
) -> int:
    """Say what becomes of bills, by our ids of them; None takes a decision back.

    :returns: how many were decided; those that are paid meanwhile are left alone
    :raises Refused: if the migration has ended, or none of the bills is in flight
    """
    record = held(migration, Step.DRAIN)
    flying = BillInFlight.objects.filter(migration=migration, pk__in=bills, gone_at=None)
    decided = flying.update(
        decision=decision or "",
        decided_by=actor if decision else "",
        decided_at=now if decision else None,
    )
    if not decided:
        raise Refused("None of these bills is in flight any more. Tick others.")
    changed(record, now=now)
    label = decision.label if decision else "No decision"
    noun = "bill" if decided == 1 else "bills"
    text = f"{label}: {decided} {noun} in flight."
    write_down(migration, Step.DRAIN, "decide_bills", text, actor=actor)
    return decided
