"""Write down who did what: one line per act of a person, in the transaction of the act."""

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models.functions import Now

from connections.models import AuditLine

_key: ContextVar[str] = ContextVar("api_key", default="")


@contextmanager
def by_key(name: str) -> Iterator[None]:
    """Lines written inside say that the act came by an API key of that name."""
    before = _key.set(name)
    try:
        yield
    finally:
        _key.reset(before)


def record(
    actor: str,
    act: str,
    text: str,
    *,
    connection_id: uuid.UUID | None = None,
    subject: str = "",
    subject_id: object = "",
    data: Mapping[str, Any] | None = None,
) -> AuditLine:
    """Leave a line that nobody can edit. Call it where the act is written, not in a view.

    :param act: a stable name, such as `items.retry`
    :param text: the act as a sentence, without the actor: "Retried 31 items."
    :param subject: what it is about, such as `item` or `job`, with `subject_id` as its key
    """
    key = _key.get()
    by = f" By the API key “{key}”." if key else ""
    return AuditLine.objects.create(
        at=Now(),
        actor=actor,
        act=act,
        text=text[: 500 - len(by)] + by,
        connection_id=connection_id,
        subject=subject,
        subject_id=str(subject_id),
        data={**(data or {}), **({"api_key": key} if key else {})},
    )
