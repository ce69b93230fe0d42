"""What whoever begins to write this would write: read one, post it, report it, and so on.

Kind to it: one token for all, connections that stay open, and nothing kept anywhere.
"""

import time
from collections.abc import Mapping
from itertools import islice
from typing import Any

import httpx

from bench.opponents.existing_tool import API, answer, document, ready, renew, report
from bench.outside import Outside
from bench.pretend_erp import DOCUMENTS


def seconds_per_object(outside: Outside, business: Mapping[str, Any], count: int) -> float:
    """Sync so many of the transactions that are ready. Each takes three calls, one by one."""
    with (
        httpx.Client(base_url=outside.ramp_url + API, trust_env=False, timeout=60) as ramp,
        httpx.Client(base_url=outside.erp_url, trust_env=False, timeout=60) as erp,
    ):
        renew(ramp, business)
        ids = list(islice(ready(ramp, count), count))
        began = time.monotonic()
        for transaction_id in ids:
            transaction = answer(ramp.get(f"/transactions/{transaction_id}"))
            booked = answer(erp.post(DOCUMENTS, json=document(transaction)))
            answer(ramp.post("/accounting/syncs", json=report(transaction_id, booked)))
        return (time.monotonic() - began) / len(ids)
