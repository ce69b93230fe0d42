"""Serve /metrics to Prometheus."""

import signal
import sys
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from rampbridge.metrics.collecting import Figures
from rampbridge.metrics.revision import git_revision
from rampbridge.metrics.serving import MetricsApp, server


class Command(BaseCommand):
    help = "Serve /metrics to Prometheus, on METRICS_HOST and METRICS_PORT, until it is ended."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, help="in place of METRICS_PORT; 0: any free one")

    def handle(self, *, port: int | None, **_: Any) -> None:
        wanted = settings.METRICS_PORT if port is None else port
        if wanted is None:
            raise CommandError("METRICS_PORT is not set, so there is nothing to serve.")
        figures = Figures(release=settings.RELEASE, git=git_revision(settings.BASE_DIR))
        try:
            serving = server(settings.METRICS_HOST, wanted, MetricsApp(figures))
        except OSError as error:
            raise CommandError(
                f"{settings.METRICS_HOST}:{wanted} cannot be listened on: {error.strerror}."
            ) from error
        signal.signal(signal.SIGTERM, _end)
        with serving:
            self.stdout.write(f"http://{settings.METRICS_HOST}:{serving.server_port}/metrics")
            self.stdout.flush()
            try:
                serving.serve_forever()
            except KeyboardInterrupt:
                return


def _end(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
