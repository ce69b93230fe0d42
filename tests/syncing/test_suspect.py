from typing import Any

import pytest

from connections.erp.records import Idempotency
from syncing import suspect
from syncing.claims import LEASE_SECONDS
from syncing.engine import post_due_items
from syncing.models import DatabaseIdentity, SyncItem
from syncing.recovery import recover_lost_items
from syncing.settling import steps
from tests.syncing.test_recovery import killed_before_sending
from tests.syncing.world import World, let_time_pass, transaction_body

pytestmark = pytest.mark.django_db


def another_server() -> None:
    """As if the rows had been written on another timeline."""
    suspect.look_at_database()
    DatabaseIdentity.objects.update(timeline=-1)


class TestLookAtDatabase:
    def test_takes_the_first_server_for_what_it_is(self) -> None:
        assert not suspect.look_at_database()
        assert not suspect.look_at_database()

    def test_notices_another_timeline_once(self) -> None:
        another_server()

        assert suspect.look_at_database()
        assert not suspect.look_at_database()


@pytest.mark.matrix("I5", "I10")
class TestAfterAFailoverThatForgotCommits:
    """Matrix I5 and I10."""

    def test_looks_an_item_up_before_it_sends_it_again(self) -> None:
        world = World(Idempotency.LOOKUP)
        (item,) = world.ready()
        SyncItem.objects.update(ready_at="2020-01-01T00:00Z")
        another_server()
        suspect.look_at_database()

        post_due_items(world.worker)

        assert "post_many" not in world.erp.calls
        let_time_pass(300)
        recover_lost_items(world.worker)
        item.refresh_from_db()
        assert item.state == "POSTED"
        assert world.erp.calls.index("find") < world.erp.calls.index("post_many")

    def test_asks_a_person_where_nothing_can_be_looked_up(self) -> None:
        world = World(Idempotency.NONE)
        (item,) = world.ready()
        SyncItem.objects.update(ready_at="2020-01-01T00:00Z")
        another_server()
        suspect.look_at_database()

        post_due_items(world.worker)
        let_time_pass(300)
        recover_lost_items(world.worker)

        item.refresh_from_db()
        assert item.state == "REVIEW"
        assert not world.erp.books.entries

    def test_looks_up_what_has_waited_for_days_since(self) -> None:
        world = World(Idempotency.LOOKUP)
        (item,) = world.ready()
        SyncItem.objects.update(ready_at="2020-01-01T00:00Z")
        another_server()
        suspect.look_at_database()
        let_time_pass(3 * 24 * 3600)

        post_due_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTING"
        assert "post_many" not in world.erp.calls

    def test_asks_a_person_once(self) -> None:
        world = World(Idempotency.NONE)
        (item,) = world.ready()
        SyncItem.objects.update(ready_at="2020-01-01T00:00Z")
        another_server()
        suspect.look_at_database()
        post_due_items(world.worker)
        let_time_pass(300)
        recover_lost_items(world.worker)

        assert steps.move(
            [item.pk],
            to=steps.TO_QUEUE,
            only="i.state = 'REVIEW'",
            text="It is not there.",
            actor="maya",
        )
        post_due_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTED"

    def test_doubts_anew_after_another_failover(self) -> None:
        world = World(Idempotency.NONE)
        (item,) = world.ready()
        SyncItem.objects.update(ready_at="2020-01-01T00:00Z", intended_at="2020-01-02T00:00Z")
        another_server()
        suspect.look_at_database()

        post_due_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTING"
        assert not world.erp.books.entries

    def test_posts_at_once_what_became_ready_afterwards(self) -> None:
        world = World(Idempotency.LOOKUP)
        another_server()
        suspect.look_at_database()
        (item,) = world.ready(transaction_body(updated_at="2099-01-01T00:00:00Z"))

        post_due_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTED"

    @pytest.mark.parametrize("touched", [{}, {"updated_at": "2020-01-01T00:00:00Z"}])
    def test_looks_up_what_it_may_have_known_before_and_has_forgotten_altogether(
        self, touched: dict[str, Any]
    ) -> None:
        world = World(Idempotency.LOOKUP)
        another_server()
        suspect.look_at_database()
        (item,) = world.ready(transaction_body(**touched))

        post_due_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTING"
        assert "post_many" not in world.erp.calls

    def test_waits_for_whoever_claimed_it_before_that_was_forgotten(self) -> None:
        """They may send until their lease is over, and the ERP may take its time over that."""
        world = World(Idempotency.LOOKUP)
        world.ready()
        SyncItem.objects.update(ready_at="2020-01-01T00:00Z")
        another_server()
        suspect.look_at_database()

        post_due_items(world.worker)

        let_time_pass(LEASE_SECONDS - 5)
        assert not recover_lost_items(world.worker)
        let_time_pass(300)
        assert recover_lost_items(world.worker)

    def test_doubts_before_the_next_sweep_has_looked(self) -> None:
        """Whoever is at work as the database fails over claims more at once."""
        world = World(Idempotency.NONE)
        world.ready()
        another_server()

        post_due_items(world.worker)

        assert not world.erp.books.entries
        assert suspect.look_at_database()

    def test_waits_for_whoever_took_it_over_before_that_was_forgotten(self) -> None:
        """They looked, and may be about to send. What was seen before then says nothing."""
        world = World(Idempotency.LOOKUP, settle=40.0)
        (item,) = world.ready()
        killed_before_sending(world)
        let_time_pass(300)
        recover_lost_items(world.worker)  # it is absent, for the first time
        let_time_pass(300)
        another_server()

        assert not recover_lost_items(world.worker)
        suspect.look_at_database()
        assert not recover_lost_items(world.worker)
        let_time_pass(300)
        assert recover_lost_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTING"
        assert not world.erp.books.entries
