"""Look for alerts once a minute and send their messages, without a broker and without workers."""

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from syncing.alerts.looking import keep_looking, look


class Command(BaseCommand):
    help = "Look for alerts once a minute, until ended. It notices when every worker is gone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="look once and end")

    def handle(self, *_: Any, **options: Any) -> None:
        if options["once"]:
            self._look_once()
            return
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        keep_looking(timezone.now, stop)

    def _look_once(self) -> None:
        done = look(now=timezone.now())
        if done is None:
            self.stdout.write("Somebody else has just looked.")
            return
        for alert in done.opened:
            self.stdout.write(f"opened    {alert.title}\n          {alert.first_step}")
        for alert in done.resolved:
            self.stdout.write(f"resolved  {alert.resolved_because}")
        self.stdout.write(f"{len(done.opened)} opened, {len(done.resolved)} resolved.")
