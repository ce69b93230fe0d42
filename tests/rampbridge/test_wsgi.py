"""What happens around a request in a real web process, beside the answer."""

from collections.abc import Iterator
from types import ModuleType

import pytest
from django.core.signals import request_finished
from django.db import close_old_connections

from rampbridge.lib import measures, meters
from rampbridge.metrics.writing import Self
from rampbridge.models import Meter, Process

pytestmark = pytest.mark.django_db


@pytest.fixture
def wsgi() -> Iterator[ModuleType]:
    """As a web process loads it. Afterwards this process is none any more."""
    from rampbridge import wsgi

    request_finished.connect(wsgi.write_figures)
    request_finished.disconnect(close_old_connections)  # the test's own is not to be closed
    yield wsgi
    request_finished.connect(close_old_connections)
    request_finished.disconnect(wsgi.write_figures)


def test_figures_are_written_and_the_process_is_seen_once_an_answer_is_sent(
    wsgi: ModuleType,
) -> None:
    meters.take()
    measures.RECOVERIES.add("posting")
    wsgi.writer.introduce(Self(Process.Kind.WEB, "1.2.3"))

    request_finished.send(sender=None)

    assert Meter.objects.get(name="recoveries").value == 1
    assert Process.objects.get().kind == "web"
