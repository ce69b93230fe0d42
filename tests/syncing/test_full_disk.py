"""The database's disk is full: what cannot be written down first is not sent (fault I9).

PostgreSQL fails the statement that would need more room with its class 53 error. Here a trigger
does so in its name, for the statements that write timelines: every claim and every result.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import OperationalError
from django.db import connection as database

from connections.erp.records import Idempotency
from syncing.claims import LEASE_SECONDS
from syncing.engine import post_due_items
from syncing.models import SyncItem
from syncing.recovery import recover_lost_items
from tests.syncing.world import World, let_time_pass

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.matrix("I9")]


@contextmanager
def full_disk() -> Iterator[None]:
    """No timeline takes another line within the block."""
    with database.cursor() as cursor:
        cursor.execute(
            """
            CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'could not extend file: No space left on device'
                    USING ERRCODE = 'disk_full';
            END $$;
            CREATE TRIGGER no_room BEFORE INSERT ON syncing_itemevent
                FOR EACH ROW EXECUTE FUNCTION no_room();
            """
        )
    try:
        yield
    finally:
        with database.cursor() as cursor:
            cursor.execute("DROP FUNCTION no_room CASCADE")


def state() -> str:
    return str(SyncItem.objects.values_list("state", flat=True).get())


def test_without_a_durable_intent_nothing_is_sent() -> None:
    world = World(Idempotency.LOOKUP)
    world.ready()

    with full_disk(), pytest.raises(OperationalError, match="No space left"):
        post_due_items(world.worker)

    assert state() == "READY"
    assert not {"post", "post_many"} & set(world.erp.calls)
    assert post_due_items(world.worker) == 1, "and with room again it goes through"
    assert len(world.erp.books.entries) == 1


@pytest.mark.parametrize("idempotency", [Idempotency.UNIQUE_KEY, Idempotency.LOOKUP])
def test_what_was_booked_and_could_not_be_written_down_is_found_again(
    idempotency: Idempotency, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(idempotency)
    world.ready()
    post_many = world.erp.post_many

    def book_while_the_disk_fills(documents: object) -> object:
        answers = post_many(documents)  # type: ignore[arg-type]
        disk.__enter__()
        return answers

    disk = full_disk()
    monkeypatch.setattr(world.erp, "post_many", book_while_the_disk_fills)
    with pytest.raises(OperationalError, match="No space left"):
        post_due_items(world.worker)
    disk.__exit__(None, None, None)
    monkeypatch.undo()
    assert state() == "POSTING"

    let_time_pass(LEASE_SECONDS + 1)
    recover_lost_items(world.worker)

    assert state() == "POSTED"
    assert len(world.erp.books.entries) == 1
