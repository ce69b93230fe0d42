"""What people set about the mirror itself: whether it uploads unasked, how a field is shown."""

import logging
from collections.abc import Collection

from django.db import transaction
from django.db.models.functions import Now

from connections import audit
from connections.mirror import schedule
from connections.models import Connection, CustomField

logger = logging.getLogger(__name__)


@transaction.atomic
def set_automatic(connection: Connection, *, is_automatic: bool, actor: str) -> bool:
    """Whether what changed is uploaded by itself. False if it was set so already."""
    changed = schedule.plan_uploads(connection.pk, is_automatic=is_automatic)
    if changed:
        how = "by itself" if is_automatic else "only when somebody says so"
        audit.record(
            actor,
            "chart.automatic",
            f"What changes in the chart is uploaded {how}.",
            connection_id=connection.pk,
        )
        logger.info(
            "Automatic upload was switched.",
            extra={"connection": connection.slug, "to": is_automatic, "actor": actor},
        )
    return changed


@transaction.atomic
def set_field(
    field: CustomField,
    *,
    display_name: str,
    is_splittable: bool,
    required_for: Collection[str],
    actor: str,
) -> bool:
    """How a dimension is to be shown in Ramp; the next upload brings it there (R-29).

    What it is required for goes along when Ramp gets the field and cannot be changed afterwards, so
    it stays as it is for one that Ramp has. False if nothing is different.
    """
    wanted = {
        "display_name": display_name,
        "is_splittable": is_splittable,
        "required_for": field.required_for if field.ramp_id else sorted(required_for),
    }
    if all(getattr(field, name) == value for name, value in wanted.items()):
        return False
    CustomField.objects.filter(pk=field.pk).update(**wanted, changed_at=Now(), updated_at=Now())
    audit.record(
        actor,
        "chart.field",
        f"Set up the field {field.name} otherwise.",
        connection_id=field.connection_id,
        subject="field",
        subject_id=field.pk,
        data=wanted,
    )
    logger.info(
        "A field was set up otherwise.",
        extra={"field": field.pk, "to": wanted, "actor": actor},
    )
    return True
