"""Run benchmarks, each in a process and on a database of its own: `./run bench [ID ...] [--json]`.

Every one prints a line, of JSON if asked to. The server is embedded PostgreSQL, durable as in
production. Ends with an error that names the benchmarks whose target was missed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from bench.drawing import draw
from bench.figures import benchmark_of, targets, words
from rampbridge.embedded import postgres
from rampbridge.embedded.home import ROOT
from tests.environment import TEST_ENVIRONMENT
from tests.plugins import migrated

TEMPLATE = "template_bench"
FLEET_ITEMS = "BENCH_FLEET_ITEMS"
"""In the environment: how many items the benchmark of pages puts behind them."""
MINUTES = "BENCH_MINUTES"
"""In the environment: for how long a worker's memory is watched."""


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if options.draw:
        print("\n".join(str(path.relative_to(ROOT)) for path in draw(options.draw)))
        return 0
    names = _wanted(options.ids)
    os.environ |= TEST_ENVIRONMENT | os.environ  # started without ./run, nothing is set
    os.environ |= {FLEET_ITEMS: str(options.items), MINUTES: str(options.minutes)}
    tell = str if options.json else words
    with tempfile.TemporaryDirectory(prefix="rb-") as directory:
        root = Path(directory)
        root.chmod(0o711)  # the server may have to run as another user
        cluster = postgres.Cluster(root / "data", root / "s", root / "postgres.log")
        with postgres.running(cluster):
            migrated.restore_into(cluster.url("postgres"), TEMPLATE)
            missed = [
                name for name in names if not _is_met(name, cluster, root / f"{name}.log", tell)
            ]
    if missed:
        print(f"Missed their target, or broke: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    known = sorted({target.id for target in targets().values()}, key=lambda one: int(one[1:]))
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        choices=[*known, *targets(), []],
        help=f"of {', '.join(known)}; or the name of a part, of {', '.join(targets())}",
    )
    parser.add_argument(
        "--items",
        type=int,
        default=1_000_000,
        help="of the larger fleet of B16 and that of B21, a thousandth as many customers; ten"
        " million are the goal",
    )
    parser.add_argument(
        "--minutes",
        type=float,
        default=10,
        help="that a worker's memory is watched by B17; sixty tell whether it grows",
    )
    parser.add_argument(
        "--draw",
        type=argparse.FileType(),
        metavar="FILE",
        help="run nothing: make the drawings and the table of docs/performance.md anew, of the"
        " lines that --json has printed into a file",
    )
    parser.add_argument("--json", action="store_true", help="lines of JSON, with the details")
    return parser.parse_args(arguments)


def _wanted(asked: Sequence[str]) -> list[str]:
    """The benchmarks asked for by id or by the name of a figure; all, if none is."""
    names = [
        name for name, target in targets().items() if not asked or {name, target.id} & set(asked)
    ]
    return list(dict.fromkeys(benchmark_of(name) for name in names))


def _is_met(name: str, cluster: postgres.Cluster, log: Path, tell: Callable[[str], str]) -> bool:
    """Run one benchmark; its log is shown only if it breaks off without a figure."""
    database = f"bench_{name}"
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as db:
        create = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        db.execute(create.format(sql.Identifier(database), sql.Identifier(TEMPLATE)))
    with log.open("w") as errors:
        done = subprocess.run(
            [sys.executable, "-m", "bench.run_one", name],
            env=_environment(cluster, database),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            check=False,
        )
    if done.stdout:
        print("\n".join(map(tell, done.stdout.splitlines())), flush=True)
    else:
        print(f"{name} broke off:\n{log.read_text()}", file=sys.stderr)
    return done.returncode == 0


def _environment(cluster: postgres.Cluster, database: str) -> Mapping[str, str]:
    return {
        **os.environ,
        "DATABASE_URL": cluster.url(database),
        "DJANGO_SETTINGS_MODULE": "rampbridge.settings",
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
