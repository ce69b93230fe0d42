"""Create the vendors that transactions wait for: in the ERP, then in Ramp (R-36 to R-38).

    WANTED --found or created in the ERP--> IN_ERP --found or uploaded in Ramp--> IN_RAMP

One row per merchant, however many transactions wait for it. Each step is committed before the next
call is made, and each call finds what an earlier one has made, so that whoever dies in between
leaves a row that is simply gone on with (fault X24). Nothing of it codes a transaction: uploading
a vendor attaches it to none (R-39).
"""

from collections.abc import Sequence
from typing import cast

from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Lower

from connections.erp.port import ErpAdapter
from connections.erp.records import Master
from connections.erp.records import Vendor as ErpVendor
from connections.mirror import ramp_side
from connections.mirror.kinds import Vendors
from connections.models import Vendor, VendorCreation
from connections.models.match_key import MatchKey
from connections.ramp.chart import Chart
from connections.ramp.errors import InvalidRequest
from connections.ramp.schemas import Vendor as RampSide
from connections.vendor_queue import reach
from rampbridge.lib import failpoints

Step = VendorCreation.Step
_VENDORS = Vendors()


class SeveralVendors(Exception):
    """The ERP has several vendors of the merchant's name. The message is fit to show."""

    def __init__(self, name: str, count: int) -> None:
        super().__init__(f"The ERP has {count} vendors called {name}.")
        self.name = name


class LooksAlike(SeveralVendors):
    """The ERP has vendors that may be the merchant, under a name spelt otherwise (R-42)."""

    def __init__(self, name: str, others: Sequence[str]) -> None:
        super().__init__(name, len(others))
        self.others = others


def advance(creation: VendorCreation, erp: ErpAdapter, chart: Chart) -> None:
    """Go on until both sides know the vendor; each step is committed.

    :raises ErpError, RampError: if a side refuses or is silent; what was reached until then stays
    :raises SeveralVendors: if only a person can say which vendor is meant
    :raises LeaseLost: if another worker has taken over
    """
    if creation.step == Step.WANTED:
        _into_erp(creation, erp)
    if creation.step == Step.IN_ERP:
        _into_ramp(creation, chart)


def _into_erp(creation: VendorCreation, erp: ErpAdapter) -> None:
    known = None if creation.is_own else _of_same_name(creation)
    if known is None and not creation.is_own:
        _look_for_likes(creation)
    if known is None:
        made = erp.upsert_vendor(ErpVendor(ref=creation.merchant_id, name=creation.name))
        failpoints.hit("after_vendor_made")
        known = _kept(creation, made)
    reach(creation, Step.IN_ERP, erp_id=known.erp_id)


def _into_ramp(creation: VendorCreation, chart: Chart) -> None:
    vendor = Vendor.objects.get(connection_id=creation.connection_id, erp_id=creation.erp_id)
    if vendor.ramp_id is None:
        shown = _VENDORS.find(chart, vendor) or _uploaded(chart, vendor)
        failpoints.hit("after_vendor_uploaded")
        ramp_side.confirm(_VENDORS, [(vendor.pk, _VENDORS.as_shown(shown))])
        vendor.ramp_id = shown.ramp_id
    reach(creation, Step.IN_RAMP, ramp_id=vendor.ramp_id)


def _of_same_name(creation: VendorCreation) -> Vendor | None:
    """The ERP's vendor of that name, which people have made, is not doubled.

    :raises SeveralVendors: if there are two
    """
    name = " ".join(creation.name.split())
    vendors = _usable(creation)
    found = list(vendors.alias(small=Lower("name")).filter(small=name.lower()).order_by("id")[:10])
    if len(found) > 1:
        raise SeveralVendors(name, len(found))
    return found[0] if found else None


def _usable(creation: VendorCreation) -> QuerySet[Vendor]:
    """The customer's vendors that the ERP can post to."""
    return Vendor.objects.filter(
        connection_id=creation.connection_id, is_active=True, gone_at=None, merged_into=""
    )


def _look_for_likes(creation: VendorCreation) -> None:
    """A vendor that differs by spelling or legal form alone is not doubled unless a person says so.

    :raises LooksAlike: naming a few
    """
    alike = _usable(creation).filter(match_key=MatchKey(Value(creation.name, CharField())))
    names = list(alike.exclude(match_key="").order_by("id").values_list("name", flat=True)[:3])
    if names:
        raise LooksAlike(creation.name, names)


def _kept(creation: VendorCreation, made: Master) -> Vendor:
    """Our copy of what the ERP has made, with which documents are translated."""
    vendor, _ = Vendor.objects.update_or_create(
        connection_id=creation.connection_id,
        erp_id=made.id,
        defaults={"name": made.name[:300], "code": made.code[:100], "is_active": made.active},
    )
    return vendor


def _uploaded(chart: Chart, vendor: Vendor) -> RampSide:
    try:
        (made,) = _VENDORS.upload(chart, [vendor]).rows
    except InvalidRequest:
        known: RampSide | None = _VENDORS.find(chart, vendor)  # somebody else may have been faster
        if known is None:
            raise
        return known
    else:
        return cast(RampSide, made)
