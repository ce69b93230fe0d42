"""Items as rows of a file: the whole of a list, read page by page so that it may be long."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from rampbridge.lib.keyset import keyset_page
from syncing.models import SyncItem
from syncing.queries.items import rows, with_handling

READ_AT_ONCE = 1_000

COLUMNS = (
    "reference",
    "customer",
    "type",
    "merchant_or_vendor",
    "person",
    "memo",
    "invoice_number",
    "card_last_four",
    "accounting_date",
    "amount",
    "currency",
    "state",
    "whose_move",
    "category",
    "error_code",
    "error",
    "erp_number",
    "ready_at",
    "state_at",
    "acked_at",
    "owner",
    "tags",
    "snoozed_until",
    "ramp_id",
)


def item_lines(
    items: QuerySet[SyncItem], *, newest_first: bool, now: datetime
) -> Iterator[Sequence[Any]]:
    """Every item as `COLUMNS` name it, in the list's order. Amounts are exact decimals."""
    after = None
    while True:
        page = keyset_page(
            with_handling(items),
            field="ready_at",
            after=after,
            size=READ_AT_ONCE,
            newest_first=newest_first,
        )
        for row in rows(page.rows, now):
            item, handling = row.item, row.handling
            yield (
                item.reference,
                item.connection.name,
                row.type_label,
                item.label,
                item.person,
                item.memo,
                item.invoice_number,
                item.card_last_four,
                item.accounting_date,
                item.money.decimal,
                item.currency,
                row.look.label,
                row.move,
                item.error_category,
                item.error_code,
                item.error_title,
                item.erp_number,
                item.ready_at,
                item.state_at,
                item.acked_at,
                handling.owner if handling else "",
                " ".join(handling.tags) if handling else "",
                handling.snoozed_until if handling else None,
                item.ramp_id,
            )
        if page.next is None:
            return
        after = page.next
