"""What ./run can do: each command a few calls of known tools, the same for hook, CI and hand."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from xml.etree import ElementTree

from rampbridge.embedded import postgres
from rampbridge.embedded.home import DATABASE, ROOT, CannotUse, demo_home
from tests.environment import TEST_ENVIRONMENT

BIN = Path(sys.executable).parent
PYTHON = sys.executable
WORKERS = "3"
COVERAGE = [PYTHON, "-m", "coverage"]
RESULTS = ROOT / "var" / "tests" / "results.xml"

HELP = """\
./run demo               everything on this machine, with a pretend Ramp and a real ERP
./run status [--json] [--verify]
                         what the demo has synced; --verify compares Ramp, us and every ledger
./run test [ARGUMENTS]   all tests, or what the arguments for pytest say
./run coverage           all tests, slower, and the lines that none of them runs
./run check              format, lint, types, layers, migrations, templates, deployment settings
./run bench [ID ...] [--json] [--items N] [--minutes N] [--draw FILE]
                         benchmarks against their targets; see docs/performance.md
./run seed_load [--customers 10000] [--items 10000000] [--keep]
                         a large made-up fleet in a database of its own, and how fast it came in
./run matrix [--json]    every fault we know of, and whether the tests that prove it pass
./run kill-test [--kills 3000] [--seed 7] [--json]
                         kill workers in the middle of their work, and count what is lost or doubled
./run simulate [--seeds 300] [--kills 300] [--seed 4711] [--ablations] [--json]
                         the sync engine in a pretend world drawn from seeds, thousands of times
./run backfill, ./run resync, ./run sync_button
                         bring a window of days, sync a customer anew, switch Ramp's sync button
./run screens            a picture of every page, in four variants
./run COMMAND ...        anything else goes to manage.py, with the demo's environment and database
"""

Command = Callable[[Sequence[str]], int]


def main(arguments: Sequence[str]) -> int:
    """Run the command that the first argument names."""
    name, *rest = arguments or ("help",)
    try:
        return COMMANDS[name](rest) if name in COMMANDS else manage(arguments)
    except (CannotUse, postgres.PostgresNotStarted) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def show_help(_: Sequence[str]) -> int:
    print(HELP, end="")
    return 0


def demo(arguments: Sequence[str]) -> int:
    os.execv(PYTHON, [PYTHON, "-m", "rampbridge.embedded.demo", *arguments])  # noqa: S606


def test(arguments: Sequence[str]) -> int:
    """All tests on all cores, or those that the arguments name."""
    if arguments:
        return _run([PYTHON, "-m", "pytest", *arguments])
    code = _test_everything([PYTHON])
    print(_summary(), flush=True)
    return code


def coverage(_: Sequence[str]) -> int:
    """All tests, and which lines none of them runs. Counting them costs half as much again."""
    _run([*COVERAGE, "erase"])
    code = _test_everything([*COVERAGE, "run"])
    _run([*COVERAGE, "combine", "--quiet"])
    _run([*COVERAGE, "report", "--skip-covered"])
    print(_summary(), flush=True)
    return code


def _test_everything(runner: Sequence[str]) -> int:
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.unlink(missing_ok=True)
    spread = ["-n", WORKERS, "--dist", "worksteal"]  # with the order that conftest gives them
    return _run([*runner, "-m", "pytest", *spread, f"--junit-xml={RESULTS}"])


def _summary() -> str:
    """The counts alone on the very last line, for whoever, or whatever, reads only that."""
    if not RESULTS.exists():
        return "The tests did not run to their end."
    suite = ElementTree.parse(RESULTS).getroot()[0]  # noqa: S314 - written by pytest just now
    total, skipped = int(suite.attrib["tests"]), int(suite.attrib["skipped"])
    failed = int(suite.attrib["failures"]) + int(suite.attrib["errors"])
    counts = f"{total - failed - skipped} passed, {failed} failed, {skipped} skipped"
    return f"Tests took {float(suite.attrib['time']):.0f} s.\n{counts}"


def check(_: Sequence[str]) -> int:
    """Every check, even after one has failed, and a line for each."""
    with tempfile.TemporaryDirectory(prefix="rb-") as directory:
        cluster = _temporary_cluster(Path(directory))
        with postgres.running(cluster):
            environment = {**os.environ, **PRODUCTION_LIKE, "DATABASE_URL": cluster.url("postgres")}
            failed = [
                name for name, command in CHECKS.items() if not _passes(name, command, environment)
            ]
    print(f"\nFailed: {', '.join(failed)}" if failed else "\nAll checks passed.")
    return 1 if failed else 0


def bench(arguments: Sequence[str]) -> int:
    return _run([PYTHON, "-m", "bench", *arguments], {**os.environ, **TEST_ENVIRONMENT})


def seed_load(arguments: Sequence[str]) -> int:
    command = [PYTHON, "-m", "bench.seed_load", *arguments]
    return _run(command, {**os.environ, **TEST_ENVIRONMENT})


def matrix(arguments: Sequence[str]) -> int:
    return _run([PYTHON, "-m", "tests.matrix", *arguments])


def kill_test(arguments: Sequence[str]) -> int:
    command = [PYTHON, "-m", "tests.simulation.kills", *arguments]
    return _run(command, {**os.environ, **TEST_ENVIRONMENT})


def simulate(arguments: Sequence[str]) -> int:
    command = [PYTHON, "-m", "tests.simulation.simulate", *arguments]
    return _run(command, {**os.environ, **TEST_ENVIRONMENT})


def screens(arguments: Sequence[str]) -> int:
    return _run([PYTHON, "-m", "tests.browser.screens", *arguments])


def manage(arguments: Sequence[str]) -> int:
    """A command of Django's on the demo's database, which is started for it if need be."""
    with _demo_database():
        environment = {**os.environ, **demo_home().environment()}
        return _run([PYTHON, str(ROOT / "manage.py"), *arguments], environment)


@contextmanager
def _demo_database() -> Iterator[None]:
    home = demo_home()
    home.prepare()
    with ExitStack() as room:
        if not postgres.answers(home.cluster):
            room.enter_context(home.held())
            room.enter_context(postgres.running(home.cluster))
            postgres.ensure_database(home.cluster, DATABASE)
        yield


def _temporary_cluster(directory: Path) -> postgres.Cluster:
    log = directory / "postgres.log"
    return postgres.Cluster(directory / "data", directory / "s", log, durable=False)


def _passes(name: str, command: Sequence[str], environment: dict[str, str]) -> bool:
    began = time.monotonic()
    done = subprocess.run(
        command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False
    )
    verdict = "ok" if done.returncode == 0 else "FAILED"
    print(f"{verdict:6} {time.monotonic() - began:6.1f} s  {name}", flush=True)
    if done.returncode:
        print(done.stdout + done.stderr, flush=True)
    return done.returncode == 0


def _run(command: Sequence[str], environment: dict[str, str] | None = None) -> int:
    return subprocess.run(command, env=environment, check=False).returncode


# As a deployment would set it, so that Django's own checks of it mean something.
PRODUCTION_LIKE = {
    **TEST_ENVIRONMENT,
    "ALLOWED_HOSTS": "bridge.example",
    "PUBLIC_URL": "https://bridge.example",
    "WEBHOOK_BASE_URL": "https://bridge.example",
    "RAMP_API_URL": "https://api.ramp.com",
    "REDIS_URL": "rediss://broker.example:6379/0",
}
MANAGE = [PYTHON, "manage.py"]
DJLINT = [PYTHON, "-m", "djlint", "templates"]
DJLINT_ROWS = [*DJLINT, "--profile", "jinja", "--extension", "jinja"]
CHECKS: dict[str, list[str]] = {
    "format (ruff format)": [PYTHON, "-m", "ruff", "format", "--check", "."],
    "lint (ruff)": [PYTHON, "-m", "ruff", "check", "."],
    "layers (import-linter)": [str(BIN / "lint-imports"), "--no-cache"],
    "template format (djlint)": [*DJLINT, "--check"],
    "template lint (djlint)": [*DJLINT, "--lint"],
    "rows' template format (djlint)": [*DJLINT_ROWS, "--check"],
    "rows' template lint (djlint)": [*DJLINT_ROWS, "--lint"],
    "migrations are complete": [*MANAGE, "makemigrations", "--check", "--dry-run"],
    "deployment settings": [*MANAGE, "check", "--deploy", "--fail-level", "WARNING"],
    "types (mypy)": [PYTHON, "-m", "mypy", "."],
}
COMMANDS: dict[str, Command] = {
    "help": show_help,
    "--help": show_help,
    "-h": show_help,
    "demo": demo,
    "test": test,
    "coverage": coverage,
    "check": check,
    "bench": bench,
    "seed_load": seed_load,
    "matrix": matrix,
    "kill-test": kill_test,
    "simulate": simulate,
    "screens": screens,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
