"""A server of several customers' ERPs that lets requests hang (fault S8)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from connections.erp.errors import Code, ErpError, Outcome
from connections.erp.records import Document, Idempotency, Posted
from connections.erp.refusals import refusal
from connections.models import Connection, Credential, ErpAddress
from connections.secrets import keep_credential
from syncing import claims, errands, schedule, silent_hosts, tasks
from syncing.models import Schedule, SilentHost, SyncItem
from syncing.queries import fleet
from syncing.queries.health import silence
from tests.factories import UserFactory, VendorCreationFactory
from tests.syncing.world import World, let_time_pass, transaction_body

pytestmark = [pytest.mark.django_db, pytest.mark.matrix("S8")]

HOST = "erp.example.com:8000"


class Server:
    """One server with the ERPs of some customers, which all hang or none does."""

    def __init__(self, customers: int, idempotency: Idempotency) -> None:
        self.worlds = [World(idempotency) for _ in range(customers)]
        self.hangs = True
        self.asked: list[int] = []
        """How many documents each call brought."""
        for world in self.worlds:
            ErpAddress.objects.create(connection=world.connection, host=HOST)
            world.ready(transaction_body(), transaction_body())
            self._listen(world)
        Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")

    def _listen(self, world: World) -> None:
        real = world.erp.post_many

        def post_many(docs: Sequence[Document]) -> Sequence[Posted | ErpError]:
            self.asked.append(len(docs))
            if self.hangs:
                raise refusal(Code.TIMEOUT, erp="Ledger", outcome=Outcome.UNKNOWN)
            return real(docs)

        world.erp.post_many = post_many  # type: ignore[method-assign]

    def erp_of(self, connection: Connection) -> Any:
        return next(one.erp for one in self.worlds if one.connection.pk == connection.pk)

    @property
    def connections(self) -> list[Connection]:
        return [one.connection for one in self.worlds]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Server:
    made = Server(4, getattr(request, "param", Idempotency.UNIQUE_KEY))
    monkeypatch.setattr("connections.clients.erp_adapter", made.erp_of)
    monkeypatch.setattr("syncing.tasks.mapping_set", lambda *_: made.worlds[0].mappings)
    monkeypatch.setattr("syncing.tasks.ring", lambda *_, **__: None)
    monkeypatch.setattr("syncing.tasks.answer_here", lambda *_: None)
    return made


def work(connection: Connection) -> None:
    tasks.work_connection(connection_id=str(connection.pk))


def rung_for() -> set[Any]:
    """Whom the next sweep rings for work."""
    Schedule.objects.update(rung_at=None)
    return {one.connection_id for one in schedule.ring() if one.work}


class TestAServerThatHangs:
    def test_is_tried_by_one_customer_it_knows_and_one_that_it_does_not(
        self, server: Server
    ) -> None:
        first, second, third, fourth = server.connections
        for connection in (first, second):
            work(connection)
        let_time_pass(120)

        with ExitStack() as turns:
            leases = [
                turns.enter_context(claims.only_worker(one.pk))
                for one in (first, second, third, fourth)
            ]
            may = [lease is not None and lease.may_post for lease in leases]

        assert may == [True, False, True, False]

    def test_is_asked_for_one_document_at_a_time(self, server: Server) -> None:
        first, second, *_ = server.connections
        work(first)
        server.asked.clear()

        work(second)

        assert server.asked == [1]

    def test_is_sent_one_of_what_was_lost_at_a_time(self, server: Server) -> None:
        first, *_ = server.connections
        work(first)
        let_time_pass(200)
        server.asked.clear()

        work(first)

        assert server.asked == [1]

    @pytest.mark.parametrize("server", [Idempotency.LOOKUP], indirect=True)
    def test_has_spoken_when_it_answers_a_look_up(self, server: Server) -> None:
        first, *_ = server.connections
        work(first)
        let_time_pass(200)

        work(first)  # what it has not is sent again at once, and that hangs

        assert server.erp_of(first).calls.count("find") == 1, "it has nothing, and it says so"
        fell_silent = SilentHost.objects.get().silent_since
        assert fell_silent > timezone.now() - timedelta(seconds=100), "anew"

    def test_is_not_rung_for_while_others_try(self, server: Server) -> None:
        first, second, *_ = server.connections
        elsewhere = World()
        elsewhere.ready()
        Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")
        work(first)

        with claims.only_worker(second.pk):
            found = rung_for()

        assert found == {elsewhere.connection.pk}

    def test_is_rung_for_again_after_a_turn(self, server: Server) -> None:
        first, second, third, fourth = server.connections
        work(first)
        work(second)

        assert rung_for() == {third.pk, fourth.pk}

    def test_is_not_waited_for_by_a_worker_that_died(self, server: Server) -> None:
        first, second, *_ = server.connections
        work(first)
        host = SilentHost.objects.get()
        host.fresh_until = timezone.now() - timedelta(seconds=1)
        host.fresh_token = first.pk
        host.save()

        with claims.only_worker(second.pk) as lease:
            assert lease is not None
            assert lease.may_post

    def test_has_all_go_on_with_its_first_answer(self, server: Server) -> None:
        first, second, *_ = server.connections
        work(first)
        server.hangs = False

        work(second)

        assert not SilentHost.objects.exists()
        assert SyncItem.objects.filter(connection=second, state="POSTED").count() == 2

    def test_has_all_go_on_when_it_refuses(self, server: Server) -> None:
        first, second, *_ = server.connections
        work(first)
        server.hangs = False
        server.erp_of(second).refuse_with = refusal(Code.UNBALANCED, erp="Ledger")

        work(second)

        assert not SilentHost.objects.exists()

    def test_is_left_alone_by_errands(self, server: Server) -> None:
        first, second, *_ = server.connections
        VendorCreationFactory.create(connection=second, due_at="2026-01-01T00:00Z")
        before = errands.due()

        work(first)

        assert (len(before), errands.due()) == (1, [])

    def test_is_forgotten_when_nobody_has_asked_it_for_long(self, server: Server) -> None:
        first, second, third, *_ = server.connections
        work(first)
        SilentHost.objects.update(silent_at=timezone.now() - timedelta(minutes=6))

        with claims.only_worker(second.pk) as one, claims.only_worker(third.pk) as other:
            assert one is not None
            assert other is not None
            assert (one.may_post, other.may_post) == (True, True)


class TestAServerThatAnswersOthers:
    def test_is_not_silent(self, server: Server) -> None:
        first, second, *_ = server.connections
        Schedule.objects.filter(pk=second.pk).update(last_posted_at=Now())

        work(first)

        assert not SilentHost.objects.exists()

    def test_keeps_none_of_them_waiting_for_who_hangs(self, server: Server) -> None:
        """One customer's own database hangs: the others have a place of their own."""
        first, second, *_ = server.connections
        work(first)
        let_time_pass(120)
        server.hangs = False

        with claims.only_worker(first.pk) as hanging:
            assert hanging is not None
            assert hanging.may_post
            work(second)

        assert SyncItem.objects.filter(connection=second, state="POSTED").count() == 2


class TestWhenAllIsWell:
    def test_no_statement_more_is_needed(
        self, server: Server, django_assert_num_queries: Any
    ) -> None:
        first, *_ = server.connections

        with django_assert_num_queries(1):
            claims.WorkLease(first.pk, first.pk).take()

    def test_refusals_at_once_hold_nobody_up(self, server: Server) -> None:
        first, *_ = server.connections
        server.hangs = False
        server.erp_of(first).refuse_with = refusal(Code.ERP_UNAVAILABLE, erp="Ledger")

        work(first)

        assert not SilentHost.objects.exists()


class TestWords:
    def test_stand_on_the_customers_line(self, server: Server) -> None:
        first, second, *_ = server.connections
        work(first)

        (row,) = fleet.rows([second.pk], now=timezone.now())

        assert row.health.label == "ERP silent"
        assert "take turns, one document at a time" in row.health.meaning

    def test_stand_on_the_page_of_an_item_that_waits(self, server: Server, client: Client) -> None:
        first, second, *_ = server.connections
        work(first)
        client.force_login(UserFactory.create(roles=["support"]))
        item = SyncItem.objects.filter(connection=second).order_by("pk")[0]

        said = client.get(reverse("item", args=[item.pk])).content.decode()

        assert "The server of Ledger has not answered since" in said

    def test_name_the_day_for_it_may_last_past_midnight(self) -> None:
        said = silence("Tryton", datetime(2026, 11, 17, 23, 50, tzinfo=UTC))

        assert "has not answered since 17 Nov 23:50 UTC" in said


class TestAddresses:
    def test_are_kept_without_what_is_secret(self) -> None:
        from connections.clients import erp_adapter

        connection = World().connection
        connection.erp_kind = "tryton"
        connection.save(update_fields=["erp_kind"])
        keep_credential(
            connection,
            Credential.Side.ERP,
            {
                "url": "https://ERP.example.com:8000/x",
                "database": "d",
                "login": "l",
                "password": "p",
            },
        )

        erp_adapter(connection)

        assert ErpAddress.objects.get().host == HOST


@pytest.mark.django_db(transaction=True)
class TestTwoProcesses:
    def test_never_have_the_same_place(self) -> None:
        SilentHost.objects.create(host=HOST, silent_since=timezone.now(), silent_at=timezone.now())
        tokens = [World().connection.pk for _ in range(4)]

        def take(token: Any) -> bool:
            try:
                return silent_hosts.take_place(HOST, silent_hosts.Place.FRESH, token)
            finally:
                database.close()

        with ThreadPoolExecutor(4) as threads:
            assert sum(threads.map(take, tokens)) == 1
