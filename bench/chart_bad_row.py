"""Calls until the other 499 of an upload are in Ramp, if one record is bad and Ramp names nobody.

The value is the calls over what halving takes: 2 log2(500) + 2 = 20. The bad one is on its row with
Ramp's words.
"""

from math import ceil, log2

from bench import mirrored_chart
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service
from connections.models import UploadBatch, Vendor

STAGE = virtual_service
RECORDS = 500
BAD = "n-137"


def measure(service: VirtualService, records: int = RECORDS) -> Measured:
    connection = mirrored_chart.customer(service, "bad-row", vendors=records, options=0)
    operation = "POST /accounting/vendors"
    service.ramp.fault("bad_row", operation, row_id=BAD, is_named=False, times=None)
    made = mirrored_chart.upload(service, connection)
    refused = Vendor.objects.get(connection=connection, erp_id=BAD)
    assert refused.refusal, "the page says why"
    assert not Vendor.objects.filter(connection=connection, ramp_id=None).exclude(pk=refused.pk)
    assert UploadBatch.objects.filter(connection=connection, state="partly").count() == 1
    calls = sum(count for name, count in made.items() if name.endswith("/accounting/vendors"))
    return Measured(calls / ceil(2 * log2(records) + 2), {"records": records, "made": made})
