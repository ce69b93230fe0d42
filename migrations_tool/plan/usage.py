"""Which types of object a customer used in the last twelve months: one small call for each."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from connections.ramp.client import RampClient
from connections.ramp.errors import ScopeMissing
from connections.ramp.pages import Page

SPAN = timedelta(days=365)
USED, UNUSED, UNREADABLE = "used", "unused", "unreadable"

_SMALLEST_PAGE = 2

_FIRST: Mapping[str, Callable[[RampClient, datetime], Iterator[Page[Any]]]] = {
    "transaction": lambda ramp, since: ramp.transactions(page_size=_SMALLEST_PAGE, from_date=since),
    "reimbursement": lambda ramp, since: _reimbursements(ramp, since),
    "bill": lambda ramp, since: ramp.bills(page_size=_SMALLEST_PAGE, from_created_at=since),
    "transfer": lambda ramp, since: ramp.transfers(page_size=_SMALLEST_PAGE, from_date=since),
    "cashback": lambda ramp, since: ramp.cashbacks(page_size=_SMALLEST_PAGE, from_date=since),
    "vendor_credit": lambda ramp, since: ramp.vendor_credits(
        page_size=_SMALLEST_PAGE, from_created_at=since, include_fully_used=True
    ),
}


def _reimbursements(ramp: RampClient, since: datetime) -> Iterator[Page[Any]]:
    """Ramp hides what employees pay back unless it is asked for."""
    for direction in ("BUSINESS_TO_USER", "USER_TO_BUSINESS"):
        pages = ramp.reimbursements(page_size=_SMALLEST_PAGE, from_date=since, direction=direction)
        yield next(pages)


def types_used(ramp: RampClient, *, since: datetime, keep: Callable[[], None]) -> dict[str, str]:
    """Per type: used, unused, or unreadable for lack of a permission.

    :param keep: called before each call to Ramp
    """
    found = {}
    for object_type, first in _FIRST.items():
        keep()
        found[object_type] = _use_of(first(ramp, since))
    return found


def _use_of(pages: Iterator[Page[Any]]) -> str:
    try:
        is_used = any(page.items or page.malformed for page in pages)  # ends with the first
    except ScopeMissing:
        return UNREADABLE
    return USED if is_used else UNUSED
