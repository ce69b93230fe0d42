import pytest

from connections.erp.records import Idempotency
from syncing import suspect
from syncing.engine import post_due_items
from syncing.models import DatabaseIdentity, SyncItem
from syncing.recovery import recover_lost_items
from tests.syncing.world import World, let_time_pass

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

    def test_posts_at_once_what_became_ready_afterwards(self) -> None:
        world = World(Idempotency.LOOKUP)
        another_server()
        suspect.look_at_database()
        (item,) = world.ready()

        post_due_items(world.worker)

        item.refresh_from_db()
        assert item.state == "POSTED"
