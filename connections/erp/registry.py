"""From the name of an ERP to an adapter for one customer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.adapters.tryton.adapter import tryton_erp
from connections.erp.port import ErpAdapter

ADAPTERS: Mapping[str, Callable[[Mapping[str, str]], ErpAdapter]] = {
    "ledger": InMemoryErp.named,
    "tryton": tryton_erp,
}


def adapter_for(kind: str, settings: Mapping[str, str]) -> ErpAdapter:
    """The adapter for one customer's ERP. Nothing is sent yet.

    `settings` by kind:
      tryton  url, database, login, password
      ledger  name; optionally idempotency (see `Idempotency`) and settle (seconds)

    :raises KeyError: if there is no adapter of that kind, or a setting is missing
    """
    return ADAPTERS[kind](settings)
