"""Card transactions that wait until their merchant is a vendor in the ERP and in Ramp (R-36).

Such a transaction is neither posted nor reported: it waits in sight, by the merchant it waits for,
until Ramp itself says of it that nothing is missing (R-39).
"""

import uuid
from collections.abc import Mapping, Sequence

from connections import vendor_queue
from connections.models import Connection
from connections.ramp.schemas import Transaction
from connections.vendor_queue import Merchant
from syncing.billing import Wait
from syncing.cannot_post import NoMerchant
from syncing.claims import Claimed
from syncing.models import SyncItem
from syncing.statements import rows

TRANSACTION = SyncItem.ObjectType.TRANSACTION.value
_FLAG = '"requires_accounting_vendor_creation_to_sync": true'
"""As PostgreSQL writes it, whatever it was like in Ramp's answer."""


def cause_of(merchant_id: str) -> str:
    """The name of what the transactions of a merchant wait for."""
    return f"vendor:{merchant_id}"


def needs_vendor(item: Claimed) -> bool:
    """Whether Ramp will not let the item be marked as synced before it has a vendor (R-37)."""
    return item.object_type == TRANSACTION and _FLAG in item.body


def waits_of(connection: Connection, claimed: Sequence[Claimed]) -> Mapping[int, Wait | NoMerchant]:
    """What each of the items waits for that needs a vendor, and the wish that it be created.

    Call it with the items locked, in the transaction that lets them wait.
    """
    merchants = {item.id: _merchant(item) for item in claimed if needs_vendor(item)}
    named = {one for one in merchants.values() if one.name}
    if named:
        vendor_queue.want(connection.pk, sorted(named, key=lambda one: one.id))
    return {
        item_id: _wait(connection, merchant) if merchant.name else NoMerchant()
        for item_id, merchant in merchants.items()
    }


def waiting_for(
    connection_id: uuid.UUID, merchant_id: str, limit: int
) -> list[tuple[int, uuid.UUID]]:
    """Items, and Ramp's ids of them, that wait for a merchant's vendor; the oldest first.

    Those too that were told why it could not be created (`vendor_saga`): it may be there now.
    """
    found = rows(
        """
        SELECT id, ramp_id FROM syncing_syncitem
        WHERE connection_id = %s AND blocked_by = %s
          AND ((state = 'READY' AND due_at IS NULL) OR state = 'FAILED')
        ORDER BY id LIMIT %s
        """,
        [connection_id, cause_of(merchant_id), limit],
    )
    return [(item_id, ramp_id) for item_id, ramp_id in found]


def _merchant(item: Claimed) -> Merchant:
    bought = Transaction.parse(item.body)
    return Merchant.of(bought.merchant_id, bought.merchant_name)


def _wait(connection: Connection, merchant: Merchant) -> Wait:
    words = f"Waits for the vendor {merchant.name} to be created in {connection.erp_name}."
    return Wait(cause_of(merchant.id), words)
