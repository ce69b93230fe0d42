from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from connections.models import Connection
from syncing import schedule
from syncing.models import WorkerBeat
from syncing.states import ItemState
from syncing.status import WORKER_SILENT_SECONDS, service_status
from tests.factories import ConnectionFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


class TestServiceStatus:
    def test_of_an_empty_service_is_all_zeros(self) -> None:
        status = service_status()

        assert status.items == dict.fromkeys(ItemState, 0)
        assert (status.customers, status.workers) == (0, 0)
        assert status.oldest_unsynced_age_seconds is None
        assert status.unsynced_amounts == {}

    def test_counts_items_by_state_over_all_customers(self) -> None:
        SyncItemFactory.create()
        SyncItemFactory.create_batch(2, acked=True)
        SyncItemFactory.create(failed=True)

        items = service_status().items

        assert {state: count for state, count in items.items() if count} == {
            "READY": 1,
            "ACKED": 2,
            "FAILED": 1,
        }

    def test_takes_the_age_from_the_oldest_item_that_is_not_through(self) -> None:
        SyncItemFactory.create(ready_at=now() - timedelta(seconds=90))
        SyncItemFactory.create(failed=True, ready_at=now() - timedelta(seconds=600))
        SyncItemFactory.create(acked=True, ready_at=now() - timedelta(days=3))
        SyncItemFactory.create(state=ItemState.EXTERNAL, ready_at=now() - timedelta(days=3))

        age = service_status().oldest_unsynced_age_seconds

        assert age is not None
        assert 540 <= age < 660, "the ten minutes of the failed one, on whichever clock"

    def test_adds_up_what_is_unsynced_per_currency(self) -> None:
        SyncItemFactory.create(amount_minor=1050)
        SyncItemFactory.create(amount_minor=-50, failed=True)
        SyncItemFactory.create(amount_minor=2400, currency="JPY", exponent=0)
        SyncItemFactory.create(amount_minor=999, currency="EUR", acked=True)

        assert service_status().unsynced_amounts == {"JPY": "2400", "USD": "10.00"}

    def test_counts_customers_that_are_not_closed(self) -> None:
        ConnectionFactory.create()
        ConnectionFactory.create(stage=Connection.Stage.PAUSED)
        ConnectionFactory.create(stage=Connection.Stage.CLOSED)

        assert service_status().customers == 2

    def test_counts_workers_that_finished_something_lately(self) -> None:
        schedule.progress("here:1")
        silent = now() - timedelta(seconds=WORKER_SILENT_SECONDS + 5)
        WorkerBeat.objects.create(worker="here:2", beat_at=silent, started_at=silent)

        assert service_status().workers == 1

    def test_costs_the_same_however_many_items_there_are(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        SyncItemFactory.create_batch(20)

        with django_assert_num_queries(5):
            service_status()
