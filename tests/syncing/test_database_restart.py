"""PostgreSQL restarts in the middle of a worker's work (fault I4).

What a restart does to a client is done to ours: the server ends its connection, whatever it is
about, and takes the next one. Between two tasks Celery drops what is unusable, as here.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from django.db import OperationalError, close_old_connections
from django.db import connection as database

from connections import vendor_queue
from connections.erp.records import Idempotency
from syncing import claims
from syncing.claims import LEASE_SECONDS
from syncing.engine import post_due_items
from syncing.models import SyncItem
from syncing.recovery import recover_lost_items
from tests.syncing.test_evidence import Desk as CustomerWithReceipts
from tests.syncing.test_evidence import file_of
from tests.syncing.test_vendor_saga import Desk as CustomerOfVendors
from tests.syncing.test_vendor_saga import fresh, let_creations_age, no_coding
from tests.syncing.world import World, let_time_pass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.matrix("I4")]
ENFORCED_OR_FOUND = [Idempotency.UNIQUE_KEY, Idempotency.LOOKUP]


def restart() -> None:
    """End our connection from the server's side, as it does when it goes down."""
    with psycopg.connect(**database.get_connection_params(), autocommit=True) as other:
        assert database.connection is not None
        pid = database.connection.info.backend_pid
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


def state() -> str:
    return str(SyncItem.objects.values_list("state", flat=True).get())


@pytest.mark.parametrize("idempotency", ENFORCED_OR_FOUND)
def test_after_the_erp_has_booked_the_document_is_found_and_not_doubled(
    idempotency: Idempotency, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(idempotency)
    world.ready()

    with monkeypatch.context() as restarting:
        restarting.setattr("syncing.results.record_posted", lambda *_: _restarted())
        with pytest.raises(OperationalError):
            post_due_items(world.worker)
    close_old_connections()
    assert state() == "POSTING"

    let_time_pass(LEASE_SECONDS + 1)
    recover_lost_items(world.worker)

    assert state() == "POSTED"
    assert len(world.erp.books.entries) == 1


@pytest.mark.parametrize("idempotency", ENFORCED_OR_FOUND)
def test_before_the_intent_was_durable_nothing_was_sent(
    idempotency: Idempotency, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(idempotency)
    world.ready()
    begin = claims.begin_posting

    def begin_and_restart(*intent: object) -> None:
        begin(*intent)  # type: ignore[arg-type]
        restart()

    with monkeypatch.context() as restarting:
        restarting.setattr("syncing.claims.begin_posting", begin_and_restart)
        with pytest.raises(OperationalError):
            post_due_items(world.worker)
    close_old_connections()

    assert state() == "READY"
    assert len(world.erp.books.entries) == 0
    assert post_due_items(world.worker) == 1
    assert len(world.erp.books.entries) == 1


@contextmanager
def deadlocks() -> Iterator[None]:
    """PostgreSQL ends each statement that writes down that a file is attached."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION deadlock() RETURNS trigger LANGUAGE plpgsql
                AS $$ BEGIN RAISE deadlock_detected; END $$;
            CREATE TRIGGER deadlock BEFORE UPDATE ON syncing_attachment FOR EACH ROW
                WHEN (NEW.state = 'attached') EXECUTE FUNCTION deadlock()
            """
        )
        try:
            yield
        finally:
            cursor.execute("DROP FUNCTION deadlock() CASCADE")


def test_a_file_is_not_given_up_for_a_deadlock() -> None:
    """It is not the file's mistake: whoever is next looks for it in the ERP and finds it."""
    desk = CustomerWithReceipts()
    _, item = desk.posted()

    with deadlocks(), pytest.raises(OperationalError):
        desk.send()
    assert file_of(item).state == "sending"
    desk.send_until_quiet()

    assert file_of(item).state == "attached"
    assert len(desk.attached(item)) == 1


def test_a_vendor_is_not_given_up_though_another_connection_is_open_by_now() -> None:
    """Django drops the one that was cut within a transaction, so nothing else goes wrong."""
    desk = CustomerOfVendors()
    item = desk.waiting()

    def refuse_and_restart(request: httpx.Request) -> httpx.Response | None:
        if (answer := no_coding(request)) is not None:
            restart()
        return answer

    desk.wire.intercept = refuse_and_restart
    with pytest.raises(OperationalError):
        desk.create()
    close_old_connections()
    assert fresh(item).state == "READY"

    desk.wire.intercept = lambda _: None
    let_creations_age(vendor_queue.LEASE_SECONDS + 1)
    desk.create()
    desk.post()

    assert fresh(item).state == "POSTED"


def _restarted() -> None:
    restart()
    database.cursor().execute("SELECT 1")
