"""What a first version of such a program does, honestly made: one object after the other.

It knows the ids without asking, takes one token, and keeps its connections open. Per object it
reads it, books it and reports it.
"""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from bench.outside import Outside
from bench.pretend_erp import DOCUMENTS

API = "/developer/v1"
SCOPE = "accounting:read accounting:write transactions:read"


def sync_one_by_one(outside: Outside, business: Mapping[str, Any], ids: Sequence[str]) -> None:
    """Bring transactions into the ERP and report each to Ramp."""
    with (
        httpx.Client(base_url=outside.ramp_url + API, trust_env=False) as ramp,
        httpx.Client(base_url=outside.erp_url, trust_env=False) as erp,
    ):
        token = _answer(
            ramp.post(
                "/token",
                auth=(business["client_id"], business["client_secret"]),
                data={"grant_type": "client_credentials", "scope": SCOPE},
            )
        )
        ramp.headers["Authorization"] = f"Bearer {token['access_token']}"
        for transaction_id in ids:
            transaction = _answer(ramp.get(f"/transactions/{transaction_id}"))
            booked = _answer(erp.post(DOCUMENTS, json=_document(transaction)))
            _answer(ramp.post("/accounting/syncs", json=_report(transaction_id, booked)))


def _document(transaction: Mapping[str, Any]) -> dict[str, Any]:
    lines = [
        {
            "account": line["accounting_field_selections"][0]["external_id"],
            "amount": line["amount"]["amount"],
        }
        for line in transaction["line_items"]
    ]
    card = {"account": "2150", "amount": -sum(line["amount"] for line in lines)}
    return {
        "ref": {"ramp_id": transaction["id"]},
        "currency": transaction["currency_code"],
        "lines": [*lines, card],
    }


def _report(transaction_id: str, booked: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "idempotency_key": str(uuid.uuid4()),
        "sync_type": "TRANSACTION_SYNC",
        "successful_syncs": [{"id": transaction_id, "reference_id": booked["number"]}],
    }


def _answer(response: httpx.Response) -> dict[str, Any]:
    response.raise_for_status()
    return dict(response.json())
