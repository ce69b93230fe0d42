import os
import time
from typing import Any

from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rampbridge.settings")

application = get_wsgi_application()

from rampbridge.metrics.writing import writer  # noqa: E402  needs settings


@request_finished.connect
def write_figures(**_: Any) -> None:
    """The answer has been sent: nobody waits for this."""
    writer.write_if_due(now=time.monotonic())
