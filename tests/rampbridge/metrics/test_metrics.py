"""What /metrics says, from counting to text."""

import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from connections.models import RampToken
from rampbridge.lib import measures, meters
from rampbridge.metrics import reading, writing
from rampbridge.metrics.collecting import HEAVY_SECONDS, LIGHT_SECONDS, Figures
from rampbridge.metrics.serving import MetricsApp
from rampbridge.models import Meter, MeterDay, MeterMinute, Process
from syncing.backlog import folding
from syncing.models import SyncItem
from tests.factories import ConnectionFactory, ScheduleFactory, SyncItemFactory, now

pytestmark = pytest.mark.django_db

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(clock: Clock) -> MetricsApp:
    return MetricsApp(Figures(release="1.2.3", git="abcdef", clock=clock))


def ask(app: MetricsApp, path: str = "/metrics", method: str = "GET") -> tuple[str, str]:
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    said: list[str] = []
    body = app(
        {**environ, "PATH_INFO": path, "REQUEST_METHOD": method},
        lambda status, headers: said.append(status),
    )
    return said[0], b"".join(body).decode()


def scrape(app: MetricsApp) -> Samples:
    status, text = ask(app)
    assert status == "200 OK"
    return dict(_samples(text))


def _samples(text: str) -> Iterator[tuple[tuple[str, tuple[tuple[str, str], ...]], float]]:
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            yield (sample.name, tuple(sorted(sample.labels.items()))), sample.value


def of(samples: Samples, name: str, **labels: str) -> float | None:
    return samples.get((f"rampbridge_{name}", tuple(sorted(labels.items()))))


class TestCounting:
    def test_processes_add_up_and_none_takes_its_figures_with_it(self, app: MetricsApp) -> None:
        for _process in range(2):
            measures.RAMP_REQUESTS.add("GET /bills", "200", times=3)
            measures.RAMP_SECONDS.add(0.2, "GET /bills")
            writing.write_down()

        seen = scrape(app)

        assert of(seen, "ramp_requests_total", endpoint="GET /bills", code="200") == 6
        bucket = "ramp_request_duration_seconds_bucket"
        assert of(seen, bucket, endpoint="GET /bills", le="0.1") == 0
        assert of(seen, bucket, endpoint="GET /bills", le="0.25") == 2
        assert of(seen, bucket, endpoint="GET /bills", le="+Inf") == 2
        assert of(seen, "ramp_request_duration_seconds_sum", endpoint="GET /bills") == 0.4

    def test_keeps_what_the_database_does_not_take(self, monkeypatch: pytest.MonkeyPatch) -> None:
        measures.RECOVERIES.add("posting", times=2)

        def refuse(_figures: object) -> None:
            raise OperationalError("gone")

        with monkeypatch.context() as patch:
            patch.setattr(writing, "add", refuse)
            writing.write_down()
        assert not Meter.objects.exists()
        writing.write_down()

        assert Meter.objects.get(name="recoveries").value == 2
        assert MeterDay.objects.get(name="recoveries").value == 2

    def test_writes_every_few_seconds_only(self) -> None:
        writer = writing.Writer()
        for at in (0.0, writing.EVERY_SECONDS - 1, writing.EVERY_SECONDS):
            measures.RECOVERIES.add("posting")
            writer.write_if_due(now=at)

            written = Meter.objects.get(name="recoveries").value
            assert written == (3 if at == writing.EVERY_SECONDS else 1)

    def test_drops_what_nobody_looks_at_any_more(self) -> None:
        today = now().date()
        for day in (today, today - timedelta(days=writing.KEPT_DAYS + 2)):
            MeterDay.objects.create(day=day, name="recoveries", labels=["posting"], value=1)
        MeterMinute.objects.create(minute=now() - timedelta(hours=3), name="x", value=1)

        writing.tidy_up()

        assert MeterDay.objects.get().day == today
        assert not MeterMinute.objects.exists()

    def test_a_process_is_seen_for_as_long_as_it_lives_and_a_day(self) -> None:
        writer = writing.Writer()
        writer.introduce(writing.Self(Process.Kind.WORKER, "1.2.3", ["export"]))
        writer.write_if_due(now=0.0)
        writing.tidy_up()

        seen = Process.objects.get()
        assert (seen.kind, seen.queues, seen.release) == ("worker", ["export"], "1.2.3")
        Process.objects.update(seen_at=now() - 2 * writing.GONE_AFTER)
        writing.tidy_up()
        assert not Process.objects.exists()


class TestFlow:
    def test_steps_are_counted_by_where_from_and_where_to(self, app: MetricsApp) -> None:
        item = SyncItemFactory.create()
        SyncItem.objects.filter(pk=item.pk).update(state="WITHDRAWN")

        seen = scrape(app)

        told = {"from": "READY", "to": "WITHDRAWN", "object_type": "transaction"}
        assert of(seen, "item_transitions_total", **told) == 1

    def test_failures_are_counted_by_whose_move_it_is(self, app: MetricsApp) -> None:
        connection = ConnectionFactory.create(erp_kind="tryton")
        item = SyncItemFactory.create(connection=connection)
        SyncItem.objects.filter(pk=item.pk).update(
            state="FAILED", error_category="needs_integrator"
        )

        seen = scrape(app)

        told = {"category": "needs_integrator", "adapter": "tryton"}
        assert of(seen, "failed_syncs_total", **told) == 1

    def test_what_was_done_stays_counted_when_its_item_is_deleted(
        self, app: MetricsApp, clock: Clock
    ) -> None:
        item = SyncItemFactory.create(acked=True, arrived_by="webhook")
        name, told = "sync_latency_seconds_count", {"object_type": "transaction", "path": "webhook"}
        before = of(scrape(app), name, **told)

        item.delete()
        clock.seconds += LIGHT_SECONDS

        assert before == of(scrape(app), name, **told) == 1


class TestGauges:
    def test_backlog_is_what_waits_for_nobody_but_us(self, app: MetricsApp) -> None:
        live = ConnectionFactory.create(stage="live")
        silent = ConnectionFactory.create(stage="live")
        ScheduleFactory.create(connection=live)
        ScheduleFactory.create(connection=silent, resume_at=now() + timedelta(minutes=5))
        long_ago = now() - timedelta(hours=2)
        SyncItemFactory.create(
            connection=live, ready_at=long_ago, due_at=long_ago, arrived_by="webhook"
        )
        SyncItemFactory.create(connection=live, failed=True)
        SyncItemFactory.create(connection=live, due_at=None)
        SyncItemFactory.create(connection=silent, due_at=long_ago)

        seen = scrape(app)

        classes = ("button", "webhook", "poll", "backfill")
        by_class = {name: of(seen, "backlog_items", **{"class": name}) for name in classes}
        assert by_class == {"button": 0, "webhook": 1, "poll": 0, "backfill": 0}
        age = of(seen, "oldest_unsynced_age_seconds", object_type="transaction")
        assert age == pytest.approx(7200, abs=60)

    def test_says_what_it_is_a_build_of(self, app: MetricsApp) -> None:
        assert of(scrape(app), "build_info", version="1.2.3", git="abcdef") == 1

    def test_what_takes_too_long_is_left_out_and_the_rest_is_not(
        self, app: MetricsApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = reading.gauges

        def slow(wanted: Any) -> reading.Values:
            return {} if wanted[0].name == "oldest_unsynced_age_seconds" else whole(wanted)

        monkeypatch.setattr(reading, "gauges", slow)

        seen = scrape(app)

        assert of(seen, "backlog_items", **{"class": "poll"}) is None
        assert of(seen, "outbox_open_batches") == 0


class TestScrapes:
    def test_many_at_once_cost_the_database_no_more_than_one(
        self, app: MetricsApp, clock: Clock, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(9):  # of which three read figures
            scrape(app)
        with django_assert_num_queries(0):
            scrape(app)
        clock.seconds += LIGHT_SECONDS
        with django_assert_num_queries(5):
            scrape(app)
        clock.seconds += HEAVY_SECONDS
        with django_assert_num_queries(9):
            scrape(app)

    def test_no_label_names_a_customer(self, app: MetricsApp) -> None:
        connection = ConnectionFactory.create(slug="zebra-quarry", name="Zebra Quarry")
        ScheduleFactory.create(connection=connection)
        SyncItemFactory.create(connection=connection, failed=True)

        _, text = ask(app)

        assert "rampbridge_items" in text
        for secret in ("zebra", "Zebra", str(connection.pk)):
            assert secret not in text

    @pytest.mark.skipif(
        not shutil.which("promtool"), reason="Debian's package prometheus has promtool"
    )
    def test_promtool_finds_nothing(self, app: MetricsApp) -> None:
        RampToken.objects.create(
            connection=ConnectionFactory.create(stage="live"),
            sealed=b"x",
            expires_at=now(),
            minted_at=now(),
        )

        _, text = ask(app)
        checked = subprocess.run(
            ["promtool", "check", "metrics"],
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )

        assert "token_expiry_timestamp_seconds{" in text
        assert checked.returncode == 0, checked.stderr + checked.stdout

    def test_answers_nothing_else(self, app: MetricsApp) -> None:
        assert ask(app, "/")[0].startswith("404")
        assert ask(app, method="POST")[0].startswith("405")

    def test_what_rules_wait_for_is_0_before_it_happens(self, app: MetricsApp) -> None:
        seen = scrape(app)

        assert of(seen, "sync_button_requests_total", result="late") == 0
        told = {"type": "refused", "result": "bad_signature"}
        assert of(seen, "webhook_events_total", **told) == 0
        assert of(seen, "externally_synced_total") == 0

    def test_fails_while_the_database_does_not_answer(
        self, app: MetricsApp, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse() -> None:
            raise OperationalError("password=canary")

        monkeypatch.setattr(reading, "meters", refuse)

        status, text = ask(app)

        assert status.startswith("503")
        assert "canary" not in text


def test_a_fork_does_not_write_its_parents_figures() -> None:
    measures.RECOVERIES.add("posting")

    meters._forget()

    assert not meters.take()


def test_folding_moves_steps_on_and_loses_none(app: MetricsApp, clock: Clock) -> None:
    item = SyncItemFactory.create()
    SyncItem.objects.filter(pk=item.pk).update(state="EXTERNAL")
    before = scrape(app)

    folding.fold()
    clock.seconds += LIGHT_SECONDS

    assert of(before, "externally_synced_total") == of(scrape(app), "externally_synced_total") == 1
    assert Meter.objects.get(name="externally_synced").value == 1
