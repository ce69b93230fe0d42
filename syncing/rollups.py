"""Keep the sums of all customers together short: what triggers add to them is folded up here."""

from syncing.statements import execute

ROWS_TO_FOLD = 500
"""Fewer are as quickly added up by whoever asks."""


def fold_totals() -> int:
    """Replace all rows of a sum by one of each kind; how many were replaced. Readers see the same
    sums.

    Two at once fold different rows: of those that the first takes the second gets none.
    """
    return sum(execute(statement, {"rows": ROWS_TO_FOLD}) for statement in (_ITEMS, _ERRORS))


_ITEMS = """
    WITH folded AS (
        DELETE FROM syncing_itemtotal
        WHERE (SELECT count(*) FROM syncing_itemtotal) > %(rows)s
        RETURNING *
    )
    INSERT INTO syncing_itemtotal
        (object_type, state, error_category, currency, exponent, items, amount_minor)
    SELECT object_type, state, error_category, currency, exponent, sum(items), sum(amount_minor)
    FROM folded
    GROUP BY object_type, state, error_category, currency, exponent
    HAVING sum(items) <> 0 OR sum(amount_minor) <> 0
"""
_ERRORS = """
    WITH folded AS (
        DELETE FROM syncing_errortotal
        WHERE (SELECT count(*) FROM syncing_errortotal) > %(rows)s
        RETURNING *
    )
    INSERT INTO syncing_errortotal
        (fingerprint, error_category, currency, exponent, items, amount_minor, last_seen_at)
    SELECT fingerprint, error_category, currency, exponent, sum(items), sum(amount_minor),
        max(last_seen_at)
    FROM folded
    GROUP BY fingerprint, error_category, currency, exponent
    HAVING sum(items) <> 0 OR sum(amount_minor) <> 0
"""
