"""The same acts on one item, at once and without a job."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from syncing import handling, services
from syncing.bulk.acts import Act, carry_out
from syncing.bulk.jobs import words
from syncing.models import Job, SyncItem


class NotDone(Exception):
    """The act was refused. The message is fit to show."""


def act_on(item: SyncItem, act: Act, argument: Mapping[str, Any], *, actor: str) -> str:
    """Do it, with its audit line. Says what has been done, as a sentence.

    :raises NotDone: if the item does not bear it now
    """
    if act == Act.RETRY:
        try:
            services.retry_item(item=item, actor=actor)
        except services.NotRetryable as refusal:
            raise NotDone(str(refusal)) from refusal
        return "Queued again."
    job = Job(act=act, argument=dict(argument))
    with transaction.atomic():
        (result,) = carry_out(job, {item.pk: None}, actor=actor)
        if not result.is_done:
            raise NotDone(result.text)
        said = result.text or f"{words(job)}: done."
        handling.record(act, words(job), item, actor=actor)
    return said
