"""What has been synced, what waits, and whether all three sides agree."""

import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from connections import clients
from connections.erp.errors import ErpError
from connections.erp.ledger_audit import AuditableErp, LedgerEntry
from connections.models import Connection
from connections.secrets import NoCredential
from rampbridge.health import NotReady, check_broker
from rampbridge.lib.money import Money, exponent_from_rate
from syncing import poll_schedule, verification
from syncing.models import Schedule
from syncing.snapshots import database_now
from syncing.status import Status, service_status
from syncing.verification import Differences, RampRow

PATIENCE_SECONDS = 90
"""How long --verify waits until every customer has been polled once more."""
SHOWN = 20


class Command(BaseCommand):
    help = "Print where everything stands; with --verify compare Ramp, us and every ERP ledger."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="one object, for programs")
        parser.add_argument(
            "--verify",
            action="store_true",
            help="compare the Ramp simulator, our tables and every ledger; exit 1 on a difference",
        )

    def handle(self, **options: Any) -> None:
        answer = _standing()
        differences = _verify(self.stderr.write) if options["verify"] else None
        if differences is not None:
            answer |= differences.counts()
        if options["json"]:
            if differences is not None:
                answer["details"] = _details(differences)
            self.stdout.write(json.dumps(answer))
        else:
            self.stdout.write(_table(answer, differences))
        if differences is not None and not differences.is_clean:
            sys.exit(1)


def _standing() -> dict[str, Any]:
    try:
        status: Status = service_status()
    except DatabaseError as error:
        raise CommandError(f"The database does not answer: {error}") from error
    return {
        **asdict(status),
        "broker": _broker(),
        "database": "ok",
    }


def _broker() -> str:
    try:
        check_broker()
    except NotReady as problem:
        return str(problem)
    return "ok"


def _verify(say: Any) -> Differences:
    """Compare customer by customer, after each has been polled once more."""
    ramp = {slug: list(_ramp_rows(slug)) for slug in _slugs()}
    _wait_for_polls(database_now(), say)
    found = Differences()
    for connection in Connection.objects.filter(slug__in=ramp).order_by("slug"):
        before = verification.our_items(connection)
        entries = _ledger_entries(connection)
        after = verification.our_items(connection)
        found += verification.compare(ramp[connection.slug], before, entries, after)
    return found


def _ledger_entries(connection: Connection) -> Sequence[LedgerEntry]:
    """Whatever the customer's ERP holds of ours."""
    try:
        adapter = clients.erp_adapter(connection)
        if not isinstance(adapter, AuditableErp):
            raise CommandError(f"The ledger of {connection.name} cannot be read back whole.")
        return adapter.ledger_entries(f"ramp-{connection.ramp_business_id}-")
    except NoCredential as missing:
        raise CommandError(str(missing)) from missing
    except ErpError as error:
        raise CommandError(f"The ledger of {connection.name} cannot be read: {error}") from error


def _slugs() -> list[str]:
    """Those that we work for: what is ready for another provider is none of ours."""
    not_ours = (Connection.Stage.SETTING_UP, Connection.Stage.CLOSED)
    return list(Connection.objects.exclude(stage__in=not_ours).values_list("slug", flat=True))


def _ramp_rows(slug: str) -> Iterator[RampRow]:
    """What the simulator was told, line by line."""
    url = f"{settings.RAMP_API_URL}/_simulator/ledger"
    try:
        with httpx.stream("GET", url, params={"business": slug}, timeout=60) as answer:
            if not answer.is_success:
                raise CommandError("--verify needs the Ramp simulator; this is another Ramp.")
            for line in answer.iter_lines():
                yield _ramp_row(json.loads(line))
    except httpx.TransportError as error:
        raise CommandError(f"The Ramp simulator does not answer at {url}: {error}") from error


def _ramp_row(row: dict[str, Any]) -> RampRow:
    exponent = exponent_from_rate(row["minor_unit_conversion_rate"])
    return RampRow(
        object_type=row["object_type"],
        ramp_id=row["id"],
        sync_status=row["sync_status"],
        reference=row["reference_id"] or "",
        by_us=row["synced_by"] == "api",
        money=Money(row["amount"], row["currency"], exponent),
    )


def _wait_for_polls(since: datetime, say: Any) -> None:
    """What was ready in Ramp when we asked must be known to us after another poll."""
    waiting = Schedule.objects.filter(connection__stage=Connection.Stage.LIVE).exclude(
        last_pull_started_at__gte=since, last_poll_at__gte=since
    )
    for connection_id in waiting.values_list("pk", flat=True):
        poll_schedule.fetch_soon(connection_id)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting.exists():
        if time.monotonic() > deadline:
            names = waiting.values_list("connection__name", flat=True)
            say(f"Not polled within {PATIENCE_SECONDS} s: {', '.join(names)}. Is a worker running?")
            return
        time.sleep(0.5)


def _details(differences: Differences) -> dict[str, list[str]]:
    return {kind: lines[:SHOWN] for kind, lines in asdict(differences).items() if lines}


def _table(answer: dict[str, Any], differences: Differences | None) -> str:
    age = answer["oldest_unsynced_age_seconds"]
    lines = [f"{state:<10} {count:>10,}" for state, count in answer["items"].items() if count]
    lines += [
        "",
        f"Customers            {answer['customers']}",
        f"Oldest unsynced      {'nothing waits' if age is None else f'{age:,.0f} s'}",
        f"Unsynced amounts     {_amounts(answer['unsynced_amounts'])}",
        f"Workers              {answer['workers']}",
        f"Broker               {answer['broker']}",
        f"Database             {answer['database']}",
    ]
    if differences is not None:
        lines += ["", *(f"{kind:<12} {count:>8}" for kind, count in differences.counts().items())]
        for kind, found in _details(differences).items():
            lines += ["", f"{kind}:", *(f"  {line}" for line in found)]
    return "\n".join(lines)


def _amounts(amounts: dict[str, str]) -> str:
    return ", ".join(f"{amount} {currency}" for currency, amount in amounts.items()) or "none"
