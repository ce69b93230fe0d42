"""One report to Ramp: what it said, what Ramp answered, and the items in it."""

import uuid

from syncing.models import AckBatch, SyncItem

PAGE_SIZE = 50


def report(pk: uuid.UUID) -> AckBatch:
    """The report with its customer, without its bytes.

    :raises AckBatch.DoesNotExist: if there is none
    """
    found = AckBatch.objects.select_related("connection", "sync_request").defer("body")
    return found.get(pk=pk)


def items_in(batch: AckBatch, *, after: int) -> tuple[list[SyncItem], int | None]:
    """A page of its items in the order in which they became known, and behind which item the next
    one starts. One that was reported again since is in the newer report."""
    of = "ack_batch" if batch.outcome == AckBatch.Outcome.SUCCESS else "failure_batch"
    found = SyncItem.objects.filter(**{of: batch, "pk__gt": after}).select_related("connection")
    rows = list(found.order_by("pk")[: PAGE_SIZE + 1])
    page = rows[:PAGE_SIZE]
    return page, page[-1].pk if len(rows) > PAGE_SIZE else None
