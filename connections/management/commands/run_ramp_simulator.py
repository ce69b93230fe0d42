"""Serve the pretend Ramp on a port."""

import argparse
import signal
import threading
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.ramp_simulator.app import Simulator
from connections.ramp_simulator.scenarios import NAMES
from connections.ramp_simulator.serving import Serving
from connections.ramp_simulator.store import NoStore, SqliteStore


class Command(BaseCommand):
    help = (
        "Serve a pretend Ramp on this machine. Prints one line with its address when it is ready."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
        parser.add_argument("--scenario", choices=NAMES, default="demo")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--scale", type=float, default=1, help="multiplies the scenario's transactions"
        )
        parser.add_argument(
            "--store",
            type=Path,
            help="a file that keeps everything across restarts; without it, nothing is kept",
        )
        parser.add_argument(
            "--traffic",
            type=float,
            default=0,
            metavar="PER_MINUTE",
            help="transactions that become ready per minute, over all businesses",
        )
        parser.add_argument(
            "--rate-limit",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="refuse more than 200 calls in 10 seconds, as Ramp does",
        )

    def handle(self, **options: Any) -> None:
        simulator = Simulator.with_scenario(
            options["scenario"],
            seed=options["seed"],
            scale=options["scale"],
            rate_limit=options["rate_limit"],
            store=SqliteStore(options["store"]) if options["store"] else NoStore(),
        )
        end = threading.Event()
        for ending in (signal.SIGTERM, signal.SIGINT):
            signal.signal(ending, lambda *_: end.set())
        try:
            serving = Serving(
                simulator, port=options["port"], traffic_per_minute=options["traffic"]
            )
        except OSError as error:
            raise CommandError(
                f"Port {options['port']} cannot be used: {error.strerror}."
                " Choose another with --port, or 0 for a free one."
            ) from error
        with serving:
            self.stdout.write(f"Ramp simulator ready at {serving.address}")
            self.stdout.flush()
            end.wait()
