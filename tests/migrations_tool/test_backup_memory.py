"""The backup of very many objects takes no more memory than that of a few (R-90)."""

import json
import tracemalloc
import uuid
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from django.utils import timezone

from connections.ramp.client import RampClient
from migrations_tool import backup, services
from migrations_tool.backup import making
from migrations_tool.models import ConnectionMigration, FormerCoding
from migrations_tool.steps import Path, Step
from migrations_tool.work import Work
from tests.factories import ConnectionFactory
from tests.plugins import garbage

pytestmark = pytest.mark.django_db

OLD = UUID(int=1)
ROOT = "/developer/v1/"
MARGIN = 256 * 1024
"""Bytes that more objects may cost: the longer list of parts, and what Python keeps around."""


class Stream:
    """A Ramp of so many card transactions, each made up when it is asked for."""

    def __init__(self, transactions: int) -> None:
        self.transactions = transactions

    def client(self) -> RampClient:
        http = httpx.Client(transport=httpx.MockTransport(self._answer))
        return RampClient(base_url="http://ramp.test", auth=httpx.Auth(), http=http)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(ROOT)
        if path == "accounting/all-connections":
            return _json({"connections": [{"id": str(OLD), "is_active": True}]})
        if path == "accounting/tax/code":
            return _json({})
        if path == "accounting/accounts":
            return _page([_account(number) for number in range(20)])
        if path == "transactions":
            start = int(request.url.params.get("start", 0))
            end = min(start + 100, self.transactions)
            rows = [_transaction(number) for number in range(start, end)]
            return _page(rows, str(end) if end < self.transactions else None)
        return _page([])


def _json(document: Any) -> httpx.Response:
    return httpx.Response(200, content=json.dumps(document).encode())


def _page(rows: list[Any], following: str | None = None) -> httpx.Response:
    return _json({"data": rows, "page": {"next": following}})


def _account(number: int) -> dict[str, Any]:
    return {
        "ramp_id": str(UUID(int=number + 100)),
        "id": str(number),
        "name": f"Account {number}",
        "classification": "EXPENSE",
        "is_active": True,
    }


def _transaction(number: int) -> dict[str, Any]:
    account = number % 20
    minor = 100 + number
    return {
        "id": str(uuid.uuid5(OLD, str(number))),
        "amount": minor / 100,
        "currency_code": "USD",
        "merchant_name": f"Merchant {number % 997}",
        "memo": f"Bought for project {number}",
        "state": "CLEARED",
        "sync_status": "SYNCED",
        "accounting_date": "2026-10-01T12:00:00+00:00",
        "user_transaction_time": "2026-10-01T12:00:00+00:00",
        "line_items": [
            {
                "amount": {"amount": minor, "currency_code": "USD"},
                "memo": "",
                "accounting_field_selections": [
                    {
                        "id": str(UUID(int=account + 100)),
                        "external_id": str(account),
                        "name": f"Account {account}",
                        "category_info": {"external_id": "Category", "type": "GL_ACCOUNT"},
                    }
                ],
            }
        ],
        "accounting_field_selections": [],
    }


def work_on(transactions: int) -> Work:
    migration = services.start(
        ConnectionFactory.create(), path=Path.MIGRATION, actor="ines", now=timezone.now()
    )
    ConnectionMigration.objects.filter(pk=migration.pk).update(old_connection_id=OLD)
    migration.refresh_from_db()
    work = Work(migration, Step.BACKUP, "ines", timezone.now)
    vars(work)["ramp"] = Stream(transactions).client()
    return work


@pytest.fixture
def traced() -> Iterator[None]:
    with garbage.as_usual():
        tracemalloc.start()
        yield
        tracemalloc.stop()


def peak_of(transactions: int) -> int:
    """Bytes at most, beyond what there was before."""
    work = work_on(transactions)
    tracemalloc.reset_peak()
    before, _ = tracemalloc.get_traced_memory()

    making.make(work, anew=False)

    _, most = tracemalloc.get_traced_memory()
    archive = backup.latest(work.migration)
    assert archive is not None
    assert archive.counts["transaction"] == transactions
    assert FormerCoding.objects.filter(backup=archive).count() == transactions
    return most - before


@pytest.mark.usefixtures("traced")
def test_ten_times_the_objects_take_the_same_memory() -> None:
    peak_of(200)  # what is imported and cached at first is no part of it

    few, many = peak_of(300), peak_of(3000)

    assert many < few + MARGIN
