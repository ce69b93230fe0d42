import os
import time
from typing import Any

from django.core.signals import request_finished
from django.core.wsgi import get_wsgi_application
from django.dispatch import receiver

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rampbridge.settings")

pages = get_wsgi_application()

from django.conf import settings  # noqa: E402

from rampbridge.metrics.writing import Self, writer  # noqa: E402  needs settings
from rampbridge.models import Process  # noqa: E402
from rampbridge.webhook_door import with_webhook_door  # noqa: E402

application = with_webhook_door(pages)

writer.introduce(Self(Process.Kind.WEB, settings.RELEASE))


@receiver(request_finished)
def write_figures(**_: Any) -> None:
    """The answer has been sent: nobody waits for this."""
    writer.write_if_due(now=time.monotonic())
