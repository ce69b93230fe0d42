"""Play the customer of a migration in the pretend Ramp: only they and their old provider can act.

The switch is made as our field-mapping sheet says it, which is what a customer copies from.
"""

from typing import Any

import httpx
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.models import Connection
from migrations_tool.models import ConnectionMigration, OldRecord

_SHEETS = {
    OldRecord.Kind.FIELD: "fields",
    OldRecord.Kind.OPTION: "options",
    OldRecord.Kind.ACCOUNT: "accounts",
    OldRecord.Kind.VENDOR: "vendors",
    OldRecord.Kind.TAX_CODE: "tax_codes",
}


class Command(BaseCommand):
    help = (
        "Play a customer in the pretend Ramp. sync-old: the old provider syncs what is ready."
        " flip: switch providers to our connection. flip-back: reconnect the old provider."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=["sync-old", "flip", "flip-back"])
        parser.add_argument("--customer", required=True, metavar="SLUG")
        parser.add_argument(
            "--most", type=int, help="For sync-old: only so many objects, the rest stays ready."
        )

    def handle(self, *, act: str, customer: str, **options: Any) -> None:
        connection = Connection.objects.filter(slug=customer).first()
        if connection is None:
            raise CommandError(f"There is no customer called {customer}.")
        match act:
            case "sync-old":
                answer = _tell(customer, "provider/sync", {"most": options["most"]})
                self.stdout.write(f"The old provider has synced {answer['synced']} objects.")
            case "flip":
                chosen = {"to": connection.ramp_provider_name} | _sheet(connection)
                answer = _tell(customer, "switch", chosen)
                self.stdout.write(f"{answer['remote_provider_name']} is active in Ramp now.")
            case _:
                old = {"connection_id": str(_migration(connection).old_connection_id)}
                answer = _tell(customer, "switch-back", old)
                self.stdout.write(f"{answer['remote_provider_name']} is active in Ramp again.")


def _sheet(connection: Connection) -> dict[str, dict[str, str]]:
    """Old ids to new ones, as far as the mapping of the migration has come."""
    chosen: dict[str, dict[str, str]] = {name: {} for name in _SHEETS.values()}
    records = OldRecord.objects.filter(migration=_migration(connection)).exclude(erp_id="")
    for kind, old_id, erp_id in records.values_list("kind", "old_id", "erp_id"):
        chosen[_SHEETS[OldRecord.Kind(kind)]][old_id] = erp_id
    return chosen


def _migration(connection: Connection) -> ConnectionMigration:
    found = ConnectionMigration.objects.filter(connection=connection).order_by("-started_at")
    migration = found.first()
    if migration is None:
        raise CommandError(f"{connection.name} has no migration. Start one on its page.")
    return migration


def _tell(customer: str, what: str, body: dict[str, Any]) -> dict[str, Any]:
    """:raises CommandError: in the words of the pretend Ramp, if it cannot be done"""
    url = f"{settings.RAMP_API_URL}/_simulator/businesses/{customer}/{what}"
    try:
        answer = httpx.post(url, json=body, timeout=60)
    except httpx.TransportError as error:
        raise CommandError(f"The pretend Ramp does not answer at {url}: {error}") from error
    if not answer.is_success:
        raise CommandError(_words_of(answer))
    return dict(answer.json())


def _words_of(answer: httpx.Response) -> str:
    if "json" not in answer.headers.get("content-type", ""):
        return f"{settings.RAMP_API_URL} is not the pretend Ramp."
    return str(answer.json()["error_v2"]["message"])
