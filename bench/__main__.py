"""Run benchmarks, each in a process and on a database of its own: `./run bench [NAME ...]`.

Every one prints a line of JSON. The server is embedded PostgreSQL, durable as in production. Ends
with an error that names the benchmarks whose target was missed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from bench.figures import targets
from rampbridge.embedded import postgres
from rampbridge.embedded.home import ROOT

TEMPLATE = "template_bench"


def main(arguments: Sequence[str]) -> int:
    names = _wanted(arguments)
    with tempfile.TemporaryDirectory(prefix="rb-") as directory:
        root = Path(directory)
        root.chmod(0o711)  # the server may have to run as another user
        cluster = postgres.Cluster(root / "data", root / "s", root / "postgres.log")
        with postgres.running(cluster):
            postgres.ensure_database(cluster, TEMPLATE)
            subprocess.run(
                [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
                env=_environment(cluster, TEMPLATE),
                cwd=ROOT,
                check=True,
            )
            missed = [name for name in names if not _is_met(name, cluster, root / f"{name}.log")]
    if missed:
        print(f"Missed their target, or broke: {', '.join(missed)}", file=sys.stderr)
    return 1 if missed else 0


def _wanted(arguments: Sequence[str]) -> list[str]:
    known = list(targets())
    parser = argparse.ArgumentParser(prog="./run bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(known)}")
    names = list(parser.parse_args(arguments).names)
    for name in names:
        if name not in known:
            parser.error(f"there is no benchmark {name}; there are {', '.join(known)}")
    return names or known


def _is_met(name: str, cluster: postgres.Cluster, log: Path) -> bool:
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
    print(done.stdout, end="", flush=True)
    if not done.stdout:
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
