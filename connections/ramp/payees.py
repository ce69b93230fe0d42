"""Ramp's own vendors, whom bills are from. Neither accounting vendors nor merchants (R-33)."""

from collections.abc import Iterator, Sequence
from typing import Unpack
from uuid import UUID

from connections.ramp.api import PAGE_SIZE, Api, segment
from connections.ramp.bodies import RampVendorFilters
from connections.ramp.pages import Page
from connections.ramp.schemas import RampVendor, RampVendorAccount, RampVendorContact


class Payees:
    """One method per endpoint. Only the link to the accounting vendor is ever written."""

    _api: Api

    def ramp_vendors(
        self,
        *,
        start: str | None = None,
        page_size: int = PAGE_SIZE,
        **filters: Unpack[RampVendorFilters],
    ) -> Iterator[Page[RampVendor]]:
        """Page by page, active or not. `start` goes on after a vendor that was read before."""
        pages = self._api.pages("vendors", RampVendor, filters, start=start, page_size=page_size)
        return (page for page, _ in pages)

    def ramp_vendor(self, vendor_id: UUID) -> RampVendor:
        return self._api.call("GET", f"vendors/{segment(vendor_id)}").read(RampVendor)

    def link_ramp_vendor(self, vendor_id: UUID, *, accounting_vendor_remote_id: str) -> RampVendor:
        """Link it to an accounting vendor that was uploaded before (R-34). Compare the answer.

        :raises InvalidRequest: if the active connection has no such accounting vendor
        :raises ScopeMissing: without `vendors:write`
        """
        body = {"accounting_vendor_remote_id": accounting_vendor_remote_id}
        return self._api.call("PATCH", f"vendors/{segment(vendor_id)}", body=body).read(RampVendor)

    def ramp_vendor_contacts(self, vendor_id: UUID) -> Sequence[RampVendorContact]:
        path = f"vendors/{segment(vendor_id)}/contacts"
        return list(self._api.everything(path, RampVendorContact, {}))

    def ramp_vendor_accounts(self, vendor_id: UUID) -> Sequence[RampVendorAccount]:
        """How it is paid. Ramp shows no account numbers here, and we would not read them."""
        path = f"vendors/{segment(vendor_id)}/accounts"
        return list(self._api.everything(path, RampVendorAccount, {}))
