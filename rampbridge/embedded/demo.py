"""All of it on one machine: real servers, a pretend Ramp, a real ERP, and spend that flows."""

import os
import shutil
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType

import httpx
import psycopg

from rampbridge.embedded import postgres, tryton_demo, valkey
from rampbridge.embedded.home import (
    DATABASE,
    LOOPBACK,
    PREFERRED_PORTS,
    ROOT,
    CannotUse,
    Home,
    demo_home,
)
from rampbridge.embedded.processes import Program, kill_group
from rampbridge.embedded.screen import Screen
from rampbridge.embedded.supervisor import Service, Step, StepFailed, Supervisor, Task

NEEDED_BYTES = 2 * 1024**3
TRAFFIC_PER_MINUTE = "20"
SILENT_SECONDS = 60.0  # a worker that has not moved for so long is taken for stuck
ROLES = ("support", "implementer", "manager", "admin")


class Ended(Exception):
    """Somebody asked the demo to end."""


def main() -> int:
    """Run the demo until it is ended. Returns the exit code."""
    screen = Screen()
    home = demo_home()
    try:
        home.prepare()
        with home.held():
            check_disk(home.root)
            return run(home, screen)
    except (CannotUse, postgres.PostgresNotStarted, valkey.ValkeyMissing) as refusal:
        screen.say(str(refusal))
        return 1


def run(home: Home, screen: Screen) -> int:
    """Start everything, keep it running, and end it all, whatever happens."""
    tell_ports(home.renew_ports(), screen)
    rotate_logs(home)
    supervisor = Supervisor(steps(home), screen, changed=partial(write_state, home))
    with signals_end(supervisor):
        try:
            supervisor.bring_up()
            screen.say(welcome(home))
            supervisor.watch()
        except Ended:
            screen.say("\nEnding everything...")
        except StepFailed as failure:
            screen.say(
                f"\n{failure}\n\nThe demo did not start. Everything it had started is ended."
            )
            return 1
        finally:
            supervisor.stop()
            (home.root / "state.json").unlink(missing_ok=True)
    screen.say("Ended. What was synced is kept for the next ./run demo.")
    return 0


@contextmanager
def signals_end(supervisor: Supervisor) -> Iterator[None]:
    """The first signal ends the block by `Ended`; a second one kills whatever is slow to end."""
    asked = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            for pid in supervisor.pids().values():
                kill_group(pid)
            return
        asked = True
        raise Ended

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, on_signal) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def steps(home: Home) -> Iterator[Step]:
    """Everything the demo consists of, with what needs what."""
    yield from servers(home)
    yield from tryton_demo.steps(home)
    yield from preparations(home)
    yield from ours(home)


def servers(home: Home) -> Iterator[Step]:
    """PostgreSQL and Valkey."""
    cluster, broker = home.cluster, home.broker
    yield Service(
        "postgres",
        "PostgreSQL",
        cluster.program,
        is_ready=partial(postgres.answers, cluster),
        prepare=partial(postgres.prepare, cluster),
    )
    yield Service(
        "valkey",
        "Valkey",
        broker.program,
        is_ready=partial(valkey.answers, broker),
        prepare=partial(valkey.prepare, broker),
    )


def preparations(home: Home) -> Iterator[Step]:
    """What our program and the pretend Ramp need before they serve."""
    migrate = ["manage.py", "migrate", "--noinput", "--verbosity=1"]
    static = ["manage.py", "collectstatic", "--noinput", "--verbosity=0"]
    seed = ["manage.py", "seed_demo"]
    simulator = [
        *("manage.py", "run_ramp_simulator", "--port", str(home.ports()["ramp"])),
        *("--store", str(home.root / "ramp.sqlite"), "--traffic", TRAFFIC_PER_MINUTE),
    ]
    yield Task(
        "migrate",
        "Database tables",
        lambda: _with_database(home, python(home, "migrate", *migrate)),
        needs=("postgres",),
        expected=8,
    )
    yield Task(
        "static", "Style sheets and icons", lambda: python(home, "static", *static), expected=6
    )
    yield Service(
        "ramp",
        "Ramp simulator",
        lambda: python(home, "ramp", *simulator),
        is_ready=partial(listens, home.ports()["ramp"]),
        expected=5,
    )
    yield Task(
        "seed",
        "Customers, connections and people",
        lambda: python(home, "seed", *seed, env=_known_to_seed(home)),
        needs=("migrate", "ramp", "tryton", "valkey", "web"),  # webhooks are confirmed on the way
        expected=20,
    )


def ours(home: Home) -> Iterator[Step]:
    """The five processes of the program itself."""
    worker = [
        *("-m", "celery", "-A", "rampbridge", "worker", "--pool", "threads", "--concurrency", "8"),
        *("-Q", "button,export,chart", "--without-gossip", "--without-mingle", "-n", "demo@%h"),
    ]
    schedule = str(home.root / "beat-schedule")
    beat = ["-m", "celery", "-A", "rampbridge", "beat", "--schedule", schedule, "--pidfile="]
    address = f"{LOOPBACK}:{home.ports()['web']}"
    web = ["-m", "gunicorn", "--bind", address, "rampbridge.wsgi"]
    yield Service(
        "web",
        "Web pages",
        lambda: python(home, "web", *web),
        is_ready=partial(is_up, home.url("web") + "/healthz"),
        needs=("migrate", "static"),
        expected=4,
    )
    yield Service(
        "worker",
        "Worker",
        lambda: python(home, "worker", *worker),
        is_ready=lambda: True,
        needs=("seed",),
        complaint=partial(complaint_of, home),
    )
    yield Service(
        "watch",
        "Watch that looks for alerts",
        lambda: python(home, "watch", "manage.py", "watch_alerts"),
        is_ready=lambda: True,
        needs=("seed",),
    )
    yield Service(
        "beat",
        "Clock that rings the worker",
        lambda: python(home, "beat", *beat),
        is_ready=lambda: True,
        needs=("seed",),
    )
    yield Service(
        "metrics",
        "Figures for Prometheus",
        lambda: python(home, "metrics", "manage.py", "serve_metrics"),
        is_ready=lambda: True,
        needs=("migrate",),
    )


def python(home: Home, name: str, *arguments: str, env: dict[str, str] | None = None) -> Program:
    """One of our own programs, in the demo's environment."""
    environment = {**home.environment(), **(env or {})}
    argv = [sys.executable, *arguments]
    return Program(argv=argv, log=home.log(name), env=environment, cwd=ROOT)


def _known_to_seed(home: Home) -> dict[str, str]:
    return {
        "DEMO_ERP": tryton_demo.settings_of_all(home),
        "DEMO_PASSWORD": home.secrets()["password"],
    }


def _with_database(home: Home, program: Program) -> Program:
    postgres.ensure_database(home.cluster, DATABASE)
    return program


def listens(port: int) -> bool:
    """Whether a server takes connections on a port of this machine."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def is_up(url: str) -> bool:
    """Whether a page answers as it should."""
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.TransportError:
        return False


def complaint_of(home: Home, age: float) -> str:
    """As `worker_complaint`. A worker that somebody has stopped by a signal is left alone: they
    want to see what happens then."""
    if is_stopped(home.state().get("processes", {}).get("worker")):
        return ""
    return worker_complaint(home.cluster.url(DATABASE), age)


def worker_complaint(database: str, age: float) -> str:
    """Why the worker should be started anew, or nothing.

    Celery has been seen to live and consume nothing after its broker came back, so what counts is
    the progress it writes down, not its being alive.
    """
    if age < SILENT_SECONDS:
        return ""
    try:
        with psycopg.connect(database, connect_timeout=2) as db:
            row = db.execute(
                "SELECT extract(epoch FROM now() - max(beat_at))::float FROM syncing_workerbeat"
            ).fetchone()
    except psycopg.OperationalError:
        return ""  # the database is being looked after too; until then nobody can make progress
    silent = row[0] if row and row[0] is not None else age
    return f"no progress for {silent:.0f} seconds." if silent > SILENT_SECONDS else ""


def is_stopped(pid: int | None) -> bool:
    """Whether a process was stopped by SIGSTOP and not told to go on."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] == "T"


def check_disk(place: Path) -> None:
    """:raises CannotUse: if there is too little room for databases and logs"""
    free = shutil.disk_usage(place).free
    if free < NEEDED_BYTES:
        raise CannotUse(
            f"The disk under {place} has {free / 1024**3:.1f} GB left and the demo needs "
            f"{NEEDED_BYTES / 1024**3:.0f} GB. Free some space and start again."
        )


def rotate_logs(home: Home) -> None:
    """Start each log anew and keep the one before."""
    for log in home.logs.glob("*.log"):
        log.replace(log.with_suffix(".log.1"))


def tell_ports(ports: dict[str, int], screen: Screen) -> None:
    """Say so where a server is not at its usual address."""
    for name, port in ports.items():
        if port != PREFERRED_PORTS[name]:
            screen.say(f"Port {PREFERRED_PORTS[name]} is taken, so {name} is at port {port}.")


def write_state(home: Home, supervisor: Supervisor) -> None:
    """Tell `./run status` and tests where everything is."""
    addresses = {name: home.url(name) for name in PREFERRED_PORTS}
    state = {"pid": os.getpid(), "url": addresses["web"], "urls": addresses}
    home.write("state.json", {**state, "processes": supervisor.pids()})


def welcome(home: Home) -> str:
    """What a visitor needs to look around."""
    password = home.secrets()["password"]
    people = "\n".join(f"    {role:12} {password}" for role in ROLES)
    return f"""
rampbridge runs at   {home.url("web")}

    sign in as   with the password
{people}

The pretend Ramp is at {home.url("ramp")}, the ERP at {home.url("tryton")}, logs are in {home.logs}.
Figures for Prometheus are at {home.url("metrics")}/metrics.
./run status tells what has been synced. Ctrl-C ends everything.
"""


if __name__ == "__main__":
    sys.exit(main())
