"""Keep the sums of all customers together short: what triggers add to them is folded up here."""

from django.db import transaction

from syncing.models import shares
from syncing.models.error_triggers import TOTAL_KEYS as ERROR_KEYS
from syncing.models.items import TOTAL_KEYS as ITEM_KEYS
from syncing.statements import execute

ROWS_TO_FOLD = 500
"""Fewer are as quickly added up by whoever asks."""


def fold_totals() -> int:
    """Replace all rows of a sum by one of each kind; how many were replaced. Readers see the same
    sums, also those of an ERP and of an owner.

    Two at once fold different rows: of those that the first takes the second gets none.
    """
    with transaction.atomic():
        # A statement of its own: what is read after it is as of when it was got.
        execute(shares.LOCK, {})
        return sum(execute(statement, {"rows": ROWS_TO_FOLD}) for statement in (_ITEMS, _ERRORS))


def _shared(table: str, keys: str) -> str:
    """What still named its customer goes to the customer's ERP and owner."""
    return shares.added(
        table,
        keys,
        "FROM folded JOIN connections_connection c ON c.id = folded.connection_id",
    )


_ITEMS = f"""
    WITH folded AS (
        DELETE FROM syncing_itemtotal
        WHERE (SELECT count(*) FROM syncing_itemtotal) > %(rows)s
        RETURNING *
    ), shared AS ({_shared("syncing_itemshare", ITEM_KEYS)})
    INSERT INTO syncing_itemtotal ({ITEM_KEYS}, items, amount_minor)
    SELECT {ITEM_KEYS}, sum(items), sum(amount_minor)
    FROM folded
    GROUP BY {ITEM_KEYS}
    HAVING sum(items) <> 0 OR sum(amount_minor) <> 0
"""  # noqa: S608  constants of this program
_ERRORS = f"""
    WITH folded AS (
        DELETE FROM syncing_errortotal
        WHERE (SELECT count(*) FROM syncing_errortotal) > %(rows)s
        RETURNING *
    ), shared AS ({_shared("syncing_errorshare", ERROR_KEYS)})
    INSERT INTO syncing_errortotal ({ERROR_KEYS}, items, amount_minor, last_seen_at)
    SELECT {ERROR_KEYS}, sum(items), sum(amount_minor), max(last_seen_at)
    FROM folded
    GROUP BY {ERROR_KEYS}
    HAVING sum(items) <> 0 OR sum(amount_minor) <> 0
"""  # noqa: S608  constants of this program
