import pytest

from connections.erp import http
from connections.erp.adapters.tryton.adapter import tryton_erp

ACCOUNT = {"url": "http://127.0.0.1:1", "database": "one", "login": "us", "password": "-"}


def test_a_process_has_one_adapter_for_an_account_until_its_connections_are_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(http, "_clients", {})  # those of other tests stay open
    first = tryton_erp(ACCOUNT)
    assert tryton_erp(ACCOUNT) is first

    http.close_clients()

    assert tryton_erp(ACCOUNT) is not first
