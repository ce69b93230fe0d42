"""The fault matrix as a table: each row, its fault in words, and the tests that prove it.

    ./run matrix [--json]

The faults are those of docs/faults.md. Tests name the rows they prove by `pytest.mark.matrix`; what
one machine cannot show has its reason in tests/matrix.toml.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
ROWS = {"W": 12, "P": 11, "X": 25, "K": 19, "M": 6, "T": 7, "I": 11, "S": 8}
"""How many faults there are of each kind."""
_FAULT = re.compile(
    r'<a id="[wpxkmtis]\d+"></a>\*\*(?P<id>[WPXKMTIS]\d+)\*\* (?P<words>.*?)(?=\n\n|\n- )', re.S
)
_MARKER = re.compile(r"mark\.matrix\(([^)]*)\)")
_SYMBOLS = {"pass": "pass", "fail": "FAIL", "skipped": "skipped", "not covered": "-"}


@dataclass(slots=True)
class Row:
    """One fault, and how it is proved."""

    id: str
    fault: str
    verdict: str = "not covered"
    """pass, fail, skipped, or not covered."""
    why: str = ""
    """Of a row that is not covered: why not."""
    tests: list[str] = field(default_factory=list)


def ids() -> list[str]:
    """All rows, in the order of the matrix."""
    return [f"{kind}{number}" for kind, count in ROWS.items() for number in range(1, count + 1)]


def faults() -> dict[str, str]:
    """Each fault in words: the first sentence that docs/faults.md says of it."""
    page = (ROOT / "docs" / "faults.md").read_text()
    return {
        found["id"]: re.split(r"(?<=[.:])\s", " ".join(found["words"].split()))[0].rstrip(":.")
        for found in _FAULT.finditer(page)
    }


def reasons() -> dict[str, str]:
    """Why a row has no test."""
    found: dict[str, str] = tomllib.loads((ROOT / "tests" / "matrix.toml").read_text())[
        "not_covered"
    ]
    return found


def named() -> dict[str, set[str]]:
    """The files whose tests name each row."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for arguments in _MARKER.findall(path.read_text()):
            for row in re.findall(r'"([^"]+)"', arguments):
                found[row].add(str(path.relative_to(ROOT)))
    return found


def table(tests: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """The rows with what became of their tests, as `tests.plugins.matrix` has written it down."""
    words, why = faults(), reasons()
    for one in ids():
        outcomes = {name: test["outcome"] for name, test in tests.items() if one in test["rows"]}
        row = Row(one, words[one], tests=sorted(outcomes))
        if "failed" in outcomes.values():
            row.verdict = "fail"
        elif "passed" in outcomes.values():
            row.verdict = "pass"
        elif outcomes:
            row.verdict, row.why = "skipped", "every test of it was skipped here"
        else:
            row.why = why.get(one, "no test names it")
        yield row


def main(arguments: Sequence[str]) -> int:
    """Run the tests, print the table. 1 if a row fails, or is open without a reason."""
    parser = argparse.ArgumentParser(prog="./run matrix", description=__doc__)
    parser.add_argument("--json", action="store_true", help="one array, for programs")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="rb-matrix-") as directory:
        report = Path(directory) / "tests.json"
        log = run_tests(report)
        if not report.exists():
            sys.stderr.write(log)
            return 1
        rows = list(table(json.loads(report.read_text())))
    print_json(rows) if given.json else print_table(rows)
    bad = [row for row in rows if row.verdict == "fail" or (not row.tests and not row.why)]
    if bad:
        sys.stderr.write(log[-20_000:])
    return 1 if bad else 0


def run_tests(report: Path) -> str:
    """Run every test of a row, on both cores. What pytest said."""
    command = [sys.executable, "-m", "pytest", "-n", "2", "-q", "-p", "tests.plugins.matrix"]
    done = subprocess.run(
        [*command, f"--matrix-report={report}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def print_json(rows: Sequence[Row]) -> None:
    sys.stdout.write(json.dumps([asdict(row) for row in rows]) + "\n")


def print_table(rows: Sequence[Row]) -> None:
    """A line per row, and what it says below it where there is no test."""
    for row in rows:
        fault = textwrap.shorten(row.fault, 84, placeholder=" ...")
        sys.stdout.write(f"{row.id:4} {_SYMBOLS[row.verdict]:8} {len(row.tests):3}  {fault}\n")
        if row.verdict in ("not covered", "skipped"):
            sys.stdout.write(f"{'':19}{row.why}\n")
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in _SYMBOLS}
    said = ", ".join(f"{count} {verdict}" for verdict, count in counts.items() if count)
    sys.stdout.write(f"{len(rows)} rows: {said}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
