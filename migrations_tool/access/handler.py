"""The preflight: one piece of evidence and one gate for each thing that later steps rely on."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from connections.models import RampToken, WebhookSubscription
from connections.upkeep import scopes
from migrations_tool.access import erp_probes, ramp_probes, webhook_probe
from migrations_tool.models import ConnectionMigration
from migrations_tool.proofs import gate_of_evidence, newest
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate
from migrations_tool.work import Work

_TITLES: Mapping[str, str] = {
    ramp_probes.SCOPES: "Ramp grants what is needed",
    ramp_probes.SEAT: "Ramp shows the connection that was planned for",
    ramp_probes.OTHERS: "No other migration is under way",
    erp_probes.READ: "The ERP can be read",
    erp_probes.WRITE: "The ERP can be written",
    erp_probes.PERSON: "The login is no person's",
    webhook_probe.CODE: "Ramp reaches us",
}
_MAY_BE_WAIVED = frozenset({erp_probes.WRITE, webhook_probe.CODE})
"""What a person can prove in another way, or what the poll makes up for."""


class Access(Handler):
    step = Step.ACCESS

    def check(self, work: Work) -> None:
        """Probe both sides. What one of them refuses does not keep the others from being seen."""
        probes = (ramp_probes.probe, erp_probes.probe, webhook_probe.probe)
        for number, probe in enumerate(probes):
            work.progress(number, len(probes), "Asking both sides")
            probe(work)
        work.progress(len(probes), len(probes))
        now = work.clock()
        closed = [one for one in self.gates(work.migration, now=now) if not one.is_open]
        if closed:
            work.say(f"{len(closed)} of {len(_TITLES)} probes failed.", "See below what to do.")
        else:
            work.say("Both sides let us in, and nothing stands against the migration.")

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:
        return [_gate(migration, code, title, now) for code, title in _TITLES.items()]

    def panel(
        self,
        migration: ConnectionMigration,
        *,
        asked: Mapping[str, str],  # noqa: ARG002  the page has no parameters
        now: datetime,  # noqa: ARG002  nor a clock
    ) -> dict[str, Any]:
        connection = migration.connection
        token = RampToken.objects.filter(pk=connection.pk).defer("sealed").first()
        written = newest(migration, erp_probes.WRITE)
        rings = connection.subscriptions.exclude(status=WebhookSubscription.Status.REMOVED)
        return {
            "token": token,
            "scopes": scopes.matrix(token.scopes.split(), connection.object_types) if token else [],
            "rights": written.result.get("may", {}).items() if written else [],
            "rings": rings.order_by("status", "-created_at").first(),
        }


def _gate(migration: ConnectionMigration, code: str, title: str, now: datetime) -> Gate:
    evidence = newest(migration, code)
    return gate_of_evidence(
        evidence,
        code,
        title,
        now=now,
        fix=evidence.result.get("fix", "") if evidence else "",
        may_be_waived=code in _MAY_BE_WAIVED,
        is_only_warning=code == erp_probes.PERSON,
    )
