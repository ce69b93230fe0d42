"""What is open is sampled once a minute and thinned out as it grows old."""

from datetime import timedelta

import pytest

from syncing.age_bands import BANDS
from syncing.backlog.folding import fold
from syncing.backlog.sampling import sample
from syncing.backlog.thinning import thin_out
from syncing.models import BacklogSample, CustomerDay, SampleRound, SyncItem
from tests.factories import ConnectionFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db


def bands(**narrowed: object) -> dict[int, int]:
    return dict(BacklogSample.objects.filter(**narrowed).values_list("band", "items"))


class TestSampling:
    def test_puts_what_is_open_into_bands_of_age(self) -> None:
        connection = ConnectionFactory.create(erp_name="Tryton", owner="maya")
        for hours in (0.5, 2, 5, 30, 100):
            SyncItemFactory.create(connection=connection, ready_at=now() - timedelta(hours=hours))
        SyncItemFactory.create(connection=connection, state="WITHDRAWN")

        assert sample(now=now())

        assert bands(connection=None) == dict.fromkeys(range(5), 1)
        assert bands(connection=connection) == dict.fromkeys(range(5), 1)
        first = BacklogSample.objects.filter(connection=None)[0]
        assert (first.erp_name, first.owner, first.word, first.party) == (
            "Tryton", "maya", "queued", "us",
        )  # fmt: skip

    def test_a_band_says_when_its_items_became_ready(self) -> None:
        at = now()
        after, until = BANDS[1].ready_between(at)

        assert (after, until) == (at - timedelta(hours=4), at - timedelta(hours=1))
        assert BANDS[-1].ready_between(at)[0] is None

    def test_what_is_past_its_lease_is_uncertain(self) -> None:
        SyncItemFactory.create(
            state="POSTING", lease_token=ConnectionFactory.create().pk,
            lease_until=now() - timedelta(minutes=1),
        )  # fmt: skip

        sample(now=now())

        assert BacklogSample.objects.get(connection=None).word == "uncertain"

    def test_a_minute_is_sampled_once_and_customers_once_an_hour(self) -> None:
        SyncItemFactory.create()
        hour = now().replace(minute=0, second=0, microsecond=0)

        assert sample(now=hour)
        assert not sample(now=hour + timedelta(seconds=30))
        assert sample(now=hour + timedelta(minutes=1))

        rounds = SampleRound.objects.order_by("at").values_list("has_customers", flat=True)
        assert list(rounds) == [True, False]
        assert BacklogSample.objects.filter(connection=None).count() == 2
        assert BacklogSample.objects.exclude(connection=None).count() == 1

    def test_says_that_it_looked_where_nothing_is_open(self) -> None:
        sample(now=now())

        assert SampleRound.objects.exists()
        assert not BacklogSample.objects.exists()

    def test_a_day_of_a_customer_keeps_its_longest_waits(self) -> None:
        hour = now().replace(minute=0, second=0, microsecond=0)
        item = SyncItemFactory.create(ready_at=hour - timedelta(hours=10))
        done = SyncItemFactory.create(connection=item.connection, ready_at=hour)
        SyncItem.objects.filter(pk=done.pk).update(state="POSTING", lease_token=done.ramp_id)
        SyncItem.objects.filter(pk=done.pk).update(state="POSTED", erp_id="7")
        SyncItem.objects.filter(pk=done.pk).update(state="ACKING")
        SyncItem.objects.filter(pk=done.pk).update(
            state="ACKED", acked_at=hour + timedelta(seconds=100)
        )
        fold()

        sample(now=hour)

        day = CustomerDay.objects.get()
        assert (day.open_items, day.p95_open_seconds) == (1, 36_000)
        assert day.p95_done_seconds == 120


class TestThinningOut:
    def test_keeps_the_first_of_each_stretch(self) -> None:
        long_ago = (now() - timedelta(days=5)).replace(minute=0, second=0, microsecond=0)
        for minutes in (0, 1, 30, 60):
            at = long_ago + timedelta(minutes=minutes)
            SampleRound.objects.create(at=at, has_customers=minutes in (0, 60))
            BacklogSample.objects.create(
                at=at, object_type="bill", word="queued", party="us", band=0, currency="USD",
                exponent=2, items=1, amount_minor=5,
            )  # fmt: skip

        thin_out()

        kept = [long_ago, long_ago + timedelta(hours=1)]
        assert list(SampleRound.objects.order_by("at").values_list("at", flat=True)) == kept
        assert list(BacklogSample.objects.order_by("at").values_list("at", flat=True)) == kept

    def test_leaves_what_is_fresh(self) -> None:
        SyncItemFactory.create()
        sample(now=now())
        fold()

        assert thin_out() == 0
