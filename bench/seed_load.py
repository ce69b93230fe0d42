"""Fill a database of its own with a fleet: `./run seed_load [--customers N] [--items N] [--keep]`.

It is an embedded server in `var/load`, not the demo's. Without `--keep` it is removed at the end,
and only the figures stay; with it the last line says how to reach it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from rampbridge.embedded import postgres
from rampbridge.embedded.home import DATABASE, ROOT

WHERE = ROOT / "var" / "load"
FREE_PER_ITEM = 2500
"""Bytes on the disk, with room for indexes while they are built."""


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    WHERE.mkdir(parents=True, exist_ok=True, mode=0o711)
    if shutil.disk_usage(WHERE).free < options.items * FREE_PER_ITEM:
        print(f"There is too little room on the disk of {WHERE}.", file=sys.stderr)
        return 1
    with _server(keep=options.keep) as cluster:
        environment = {
            **os.environ,
            "DATABASE_URL": cluster.url(DATABASE),
            "DJANGO_SETTINGS_MODULE": "rampbridge.settings",
        }
        migrate = [sys.executable, "manage.py", "migrate", "--verbosity", "0"]
        subprocess.run(migrate, env=environment, cwd=ROOT, check=True)
        os.environ.update(environment)
        return _load(options.customers, options.items)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run seed_load")
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--items", type=int, default=10_000_000)
    parser.add_argument("--keep", action="store_true", help="leave the database there")
    return parser.parse_args(arguments)


@contextmanager
def _server(*, keep: bool) -> Iterator[postgres.Cluster]:
    """An empty database, and what to do with it afterwards."""
    data = WHERE / "postgres"
    shutil.rmtree(data, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix="rb-") as sockets:
        cluster = postgres.Cluster(data, Path(sockets), WHERE / "postgres.log", durable=False)
        try:
            with postgres.running(cluster):
                with psycopg.connect(cluster.url("postgres"), autocommit=True) as db:
                    db.execute("ALTER SYSTEM SET max_wal_size = '8GB'")
                    db.execute("SELECT pg_reload_conf()")
                postgres.ensure_database(cluster, DATABASE)
                yield cluster
        finally:
            if keep:
                print(
                    f"Kept in {data}; start it with: {postgres.binaries() / 'postgres'} -D {data}"
                )
            else:
                shutil.rmtree(data, ignore_errors=True)


def _load(customers: int, items: int) -> int:
    """Load it and say how fast that was, in one line of JSON."""
    import django  # the settings read the environment, which names the database only now

    django.setup()
    from bench.load.loading import database_size, load

    loaded = load(
        customers=customers, items=items, now=datetime.now(UTC), tell=lambda text: print(text)
    )
    told = {
        "items": items,
        "customers": customers,
        "copied_per_second": round(loaded.copied_per_second),
        "loaded_per_second": round(loaded.loaded_per_second),
        "gigabytes": round(database_size() / 1e9, 2),
        "seconds": {name: round(taken, 1) for name, taken in loaded.seconds.items()},
    }
    print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
