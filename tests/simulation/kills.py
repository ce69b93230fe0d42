"""Kill worker processes in the middle of their work, hundreds of times, and count what is broken.

    ./run kill-test --kills 3000 --seed 7 --json

Real processes run the real doorbells against a real PostgreSQL, a pretend Ramp and ledgers behind
sockets that lose every fifth write. They die at named failpoints, or freeze beyond their leases.
In between, all of them are befallen by what `disasters` lists.
Then faults stop, the work is finished, and every object must stand in its ledger exactly once, or
visibly nowhere. Time runs fast (see `fast_time`) so that nothing else has to be changed.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import django
import psycopg
from psycopg import sql

from rampbridge.lib import failpoints
from tests.plugins import migrated
from tests.simulation.outcome import SPEED, Outcome, Wanted
from tests.simulation.power import Power

if TYPE_CHECKING:
    from tests.simulation.stage import Stage

LEAST_STRIKES = 5
"""So often each failpoint must have struck before a run counts."""
BACKLOG = 150
LONGEST_RUN = 900.0
"""Seconds on the wall, for so many kills as a test asks for; more take longer."""
LONGEST_END = 240.0
"""Seconds on the wall, four hours of fast time, in which work ends once nothing goes wrong."""
HOPELESS_AFTER = 500
"""Kills, or twice as many as wanted, after which a failpoint that was not struck never will be."""


def run(wanted: Wanted, url: str, room: Path, power: Power | None = None) -> Outcome:
    """One run on an empty, migrated database; this process must have no threads yet.

    :param power: the server it is on, if that may be stopped
    """
    from tests.simulation.stage import Stage  # needs Django set up

    with Stage(wanted, url, room, power) as stage:
        began = time.monotonic()
        while not stage.is_through(LEAST_STRIKES):
            stage.live(BACKLOG)
            _check(stage, began, LONGEST_RUN * max(1.0, wanted.kills / 300))
            if untouched := never_passed(stage.struck(), wanted.kills):
                names = ", ".join(untouched)
                raise SystemExit(f"Nobody has passed the failpoints {names}: {stage.progress()}")
        if not wanted.ablation:  # else the damage is done already
            stage.heal()
            _wait(stage, stage.has_finished)
            stage.compare()
            _wait(stage, stage.is_quiet)
        outcome = stage.outcome()
        outcome.seconds = round(time.monotonic() - began, 1)
        outcome.kills_per_second = round(outcome.kills / outcome.seconds, 1)
        return outcome


def _wait(stage: "Stage", is_so: Callable[[], bool]) -> None:
    began = time.monotonic()
    while not is_so():
        _check(stage, began, LONGEST_END)
        time.sleep(0.05)


def never_passed(struck: Mapping[str, int], kills: int) -> list[str]:
    """The failpoints that this run will not strike: after so many kills others have, often."""
    if sum(struck.values()) < max(HOPELESS_AFTER, 2 * kills):
        return []
    return sorted(name for name in failpoints.OF_SPEND if not struck.get(name))


def _check(stage: "Stage", since: float, longest: float) -> None:
    if time.monotonic() - since > longest:
        raise SystemExit(f"Not through after {longest:.0f} s: {stage.progress()}")


@contextmanager
def _database(server: str) -> Iterator[str]:
    """A migrated database of our own on this server."""
    name = f"kills_{os.getpid()}"
    try:
        migrated.restore_into(server, name)
        yield psycopg.conninfo.make_conninfo(server, dbname=name)
    finally:
        with psycopg.connect(server, autocommit=True, dbname="postgres") as db:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
            db.execute(drop.format(sql.Identifier(name)))


@contextmanager
def _power() -> Iterator[Power]:
    with tempfile.TemporaryDirectory(prefix="rb-") as root:
        Path(root).chmod(0o711)  # the server may have to run as another user
        with Power(Path(root)) as power:
            yield power


def main(arguments: Sequence[str]) -> int:
    """Run as told, print what came of it. 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="./run kill-test", description=__doc__)
    parser.add_argument("--kills", type=int, default=300, help="at least so many (300)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", type=float, default=SPEED, help="how fast time runs (60)")
    parser.add_argument("--json", action="store_true", help="one object, for programs")
    parser.add_argument(
        "--without",
        choices=["settle", "intent"],
        default="",
        help="take a safeguard away, and run until a document is there twice",
    )
    given = parser.parse_args(arguments)
    wanted = Wanted(given.kills, given.seed, given.without, given.speed)
    with (
        _power() as power,
        _database(power.url) as url,
        tempfile.TemporaryDirectory(prefix="rb-kills-") as room,
    ):
        os.environ["DATABASE_URL"] = url
        os.environ["DJANGO_SETTINGS_MODULE"] = "rampbridge.settings"
        django.setup()
        logging.disable()  # each death would be told, and all that PostgreSQL's does to others
        outcome = run(wanted, url, Path(room), None if wanted.ablation else power)
    sys.stdout.write((json.dumps(asdict(outcome)) if given.json else _in_words(outcome)) + "\n")
    return 0 if outcome.is_clean else 1


def _in_words(outcome: Outcome) -> str:
    struck = "\n".join(f"  {count:6} {name}" for name, count in sorted(outcome.failpoints.items()))
    return (
        f"{outcome.objects} objects, {outcome.kills} kills and {outcome.freezes} freezes"
        f" in {outcome.seconds:.0f} s ({outcome.kills_per_second:.0f} a second), at\n{struck}\n"
        f"types       {outcome.types}\nstates      {outcome.states}\n"
        f"disasters   {outcome.disasters}, {outcome.ended} workers ended as asked\n"
        f"ERP faults  {outcome.erp_faults}\n"
        f"Ramp faults {outcome.ramp_faults}\n"
        f"lost {outcome.lost}, doubled {outcome.doubled}, unbalanced {outcome.unbalanced},"
        f" unexplained {outcome.unexplained}, errors {outcome.errors}\n"
        + "\n".join(outcome.findings[:40])
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
