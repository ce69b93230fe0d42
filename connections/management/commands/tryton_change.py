"""Change something in a customer's Tryton, as its accountants would: to see it reach Ramp."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections import secrets
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.errors import ErpError
from connections.erp.http import client_for
from connections.management.customers import customer_called
from connections.management.tryton_changes import CHANGES, NothingLeft
from connections.models import Connection, Credential
from connections.secrets import NoCredential


class Command(BaseCommand):
    help = "Change a customer's chart in Tryton. Its drift page shows it after the next refresh."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("change", choices=list(CHANGES))
        parser.add_argument(
            "--customer", required=True, help="its short name, such as harbor-coffee"
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        connection = customer_called(options["customer"])
        if connection.erp_kind != "tryton":
            raise CommandError(f"{connection.name}'s ERP is {connection.erp_name}, not Tryton.")
        try:
            done = CHANGES[options["change"]](_rpc(connection))
        except (NoCredential, NothingLeft) as error:
            raise CommandError(str(error)) from error
        except ErpError as error:
            raise CommandError(f"{connection.name}'s Tryton refused: {error}") from error
        self.stdout.write(f"{done} in {connection.name}'s Tryton.")


def _rpc(connection: Connection) -> TrytonRpc:
    """Signed in as the integration's user, who may change charts in the demo's companies."""
    keys = secrets.credential(connection, Credential.Side.ERP)
    account = Account(keys["url"], keys["database"], keys["login"], keys["password"])
    return TrytonRpc(account, client_for(account.url, TIMEOUT, adapter="tryton"))
