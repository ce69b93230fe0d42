"""What of the totals belongs to the customers of one ERP and one owner (docs/adr/0044)."""

import pgtrigger
from django.db import models

from syncing.models.error_triggers import TOTAL_KEYS as ERROR_KEYS
from syncing.models.items import TOTAL_KEYS as ITEM_KEYS


class ItemShare(models.Model):
    """The items of all customers with an ERP and an owner, but for those rows of `ItemTotal` that
    still name their customer. Who reads this adds those.
    """

    erp_name = models.CharField(max_length=60)
    owner = models.CharField(max_length=150)
    object_type = models.CharField(max_length=16)
    state = models.CharField(max_length=9)
    error_category = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "erp_name",
                    "owner",
                    "object_type",
                    "state",
                    "error_category",
                    "currency",
                    "exponent",
                ],
                name="item_share_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} {self.object_type} {self.state} of {self.erp_name} and {self.owner}"


class ErrorShare(models.Model):
    """The same of `ErrorTotal`."""

    erp_name = models.CharField(max_length=60)
    owner = models.CharField(max_length=150)
    fingerprint = models.CharField(max_length=32)
    error_category = models.CharField(max_length=16)
    currency = models.CharField(max_length=3)
    exponent = models.PositiveSmallIntegerField()
    items = models.BigIntegerField()
    amount_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "erp_name",
                    "owner",
                    "fingerprint",
                    "error_category",
                    "currency",
                    "exponent",
                ],
                name="error_share_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.items} of {self.fingerprint} of {self.erp_name} and {self.owner}"


LOCK = "LOCK TABLE syncing_itemshare, syncing_errorshare IN SHARE ROW EXCLUSIVE MODE"
"""Held by whoever puts a customer's sums to an ERP and an owner: these must not change meanwhile.
What writes items never waits for it."""


def added(table: str, keys: str, rows: str) -> str:
    """The INSERT that adds some rows to the shares.

    :param table: of shares
    :param keys: of the totals that they are of
    :param rows: what follows SELECT's list, with `erp_name`, `owner`, `keys`, `items` and
        `amount_minor`
    """
    return f"""
        INSERT INTO {table} AS t (erp_name, owner, {keys}, items, amount_minor)
        SELECT erp_name, owner, {keys}, sum(items), sum(amount_minor)
        {rows}
        GROUP BY erp_name, owner, {keys}
        HAVING sum(items) <> 0 OR sum(amount_minor) <> 0
        ORDER BY erp_name, owner, {keys}
        ON CONFLICT (erp_name, owner, {keys}) DO UPDATE
        SET items = t.items + excluded.items, amount_minor = t.amount_minor + excluded.amount_minor
    """  # noqa: S608  constants of callers


def _moved(table: str, keys: str, counts: str, totals: str) -> str:
    """Take what a customer has in the shares from its former ERP and owner to the new ones: its
    counts without what still waits in the totals, which go by what it has when they are read.
    """
    return added(
        table,
        keys,
        f"""
        FROM (
            SELECT {keys}, items AS n, amount_minor AS minor FROM {counts}
            WHERE connection_id = OLD.id
            UNION ALL
            SELECT {keys}, -items, -amount_minor FROM {totals} WHERE connection_id = OLD.id
        ) mine CROSS JOIN LATERAL (VALUES
            (OLD.erp_name, OLD.owner, -n, -minor), (NEW.erp_name, NEW.owner, n, minor)
        ) side (erp_name, owner, items, amount_minor)
        WHERE side.erp_name IS NOT NULL
        """,  # noqa: S608  constants of this file
    )


SHARE_TRIGGER = pgtrigger.Trigger(
    name="shares_change_hands",
    when=pgtrigger.After,
    operation=pgtrigger.UpdateOf("erp_name", "owner") | pgtrigger.Delete,
    func=pgtrigger.Func(
        f"""
        IF TG_OP = 'DELETE' OR (OLD.erp_name, OLD.owner) <> (NEW.erp_name, NEW.owner) THEN
            {LOCK};
            {_moved("syncing_itemshare", ITEM_KEYS, "syncing_itemcount", "syncing_itemtotal")};
            {_moved("syncing_errorshare", ERROR_KEYS, "syncing_errorcount", "syncing_errortotal")};
        END IF;
        RETURN NULL;
        """
    ),
)
"""Of the customers' table. Of one that is deleted nothing is added to anybody."""
