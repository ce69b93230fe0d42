"""What a pull does to items: the store of one page, and what is set aside."""

import json
import uuid
from typing import Any

import pytest

from connections.ramp.pages import TransactionPage
from connections.ramp.schemas import Transaction
from syncing import snapshots
from syncing.engine import post_due_items
from syncing.kinds.transactions import TRANSACTION, snapshot_of
from syncing.models import ItemEvent, ItemPayload, SyncItem
from tests.syncing.world import (
    World,
    connection_with_schedule,
    let_snapshots_age,
    let_time_pass,
    list_ready,
    transaction_body,
)

pytestmark = pytest.mark.django_db


def page(*bodies: dict[str, Any]) -> TransactionPage:
    raw = json.dumps({"data": list(bodies), "page": {"next": None}}).encode()
    return TransactionPage.read(raw, Transaction, base_url="http://ramp.test")


def stored(world: World, *bodies: dict[str, Any]) -> snapshots.Stored:
    read = page(*bodies)
    return snapshots.store_page(
        world.connection,
        read.storable,
        [(TRANSACTION, snapshot_of(one)) for one in read.transactions],
        listed_at=snapshots.database_now(),
    )


def kinds(item: SyncItem) -> list[str]:
    return list(ItemEvent.objects.filter(item=item).order_by("id").values_list("kind", flat=True))


class TestStorePage:
    def test_makes_an_item_of_what_is_new(self) -> None:
        world = World()
        body = transaction_body(1234)

        assert stored(world, body) == snapshots.Stored(seen=1, new=1)

        item = SyncItem.objects.get()
        assert (item.state, item.label, item.memo, item.person) == (
            "READY",
            "Figma",
            "design seats",
            "Ada Byron",
        )
        assert str(item.money) == "12.34 USD"
        assert kinds(item) == ["ready"]

    @pytest.mark.matrix("P3")
    def test_lists_the_same_object_again_without_changing_anything(self) -> None:
        world = World()
        body = transaction_body()
        stored(world, body)
        before = SyncItem.objects.values("state", "state_at", "due_at", "attempts").get()

        assert stored(world, body) == snapshots.Stored(seen=1)

        assert SyncItem.objects.values("state", "state_at", "due_at", "attempts").get() == before
        assert kinds(SyncItem.objects.get()) == ["ready"]

    def test_a_look_at_the_same_content_makes_the_snapshot_young_again(self) -> None:
        """Rule 7."""
        world = World()
        body = transaction_body()
        stored(world, body)
        let_snapshots_age(3600)
        assert post_due_items(world.worker) == 0

        stored(world, body)

        assert post_due_items(world.worker) == 1

    @pytest.mark.matrix("P5")
    def test_one_object_twice_in_a_page_is_one_item(self) -> None:
        """Rows move between pages while they are read."""
        world = World()
        body = transaction_body()
        read = page(body, body)

        snapshots.store_page(
            world.connection, read.storable,
            [(TRANSACTION, snapshot_of(one)) for one in read.items],
            listed_at=snapshots.database_now(),
        )  # fmt: skip

        assert SyncItem.objects.count() == 1

    def test_changed_content_queues_a_failed_item_again(self) -> None:
        world = World()
        body = transaction_body(account=None)
        (item,) = list_ready(world.connection, body)
        post_due_items(world.worker)

        coded = transaction_body() | {"id": body["id"]}
        assert stored(world, coded) == snapshots.Stored(seen=1, changed=1)

        item.refresh_from_db()
        assert (item.state, item.error_title, item.blocked_by) == ("READY", "", "")
        assert item.failure_telling == "", "the old error is not told any more"
        assert kinds(item) == ["ready", "refused", "changed"]
        post_due_items(world.worker)
        item.refresh_from_db()
        assert item.state == "POSTED"

    def test_words_that_no_document_is_made_of_change_nothing(self) -> None:
        world = World()
        body = transaction_body()
        stored(world, body)

        assert stored(world, body | {"synced_at": None, "state": "COMPLETION"}).changed == 0

    @pytest.mark.parametrize(
        "change",
        [
            {"amount": 99.99},
            {"memo": "other"},
            {"accounting_date": "2026-10-01T00:00:00+00:00"},
            {"entity_id": str(uuid.UUID(int=7))},
            {"line_items": []},
            {"merchant_name": "Slack"},
        ],
        ids=lambda change: next(iter(change)),
    )
    @pytest.mark.matrix("X22")
    def test_everything_a_document_is_made_of_counts_as_content(
        self, change: dict[str, Any]
    ) -> None:
        world = World()
        body = transaction_body()
        stored(world, body)

        assert stored(world, body | change).changed == 1
        assert ItemPayload.objects.get().ramp | change == ItemPayload.objects.get().ramp

    @pytest.mark.matrix("X22")
    def test_what_is_under_way_keeps_the_body_it_was_sent_with(self) -> None:
        """An edit after the post shows in the reconcile, not in the payload."""
        world = World()
        body = transaction_body()
        stored(world, body)
        world.erp.faults.lose_answers = 1
        post_due_items(world.worker)

        stored(world, body | {"amount": 99.99})

        item = SyncItem.objects.get()
        assert item.state == "POSTING"
        assert ItemPayload.objects.get().ramp["amount"] == 12.34

    def test_what_is_ready_again_reopens(self) -> None:
        world = World()
        body = transaction_body()
        (item,) = list_ready(world.connection, body)
        snapshots.leave(item.pk, "WITHDRAWN", why="Taken back.")

        assert stored(world, body).new == 1

        item.refresh_from_db()
        assert item.state == "READY"
        assert kinds(item) == ["ready", "withdrawn", "ready"]

    @pytest.mark.matrix("K10")
    def test_what_was_exported_by_hand_stays_so_whatever_an_old_list_says(self) -> None:
        """A list begun before Export was pressed must not post it."""
        world = World()
        body = transaction_body()
        (item,) = list_ready(world.connection, body)
        snapshots.leave(item.pk, "EXTERNAL", why="Export was pressed.")

        stored(world, body)

        item.refresh_from_db()
        assert item.state == "EXTERNAL"

    @pytest.mark.matrix("K18")
    def test_an_object_offered_again_after_the_report_is_reported_again(self) -> None:
        world = World()
        body = transaction_body()
        (item,) = list_ready(world.connection, body)
        _make_acked(item)
        let_time_pass(120)

        stored(world, body)

        item.refresh_from_db()
        assert (item.state, item.reack_due) == ("ACKED", True)

    def test_a_list_made_up_just_before_the_report_says_nothing(self) -> None:
        world = World()
        body = transaction_body()
        (item,) = list_ready(world.connection, body)
        _make_acked(item)

        stored(world, body)

        item.refresh_from_db()
        assert not item.reack_due

    def test_the_same_ramp_id_at_two_customers_is_two_items(self) -> None:
        """INV8."""
        first, second = World(), World(connection=connection_with_schedule())
        body = transaction_body()
        stored(first, body)
        stored(second, body)

        assert SyncItem.objects.values("connection").distinct().count() == 2

    def test_a_page_without_objects_is_nothing(self) -> None:
        assert stored(World()) == snapshots.Stored()

    @pytest.mark.matrix("P10")
    @pytest.mark.parametrize("name", ["Fig\0ma", "Fig\ud800ma"], ids=["NUL", "half a surrogate"])
    def test_letters_that_the_database_refuses_do_not_stop_a_page(self, name: str) -> None:
        """One odd name must not hold up ninety-nine neighbours."""
        world = World()

        assert stored(world, transaction_body(merchant_name=name), transaction_body()).new == 2

        assert SyncItem.objects.filter(label="Fig\ufffdma").exists()
        assert post_due_items(world.worker) == 2

    def test_a_hundred_objects_cost_one_statement(self, django_assert_num_queries: Any) -> None:
        world = World()
        read = page(*(transaction_body() for _ in range(100)))
        rows = [(TRANSACTION, snapshot_of(one)) for one in read.transactions]
        now = snapshots.database_now()

        with django_assert_num_queries(1):
            snapshots.store_page(world.connection, read.storable, rows, listed_at=now)


class TestLeave:
    @pytest.mark.matrix("X12")
    def test_does_not_touch_what_has_moved_on(self) -> None:
        world = World()
        (item,) = world.ready()
        post_due_items(world.worker)

        assert not snapshots.leave(item.pk, "WITHDRAWN", why="Taken back.")

        item.refresh_from_db()
        assert item.state == "POSTED"

    def test_forgets_the_error_with_the_item(self) -> None:
        world = World()
        (item,) = world.ready(transaction_body(account=None))
        post_due_items(world.worker)

        assert snapshots.leave(item.pk, "EXTERNAL", why="Export was pressed.")

        item.refresh_from_db()
        assert (item.error_category, item.error_text, item.failure_telling) == ("", "", "")


def _make_acked(item: SyncItem) -> None:
    """Straight through all states; the database allows no shortcut."""
    now = snapshots.database_now()
    steps: list[dict[str, Any]] = [
        {"state": "POSTING", "lease_token": uuid.uuid4()},
        {"state": "POSTED", "erp_id": "1", "erp_number": "DOC-1"},
        {"state": "ACKING"},
        {"state": "ACKED", "acked_at": now},
    ]
    for step in steps:
        SyncItem.objects.filter(pk=item.pk).update(**step)
