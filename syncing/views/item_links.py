"""Where an item can be opened in Ramp and in the ERP. Links that may lead nowhere say so."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings

from syncing.models import SyncItem

_PATHS = {
    SyncItem.ObjectType.TRANSACTION: "transactions",
    SyncItem.ObjectType.REIMBURSEMENT: "reimbursements",
    SyncItem.ObjectType.BILL: "bills",
    SyncItem.ObjectType.BILL_PAYMENT: "bills",
    SyncItem.ObjectType.TRANSFER: "statements/transfers",
    SyncItem.ObjectType.CASHBACK: "statements",
    SyncItem.ObjectType.VENDOR_CREDIT: "vendors/credits",
}
_APPS = {"api.ramp.com": "https://app.ramp.com", "demo-api.ramp.com": "https://demo.ramp.com"}


@dataclass(frozen=True, slots=True)
class Link:
    """One way out of here."""

    name: str
    where: str
    url: str
    is_told: bool
    """The other side has named this address itself; else it is put together by us."""


def links_of(item: SyncItem) -> list[Link]:
    """The item's links: Ramp's app where its API is Ramp's own, the ERP once it has told."""
    links = []
    app = _APPS.get(urlsplit(settings.RAMP_API_URL).hostname or "")
    path = _PATHS.get(SyncItem.ObjectType(item.object_type)) if app else None
    if app and path:
        links.append(Link("ramp", "Ramp", f"{app}/{path}/{item.ramp_id}", is_told=False))
    if item.erp_url:
        links.append(Link("erp", item.connection.erp_name, item.erp_url, is_told=True))
    return links
