"""Where an object can be opened in Ramp's own app."""

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


def address_in_ramp(object_type: str, ramp_id: object) -> str:
    """Put together by us, so it may lead nowhere. Empty where the API is not Ramp's own."""
    app = _APPS.get(urlsplit(settings.RAMP_API_URL).hostname or "")
    path = _PATHS.get(SyncItem.ObjectType(object_type)) if app else None
    return f"{app}/{path}/{ramp_id}" if path else ""
