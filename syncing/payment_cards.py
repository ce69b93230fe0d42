"""Keep the ends of Ramp's card numbers, so that an item is found by what its receipt shows."""

import re

from connections.models import Connection, PaymentCard
from connections.ramp.client import RampClient
from connections.ramp.errors import Forbidden, ScopeMissing
from syncing.statements import execute

_END = re.compile(r"[0-9]{4}")
BATCH = 1000


def mirror_cards(connection: Connection, ramp: RampClient) -> int:
    """Read a customer's cards, and write their ends on items that were taken in before.

    :returns: how many cards there are; 0 too where the app may not read them, which the page of
        scopes shows
    :raises RampError: if Ramp cannot be read
    """
    seen = 0
    try:
        for page in ramp.cards():
            cards = [
                PaymentCard(connection=connection, ramp_id=one.id, last_four=one.last_four)
                for one in page.items
                if _END.fullmatch(one.last_four)
            ]
            PaymentCard.objects.bulk_create(
                cards,
                batch_size=BATCH,
                update_conflicts=True,
                unique_fields=["connection", "ramp_id"],
                update_fields=["last_four"],
            )
            seen += len(cards)
    except (Forbidden, ScopeMissing):
        return 0
    if seen:
        _write_on_items(connection)
    return seen


def _write_on_items(connection: Connection) -> None:
    """Items from before their card was known. Which card it is, their payload says."""
    execute(
        """
        UPDATE syncing_syncitem i SET card_last_four = c.last_four
        FROM syncing_itempayload p, connections_paymentcard c
        WHERE i.connection_id = %(connection)s AND i.object_type = 'transaction'
            AND i.card_last_four = '' AND p.item_id = i.id
            AND c.connection_id = i.connection_id
            AND c.ramp_id::text = lower(p.ramp ->> 'card_id')
        """,
        {"connection": connection.pk},
    )
