"""The files of `monitoring/` speak of nothing that /metrics does not show."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from django.http import JsonResponse
from django.urls import resolve

from rampbridge.health import readyz
from rampbridge.metrics.names import exposed
from tests.monitoring.promql import NotPromQL, grouped_by, uses

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "monitoring" / "prometheus" / "rules.yml"
CONFIG = RULES.with_name("prometheus.yml")
DASHBOARD = ROOT / "monitoring" / "grafana" / "rampbridge.json"
PROBE = RULES.with_name("blackbox.yml")
PROBED = {
    name: frozenset({"job", "instance"})
    for name in ("probe_success", "probe_ssl_earliest_cert_expiry")
}
"""What the blackbox exporter shows of those whom it asks."""
OF_ALERTS = {
    "SyncWorkerStuck", "BacklogGrowing", "OldestUnsyncedTooOld", "ErpBroken", "RampErrors",
    "DuplicateDocument", "ClearingImbalance", "UnknownOutcomesParked", "WebhookSilence",
    "WebhookBadSignatures", "TokenExpiry", "PollLag", "ButtonLate", "ReportOutboxOld",
    "ExportPressed", "DeadMansSwitch",
}  # fmt: skip


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def recorded() -> dict[str, frozenset[str]]:
    return {rule["record"]: frozenset() for rule in rules() if "record" in rule}


def expressions() -> Iterator[tuple[str, str]]:
    """Where it stands, and what it says."""
    for rule in rules():
        yield rule.get("alert") or rule["record"], rule["expr"]
    for panel in json.loads(DASHBOARD.read_text())["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


EXPRESSIONS = list(expressions())


@pytest.mark.parametrize(
    ("place", "expression"), EXPRESSIONS, ids=[f"{n} {p}" for n, (p, _) in enumerate(EXPRESSIONS)]
)
def test_every_figure_and_every_label_is_shown(place: str, expression: str) -> None:
    known = {**exposed(), **recorded(), **PROBED}
    used = list(uses(expression))

    assert used or expression == "vector(1)"
    for use in used:
        assert use.name in known
        assert use.labels <= known[use.name]
    assert grouped_by(expression) <= {label for use in used for label in known[use.name]}


@pytest.mark.parametrize("broken", ["sum(rate(x[5m])", "a{b=}c}", "a ~ b", 'a{b="c}'])
def test_a_broken_expression_is_seen(broken: str) -> None:
    with pytest.raises(NotPromQL):
        list(uses(broken))


def test_an_unknown_label_is_seen() -> None:
    (use,) = uses('sum by (state) (rampbridge_items{customer="x"})')

    assert not use.labels <= exposed()[use.name]


def test_no_label_is_a_customers() -> None:
    labels = {label for of_one in exposed().values() for label in of_one}

    assert not labels & {"customer", "connection", "connection_id", "business", "slug"}


def test_every_figure_is_on_the_dashboard_or_in_a_rule() -> None:
    told = {use.name for _, expression in EXPRESSIONS for use in uses(expression)}

    forgotten = {
        name for name in exposed() if not name.endswith(("_sum", "_count")) and name not in told
    }
    assert forgotten == set()


def test_every_alert_says_what_is_wrong_and_what_to_do() -> None:
    alerts = {rule["alert"]: rule for rule in rules() if "alert" in rule}

    assert set(alerts) >= OF_ALERTS
    for alert in alerts.values():
        assert alert["labels"]["severity"] in {"page", "ticket", "none"}
        assert alert["annotations"]["summary"].endswith(".")
        assert alert["annotations"]["action"].endswith(".")


def test_the_readme_names_every_alert_and_figure() -> None:
    readme = (ROOT / "monitoring" / "README.md").read_text()
    families = {re.sub("_(bucket|sum|count)$", "", name) for name in exposed()}

    assert [rule["alert"] for rule in rules() if rule.get("alert", "x") not in readme] == []
    assert [name for name in sorted(families) if name not in readme] == []


def test_the_probe_from_outside_knows_our_answers() -> None:
    (module,) = yaml.safe_load(PROBE.read_text())["modules"].values()
    (well,) = module["http"]["fail_if_body_not_matches_regexp"]
    (job,) = (
        job for job in yaml.safe_load(CONFIG.read_text())["scrape_configs"] if "params" in job
    )

    assert re.search(well, JsonResponse({"status": "ok", "problems": {}}).content.decode())
    assert not re.search(well, JsonResponse({"status": "not ready"}).content.decode())
    assert resolve(urlsplit(job["static_configs"][0]["targets"][0]).path).func is readyz
    assert job["params"]["module"] == list(yaml.safe_load(PROBE.read_text())["modules"])


@pytest.mark.skipif(not shutil.which("promtool"), reason="Debian's package prometheus has promtool")
@pytest.mark.parametrize("what", [("rules", RULES), ("config", CONFIG)])
def test_promtool_finds_nothing(what: tuple[str, Path]) -> None:
    kind, file = what
    checked = subprocess.run(
        ["promtool", "check", kind, str(file)], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stderr + checked.stdout
