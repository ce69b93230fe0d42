"""A server that takes requests and never answers, on a real socket (fault S8)."""

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event, Lock, Thread

import pytest
from django.db import connection as database
from django.test import Client
from django.urls import reverse

from connections import clients
from connections.models import Connection, Credential
from connections.secrets import keep_credential
from syncing import tasks
from syncing.fleet.keeping import keep_up
from syncing.models import Schedule, SilentHost, SyncItem
from tests.factories import UserFactory, now
from tests.syncing.world import World, mapping_set, transaction_body

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.matrix("S8")]


class DeafServer:
    """Takes connections and says nothing, until it hangs up on all of them."""

    def __init__(self) -> None:
        self.heard = Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self._lock = Lock()
        self._is_over = False
        Thread(target=self._listen, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                one, _ = self._socket.accept()
                one.recv(1)
                with self._lock:
                    if self._is_over:
                        one.close()
                    else:
                        self._held.append(one)
                self.heard.set()

    def hang_up(self) -> None:
        with self._lock:
            self._is_over = True
            for one in self._held:
                one.close()

    def close(self) -> None:
        self.hang_up()
        self._socket.shutdown(socket.SHUT_RDWR)  # else its thread would wait for callers for ever
        self._socket.close()


@pytest.fixture
def deaf() -> Iterator[DeafServer]:
    server = DeafServer()
    yield server
    server.close()


def customer_of(server: DeafServer, name: str) -> Connection:
    world = World()
    world.ready(transaction_body())
    Connection.objects.filter(pk=world.connection.pk).update(
        name=name, erp_kind="tryton", erp_name="Tryton"
    )
    world.connection.refresh_from_db()
    keep_credential(
        world.connection,
        Credential.Side.ERP,
        {"url": server.url, "database": "one", "login": "l", "password": "p"},
    )
    return world.connection


def work(connection: Connection) -> None:
    try:
        tasks.work_connection(connection_id=str(connection.pk))
    finally:
        database.close()


def test_others_go_on_while_it_hangs_and_pages_say_that_it_does(
    deaf: DeafServer, monkeypatch: pytest.MonkeyPatch, client: Client
) -> None:
    elsewhere = World()
    elsewhere.ready(transaction_body())
    hung, sibling = customer_of(deaf, "Harbor Coffee"), customer_of(deaf, "Verde Clinics")
    Schedule.objects.update(next_poll_at="2099-01-01T00:00Z")
    real = clients.erp_adapter
    monkeypatch.setattr(
        "connections.clients.erp_adapter",
        lambda one: elsewhere.erp if one.pk == elsewhere.connection.pk else real(one),
    )
    monkeypatch.setattr("syncing.tasks.mapping_set", lambda *_: mapping_set())
    monkeypatch.setattr("syncing.tasks.ring", lambda *_, **__: None)
    real(sibling)  # its server is known from its last work

    with ThreadPoolExecutor(1) as worker:
        hanging = worker.submit(work, hung)
        assert deaf.heard.wait(30)
        work(elsewhere.connection)
        posted = SyncItem.objects.get(connection=elsewhere.connection).state
        is_hanging_still = not hanging.done()
        deaf.hang_up()
        hanging.result()

    assert (posted, is_hanging_still) == ("POSTED", True)
    assert SyncItem.objects.get(connection=hung).state in {"READY", "POSTING"}
    assert SilentHost.objects.get().host == deaf.url.removeprefix("http://")
    keep_up(now=now())
    client.force_login(UserFactory.create(roles=["support"]))
    page = client.get(reverse("customers")).content.decode()
    assert page.count("ERP silent") >= 2
    item = SyncItem.objects.get(connection=sibling)
    said = client.get(reverse("item", args=[item.pk])).content.decode()
    assert "The server of Tryton has not answered since" in said
