"""What people write about a customer for each other. Never changed, never shown in Ramp."""

from django.db import transaction
from django.db.models.functions import Now

from connections import audit
from connections.models import Connection
from syncing.models import Comment
from syncing.statements import storable

LONGEST = 4000


class EmptyNote(Exception):
    """There is nothing to keep. The message is fit to show."""


@transaction.atomic
def add(connection: Connection, *, text: str, actor: str) -> Comment:
    """Keep a note.

    :raises EmptyNote: if it says nothing
    """
    cleaned = storable(text.strip())[:LONGEST]
    if not cleaned:
        raise EmptyNote("Write something first.")
    note = Comment.objects.create(connection=connection, at=Now(), author=actor, text=cleaned)
    audit.record(
        actor,
        "customers.note",
        f"Wrote a note about {connection.name}.",
        connection_id=connection.pk,
        subject="notes",
        subject_id=connection.slug,
    )
    return note
