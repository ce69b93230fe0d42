"""Every type of object that Ramp can sync, as the engine sees it."""

from collections.abc import Mapping, Sequence

from syncing.kinds.base import Kind, Scope, Snapshot, Standing
from syncing.kinds.bills import BILL, BILL_PAYMENT
from syncing.kinds.reimbursements import REIMBURSEMENT
from syncing.kinds.transactions import TRANSACTION
from syncing.kinds.transfers import CASHBACK, TRANSFER
from syncing.kinds.vendor_credits import VENDOR_CREDIT

__all__ = ["KINDS", "LISTS", "Kind", "Scope", "Snapshot", "Standing", "kind_of", "list_of"]

LISTS: Mapping[str, Sequence[Kind]] = {
    "bill": (BILL, BILL_PAYMENT),  # first: it tells which transactions are no expenses (F-07)
    "transaction": (TRANSACTION,),
    "reimbursement": (REIMBURSEMENT,),
    "transfer": (TRANSFER,),
    "cashback": (CASHBACK,),
    "vendor_credit": (VENDOR_CREDIT,),
}
"""By what a connection may have switched on, in the order that lists are read: the kinds of items
that one list brings. The first one's `ready` is the list."""

KINDS: Mapping[str, Kind] = {kind.object_type: kind for kinds in LISTS.values() for kind in kinds}
"""By object type."""


def kind_of(object_type: str) -> Kind:
    """The kind of an item.

    :raises KeyError: if no type of that name is synced
    """
    return KINDS[object_type]


def list_of(object_type: str) -> str:
    """The list that brings items of this type, as a connection's `object_types` names it."""
    return next(name for name, kinds in LISTS.items() if KINDS[object_type] in kinds)
