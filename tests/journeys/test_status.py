"""`manage.py status`: all sides compared, over a service that has really worked."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from connections.erp.adapters.in_memory import InMemoryErp
from connections.erp.adapters.in_memory_books import demo_books
from connections.erp.errors import Code
from connections.erp.records import DocKind, Document, Line, Ref
from connections.erp.refusals import refusal
from connections.models import Connection, Credential
from connections.ramp_simulator.handles import BusinessHandle
from rampbridge.celery import app
from syncing import schedule, tasks
from syncing.management.commands import status
from syncing.models import SyncItem
from syncing.states import ItemState
from tests.factories import SyncItemFactory

STANDING = {"items", "customers", "oldest_unsynced_age_seconds", "unsynced_amounts", "workers",
            "broker", "database"}  # fmt: skip
COUNTS = {"missing", "doubled", "unbalanced", "unexplained"}


@dataclass(frozen=True)
class Printed:
    out: str
    err: str
    exit_code: int

    @property
    def answer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.out)
        return found

    @property
    def counts(self) -> dict[str, int]:
        return {name: self.answer[name] for name in COUNTS}


def run_status(*arguments: str) -> Printed:
    out, err = StringIO(), StringIO()
    exit_code = 0
    try:
        call_command("status", *arguments, stdout=out, stderr=err)
    except SystemExit as end:
        exit_code = int(end.code or 0)
    return Printed(out.getvalue(), err.getvalue(), exit_code)


@dataclass
class WorkerMeanwhile:
    """Time as the command sees it: whenever it waits, a worker polls the customer."""

    connection: Connection
    seconds: float = 0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
        tasks.poll_connection(connection_id=str(self.connection.pk))


class NobodyMeanwhile(WorkerMeanwhile):
    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def worker(customer: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "time", WorkerMeanwhile(customer))


@pytest.fixture
def bought(
    business: BusinessHandle, customer: Connection, work: Callable[[], None], worker: None
) -> SyncItem:
    """A transaction that has gone all the way."""
    business.create_transaction("18.40", account_code="6300", ready=True)
    work()
    return SyncItem.objects.get(state=ItemState.ACKED)


def document(ref: Ref, amount: str) -> Document:
    lines = (Line("6300", Decimal(amount)), Line("2150", -Decimal(amount)))
    return Document(ref, DocKind.JOURNAL, date(2026, 11, 5), "USD", lines)


@pytest.mark.django_db
class TestStanding:
    def test_is_one_object_for_programs(self) -> None:
        SyncItemFactory.create(amount_minor=1050)

        printed = run_status("--json")

        assert printed.exit_code == 0
        assert printed.answer.keys() == STANDING
        assert printed.answer["items"] == dict.fromkeys(ItemState, 0) | {"READY": 1}
        assert len(printed.answer["items"]) == 10
        assert printed.answer["customers"] == 1
        assert printed.answer["unsynced_amounts"] == {"USD": "10.50"}
        assert 290 < printed.answer["oldest_unsynced_age_seconds"] < 400
        assert (printed.answer["broker"], printed.answer["database"]) == ("ok", "ok")

    def test_counts_workers(self) -> None:
        schedule.progress("here:1")

        assert run_status("--json").answer["workers"] == 1

    def test_is_a_table_for_people(self) -> None:
        SyncItemFactory.create(amount_minor=1050)

        lines = run_status().out.splitlines()

        assert lines[0].split() == ["READY", "1"]
        assert "Customers            1" in lines
        assert "Unsynced amounts     10.50 USD" in lines
        assert not any(line.startswith("ACKED") for line in lines), "zeros say nothing"

    def test_of_nothing_says_so_in_words(self) -> None:
        table = run_status().out

        assert "nothing waits" in table
        assert "Unsynced amounts     none" in table

    def test_names_a_broker_that_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(app.conf, "broker_read_url", "redis://127.0.0.1:1/0")

        assert "does not answer" in run_status("--json").answer["broker"]

    def test_says_that_the_database_does_not_answer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse() -> None:
            raise OperationalError("connection refused")

        monkeypatch.setattr(connection, "cursor", refuse)

        with pytest.raises(CommandError, match="The database does not answer: connection refused"):
            run_status("--json")


@pytest.mark.django_db(transaction=True)
class TestVerify:
    def test_agrees_after_work_well_done(self, bought: SyncItem) -> None:
        printed = run_status("--json", "--verify")

        assert printed.answer.keys() == STANDING | COUNTS | {"details"}
        assert printed.counts == dict.fromkeys(COUNTS, 0)
        assert printed.answer["details"] == {}
        assert printed.exit_code == 0

    def test_waits_until_what_is_ready_in_ramp_is_known_to_us(
        self, business: BusinessHandle, bought: SyncItem
    ) -> None:
        business.create_transaction("5.00", account_code="6300", ready=True)

        printed = run_status("--json", "--verify")

        assert printed.counts["missing"] == 0
        assert SyncItem.objects.count() == 2

    def test_says_when_nobody_polls_and_names_what_we_do_not_know(
        self,
        business: BusinessHandle,
        bought: SyncItem,
        customer: Connection,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(status, "time", NobodyMeanwhile(customer))
        unknown = business.create_transaction("5.00", account_code="6300", ready=True)

        printed = run_status("--json", "--verify")

        assert "Not polled within 90 s: Harbor Coffee Roasters. Is a worker running?" in printed.err
        assert printed.answer["details"]["missing"] == [
            f"transaction {unknown.id} is ready in Ramp and unknown to us"
        ]
        assert printed.exit_code == 1

    def test_misses_a_document_that_vanished_from_the_ledger(
        self, erp: InMemoryErp, bought: SyncItem
    ) -> None:
        erp.books = demo_books()

        printed = run_status("--json", "--verify")

        assert printed.counts == dict.fromkeys(COUNTS, 0) | {"missing": 1}
        assert printed.answer["details"]["missing"] == [
            f"transaction {bought.ramp_id} is ACKED and not in the ERP"
        ]
        assert printed.exit_code == 1

    def test_counts_a_document_that_is_there_twice(
        self, erp: InMemoryErp, bought: SyncItem
    ) -> None:
        erp.books.unique_refs = False
        (entry,) = erp.books.entries
        erp.books.book(entry.doc)

        printed = run_status("--json", "--verify")

        assert printed.counts["doubled"] == 1
        assert printed.exit_code == 1

    def test_counts_a_document_over_another_amount(
        self, erp: InMemoryErp, bought: SyncItem
    ) -> None:
        SyncItem.objects.filter(pk=bought.pk).update(amount_minor=1841)

        printed = run_status("--json", "--verify")

        assert printed.counts["unbalanced"] == 2, "neither Ramp nor the ERP has that amount"
        assert printed.exit_code == 1

    def test_counts_a_document_that_nobody_can_explain(
        self, erp: InMemoryErp, customer: Connection, bought: SyncItem
    ) -> None:
        stray = Ref(str(customer.ramp_business_id), DocKind.JOURNAL, "stray")
        number = erp.post(document(stray, "5.00")).number

        printed = run_status("--verify")

        assert f"{number} is in the ERP, and no item has its reference" in printed.out
        assert "unexplained         1" in printed.out
        assert printed.exit_code == 1

    def test_is_a_table_for_people(self, bought: SyncItem) -> None:
        lines = run_status("--verify").out.splitlines()

        assert [line.split() for line in lines[-4:]] == [
            ["missing", "0"],
            ["doubled", "0"],
            ["unbalanced", "0"],
            ["unexplained", "0"],
        ]

    def test_needs_the_simulator_and_says_so(
        self, customer: Connection, settings: Settings, live_server: LiveServer
    ) -> None:
        settings.RAMP_API_URL = live_server.url

        with pytest.raises(CommandError, match="needs the Ramp simulator; this is another Ramp"):
            run_status("--verify")

    def test_says_where_the_simulator_does_not_answer(
        self, customer: Connection, settings: Settings
    ) -> None:
        settings.RAMP_API_URL = "http://127.0.0.1:1"

        with pytest.raises(CommandError, match=r"does not answer at http://127\.0\.0\.1:1/"):
            run_status("--verify")

    def test_names_the_customer_whose_erp_does_not_answer(
        self, erp: InMemoryErp, bought: SyncItem
    ) -> None:
        erp.faults.refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="the ledger")

        with pytest.raises(CommandError, match=r"ledger of Harbor Coffee Roasters cannot be read"):
            run_status("--verify")

    def test_names_the_customer_without_credentials(
        self, customer: Connection, bought: SyncItem
    ) -> None:
        Credential.objects.filter(side=Credential.Side.ERP).delete()

        with pytest.raises(CommandError, match="Harbor Coffee Roasters has no ERP credentials"):
            run_status("--verify")
