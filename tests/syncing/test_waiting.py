"""Items that wait for something else than time."""

import uuid

import pytest

from connections.models import Connection
from syncing import claims, releases, results
from syncing.models import ItemEvent, SyncItem
from tests.factories import SyncItemFactory

pytestmark = pytest.mark.django_db


def waiting(connection: Connection, cause: str) -> SyncItem:
    item = SyncItemFactory.create(connection=connection)
    results.record_waiting(None, [(item.pk, cause, "Waits for the vendor Figma in the ERP.")])
    item.refresh_from_db()
    return item


class TestRecordWaiting:
    def test_waits_without_a_time_and_says_for_what(self) -> None:
        item = SyncItemFactory.create()

        results.record_waiting(None, [(item.pk, "vendor:m1", "Waits for the vendor Figma.")])

        item.refresh_from_db()
        assert (item.state, item.due_at, item.blocked_by) == ("READY", None, "vendor:m1")
        assert item.error_title == "Waits for the vendor Figma."
        (line,) = ItemEvent.objects.filter(item=item)
        assert (line.kind, line.text) == ("waiting", "Waits for the vendor Figma.")

    def test_a_refusal_that_asks_to_wait_costs_no_attempt(self) -> None:
        item = SyncItemFactory.create(posting=True)
        assert item.lease_token is not None

        results.record_waiting(item.lease_token, [(item.pk, "bill:1", "Waits for its bill.")])

        item.refresh_from_db()
        assert (item.state, item.attempts) == ("READY", 0)
        assert not SyncItem.objects.exclude(lease_token=None).exists()

    @pytest.mark.matrix("X12")
    def test_a_worker_that_lost_its_lease_lets_nothing_wait(self) -> None:
        item = SyncItemFactory.create(posting=True)

        assert results.record_waiting(uuid.uuid4(), [(item.pk, "bill:1", "Waits.")]) == 0
        assert results.record_waiting(None, [(item.pk, "bill:1", "Waits.")]) == 0

        item.refresh_from_db()
        assert item.state == "POSTING"

    def test_what_waits_is_not_claimed(self) -> None:
        item = waiting(SyncItemFactory.create().connection, "vendor:m1")
        SyncItem.objects.exclude(pk=item.pk).delete()

        assert claims.lock_ready(item.connection_id) == []


class TestReleaseWaiting:
    def test_frees_all_of_a_cause_and_nothing_else(self) -> None:
        connection = SyncItemFactory.create().connection
        freed = [waiting(connection, "vendor:m1") for _ in range(2)]
        other = waiting(connection, "vendor:m2")
        stranger = waiting(SyncItemFactory.create().connection, "vendor:m1")

        assert releases.release_waiting(connection.pk, "vendor:m1", "Figma is a vendor now.") == 2

        for item in freed:
            item.refresh_from_db()
            assert (item.blocked_by, item.error_title) == ("", "")
            assert item.due_at is not None
            newest = ItemEvent.objects.filter(item=item).latest("id")
            assert (newest.kind, newest.text) == ("released", "Figma is a vendor now.")
        for item in (other, stranger):
            item.refresh_from_db()
            assert item.due_at is None
