"""Pictures of runs, webhooks, audit lines and incidents."""

from collections.abc import Iterator

from tests.browser.screens import Shot


def empty_shots() -> Iterator[Shot]:
    yield Shot("runs-empty", "/runs/")
    yield Shot("webhooks-empty", "/webhooks/")
    yield Shot("audit-empty", "/audit/?customer=&area=items")


def shots() -> Iterator[Shot]:
    from syncing.models import Incident, SyncRun, WebhookEvent

    yield Shot("runs", "/runs/")
    yield Shot("runs-presses", "/runs/?show=presses")
    yield Shot("runs-none", "/runs/?trigger=backfill")
    for name, run in (
        ("running", SyncRun.objects.filter(finished_at=None).first()),
        ("problem", SyncRun.objects.exclude(problem="").first()),
        ("webhook", SyncRun.objects.filter(trigger="webhook").first()),
    ):
        if run:
            yield Shot(f"run-{name}", f"/runs/{run.pk}/")
    yield Shot("webhooks", "/webhooks/")
    yield Shot("webhooks-customer", "/webhooks/?customer=northwind-robotics")
    for event in WebhookEvent.objects.filter(connection__slug="northwind-robotics"):
        state = "refused" if event.event_type == "refused" else "run" if event.run_id else "waits"
        yield Shot(f"webhook-{state}", f"/webhooks/{event.pk}/")
    yield Shot("audit", "/audit/")
    yield Shot("audit-history", "/audit/?history=connection")
    for incident in Incident.objects.all():
        yield Shot(
            f"incident-{'over' if incident.ended_at else 'open'}", f"/incidents/{incident.pk}/"
        )


def report_shots() -> Iterator[Shot]:
    from syncing.models import AckBatch

    yield Shot("report", f"/runs/reports/{AckBatch.objects.get().pk}/")
    yield Shot("customer-entities", "/customers/refused/entities/")


def long_shots() -> Iterator[Shot]:
    from syncing.models import Incident, SyncRun

    yield Shot("long-runs", "/runs/")
    yield Shot("long-webhooks", "/webhooks/")
    yield Shot("long-audit", "/audit/")
    for run in SyncRun.objects.filter(trigger="webhook"):
        yield Shot("long-run", f"/runs/{run.pk}/")
    for incident in Incident.objects.filter(ended_at=None):
        yield Shot("long-incident", f"/incidents/{incident.pk}/")
