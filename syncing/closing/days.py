"""On which working day a customer closes its books."""

from django.db import transaction
from django.db.models.functions import Now

from connections import audit
from connections.models import Connection
from syncing.close_rules import USUAL_DAY
from syncing.models import CloseDay


def working_day_of(connection: Connection) -> int:
    """The customer's own, or the usual one."""
    found = CloseDay.objects.filter(connection=connection).first()
    return found.working_day if found else USUAL_DAY


def set_working_day(*, connection: Connection, working_day: int, actor: str) -> None:
    """Say on which working day after a month's end the customer closes: 1 to 20."""
    with transaction.atomic():
        before = working_day_of(connection)
        CloseDay.objects.update_or_create(
            connection=connection,
            defaults={"working_day": working_day, "changed_by": actor, "changed_at": Now()},
        )
        audit.record(
            actor,
            "close.day",
            f"Months of {connection.name} are closed on working day {working_day}.",
            connection_id=connection.pk,
            subject="customer",
            subject_id=connection.slug,
            data={"before": before, "after": working_day},
        )
