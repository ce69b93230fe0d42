"""Refusals that are over without Ramp having taken the record."""

from django.db.models import F, Q

from connections.mirror.conditions import MODELS, action, annotated
from connections.mirror.diff import KINDS
from connections.models import Connection


def forget_what_is_over(connection: Connection) -> None:
    """Of records about which nothing is to be done any more: the ERP closed them, or took back what
    was refused. One statement per kind, and mostly nothing is refused.

    What Ramp has refused and is as it was then stays refused.
    """
    for kind in KINDS:
        ours = MODELS[kind].objects.filter(connection=connection)
        if not ours.exclude(refusal="").exists():
            continue
        refused = annotated(kind, connection.pk).exclude(refusal="").annotate(action=action(kind))
        over = refused.filter(Q(action=None) & ~Q(refused_content=F("digest")))
        MODELS[kind].objects.filter(pk__in=over.values("pk")).update(
            refusal="", refusal_field="", refused_content="", refused_at=None
        )
