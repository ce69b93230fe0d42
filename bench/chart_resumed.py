"""Writes that a first upload makes twice when its worker is killed in the middle.

It is killed three times: before an upload is sent, after it was sent, and after its outcome was
kept. What comes out is the writes over the fewest, less one, so that 0 is none too many.
"""

from collections.abc import Callable
from unittest.mock import patch

from bench import mirrored_chart
from bench.figures import Measured
from bench.virtual_service import VirtualService, virtual_service
from connections.models import FieldOption, Vendor
from rampbridge.lib import failpoints

STAGE = virtual_service
VENDORS, OPTIONS = 50_000, 5_000
PLACES = ("before_upload", "after_upload", "after_upload_kept")


class Killed(BaseException):
    """Where a worker would be gone. Nothing catches it, so nothing is put right."""


def measure(service: VirtualService, vendors: int = VENDORS, options: int = OPTIONS) -> Measured:
    connection = mirrored_chart.customer(service, "resumed", vendors=vendors, options=options)
    fewest = mirrored_chart.fewest_calls(vendors, options)
    made: dict[str, int] = {}
    for number, place in enumerate(PLACES, start=1):
        with patch.object(failpoints, "hit", _kill_at(place, passage=max(1, fewest // 5))):
            try:
                mirrored_chart.upload(service, connection)
            except Killed:
                _add(made, service.calls)
            else:
                raise AssertionError(f"the worker was to be killed for the {number}th time")
    _add(made, mirrored_chart.upload(service, connection))
    for model in (Vendor, FieldOption):
        lost = model.objects.filter(connection=connection, ramp_id=None)
        assert not lost.exists(), "all of it has arrived"
    writes = sum(count for operation, count in made.items() if operation.startswith("POST"))
    return Measured(writes / fewest - 1, {"fewest": fewest, "made": made})


def _kill_at(place: str, *, passage: int) -> Callable[[str], None]:
    passed = 0

    def hit(name: str) -> None:
        nonlocal passed
        passed += name == place
        if name == place and passed == passage:
            raise Killed(place)

    return hit


def _add(made: dict[str, int], more: dict[str, int]) -> None:
    for operation, count in more.items():
        made[operation] = made.get(operation, 0) + count
