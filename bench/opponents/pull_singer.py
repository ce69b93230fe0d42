"""A tap of singer-sdk reads every transaction that is ready, ten fields of it, and keeps nothing.

    python pull_singer.py BASE_URL TOKEN

Prints how many rows there were and the processor's seconds, without those of its start.
"""

import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from singer_sdk import RESTStream, Stream, Tap  # type: ignore[import-not-found]
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator  # type: ignore[import-not-found]
from singer_sdk.pagination import BaseHATEOASPaginator  # type: ignore[import-not-found]

_FIELDS = (
    "id", "merchant_name", "memo", "state", "currency_code", "user_transaction_time",
    "entity_id", "card_id", "sk_category_name", "sync_status",
)  # fmt: skip
_NULLABLE = th.CustomType({"type": ["string", "null"]})


class _Paginator(BaseHATEOASPaginator):  # type: ignore[misc]
    def get_next_url(self, response: Any) -> str | None:
        address: str | None = response.json()["page"]["next"]
        return address


class _Transactions(RESTStream[Any]):  # type: ignore[misc]
    name = "transactions"
    path = "/transactions"
    primary_keys = ("id",)
    records_jsonpath = "$.data[*]"
    schema = th.PropertiesList(*(th.Property(name, _NULLABLE) for name in _FIELDS)).to_dict()
    rows = 0

    @property
    def url_base(self) -> str:
        return str(self.config["base_url"])

    @property
    def authenticator(self) -> Any:
        return BearerTokenAuthenticator(token=self.config["token"])

    def get_new_paginator(self) -> _Paginator:
        return _Paginator()

    def get_url_params(self, _context: Any, next_page_token: Any) -> dict[str, Any]:
        if next_page_token:
            return dict(parse_qsl(next_page_token.query))
        return {"sync_status": "SYNC_READY", "page_size": 100}

    def post_process(self, row: dict[str, Any], _context: Any = None) -> dict[str, Any]:
        _Transactions.rows += 1
        return row


class _Tap(Tap):  # type: ignore[misc]
    name = "tap-bench"
    config_jsonschema = th.PropertiesList(
        th.Property("base_url", th.StringType), th.Property("token", th.StringType)
    ).to_dict()

    def discover_streams(self) -> Sequence[Stream]:
        return [_Transactions(tap=self)]


def main(base_url: str, token: str) -> None:
    tap = _Tap(config={"base_url": base_url, "token": token})
    before = os.times()
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        tap.sync_all()
    used = sum(os.times()[:4]) - sum(before[:4])
    print(json.dumps({"rows": _Transactions.rows, "seconds": used}))


if __name__ == "__main__":
    main(*sys.argv[1:])
