"""Pictures of a customer's chart: both sides, decisions, uploads."""

from collections.abc import Iterator

from connections.models import CustomField, MirrorRun
from tests.browser.screens import Shot


def shots(slug: str) -> Iterator[Shot]:
    """Every page about the chart of one customer that drifts."""
    home, name = f"/customers/{slug}/chart/", f"chart-{slug}"
    run = MirrorRun.objects.filter(connection__slug=slug).order_by("started_at")[1]
    field = CustomField.objects.get(connection__slug=slug)
    yield Shot(name, home)
    yield Shot(f"{name}-decide-account", f"{home}decide/?kind=account&id=6999")
    yield Shot(f"{name}-decide-option", f"{home}decide/?kind=option&id=fld&field=department")
    yield Shot(f"{name}-records", f"{home}records/")
    yield Shot(f"{name}-field", f"{home}fields/{field.pk}/")
    for show in ("runs", "batches", "refused"):
        yield Shot(f"{name}-{show}", f"{home}batches/?show={show}")
    yield Shot(f"{name}-run", f"{home}batches/{run.pk}/")


def still_shots() -> Iterator[Shot]:
    """A mirror that is stopped."""
    yield Shot("chart-stopped", "/customers/verde-clinics/chart/")
