"""What our own parts have left behind, well and in trouble."""

from collections.abc import Sequence
from datetime import timedelta

from rampbridge.metrics import writing
from rampbridge.models import Process
from syncing.models import FleetRound, WorkerBeat
from tests.browser import desk_stories
from tests.factories import now

QUEUES = ("button", "export", "chart")


def processes(*, seconds: int, names: Sequence[str] = ("bridge-1:31", "bridge-2:44")) -> None:
    """A worker and a web process that were last seen so long ago, and a clock."""
    seen_at, started_at = now() - timedelta(seconds=seconds), now() - timedelta(hours=5)
    for name, kind in zip(names, (Process.Kind.WORKER, Process.Kind.WEB), strict=True):
        queues = QUEUES if kind == Process.Kind.WORKER else ()
        Process.objects.create(
            name=name,
            kind=kind,
            queues=list(queues),
            release="0.1.0",
            started_at=started_at,
            seen_at=seen_at,
        )
        WorkerBeat.objects.create(worker=name, beat_at=seen_at, started_at=started_at, tasks=48_211)
    FleetRound.objects.update_or_create(id=1, defaults={"at": seen_at})


def in_trouble() -> None:
    """A day of the desk, and workers that stand still; with very long names."""
    desk_stories.a_day()
    long = "bridge-worker-with-a-very-long-name.eu-central-1.compute.internal.example"
    processes(seconds=300, names=(f"{long}:31", f"{long}:44"))
    writing.write_down()
