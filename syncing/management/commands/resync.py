"""Sync one customer anew, from the start of every list."""

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections.management.customers import customer_called
from connections.models import Connection
from syncing import resync
from syncing.kinds import LISTS
from syncing.models import SyncItem
from syncing.resync import Begun, NotResyncable

ACTOR = "command line"


class Command(BaseCommand):
    help = (
        "Read every list of a customer from its start, queue what has failed or waits, and compare"
        " Ramp, rampbridge and the ERP. What is posted is not posted again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="its short name, such as harbor-coffee")
        parser.add_argument(
            "--types", default="", help=f"comma-separated, of {', '.join(LISTS)}; else all"
        )
        parser.add_argument("--json", action="store_true", help="one object, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        connection = customer_called(options["customer"])
        names = [name.strip() for name in options["types"].split(",") if name.strip()]
        try:
            begun = resync.resync(connection, actor=ACTOR, lists=names)
        except NotResyncable as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps({"customer": connection.slug, **asdict(begun)}))
        else:
            self.stdout.write(_as_text(connection, begun))


def _as_text(connection: Connection, begun: Begun) -> str:
    labels = ", ".join(SyncItem.ObjectType(name).label for name in begun.lists)
    return "\n".join(
        [
            f"{connection.name} is synced anew: {labels}.",
            f"Lists that are read from their start   {len(begun.lists):>7,}",
            f"Places in lists that were forgotten    {begun.forgotten:>7,}",
            f"Failed items that are queued again     {begun.failed:>7,}",
            f"Waiting items that are queued again    {begun.waiting:>7,}",
            f"Ramp, rampbridge and {connection.erp_name} are compared next."
            " The workers do all this now; the customer's page shows the run.",
        ]
    )
