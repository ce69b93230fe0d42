"""Run only the tests that prove rows of the fault matrix, and write down what came of each.

Used by `./run matrix`: `pytest -p tests.plugins.matrix --matrix-report FILE`.
"""

import json
from pathlib import Path

import pytest

_ROW = "matrix"


def rows_of(item: pytest.Item) -> list[str]:
    """The rows that a test says it proves."""
    return [row for marker in item.iter_markers(_ROW) for row in marker.args]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--matrix-report", type=Path, required=True, help="where to write")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    other = [item for item in items if not rows_of(item)]
    config.hook.pytest_deselected(items=other)
    items[:] = [item for item in items if rows_of(item)]
    for item in items:
        item.user_properties += [(_ROW, row) for row in rows_of(item)]


class _Reporter:
    """Collects in the process that sees all reports."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._tests: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        rows = sorted({str(value) for name, value in report.user_properties if name == _ROW})
        known = self._tests.setdefault(report.nodeid, {"rows": rows, "outcome": "passed"})
        if report.outcome != "passed":  # of set-up, the test itself and its end
            known["outcome"] = report.outcome

    def pytest_sessionfinish(self) -> None:
        self._file.write_text(json.dumps(self._tests))


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Reporter(config.option.matrix_report), "matrix-reporter")
