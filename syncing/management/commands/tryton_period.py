"""Close or reopen a month in a customer's Tryton, as its accountant would: to try things out."""

import re
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connections import secrets
from connections.erp.adapters.tryton.rpc import TIMEOUT, Account, TrytonRpc
from connections.erp.errors import ErpError
from connections.erp.http import client_for
from connections.management.customers import customer_called
from connections.models import Connection, Credential
from connections.secrets import NoCredential

STATES = {"close": "closed", "reopen": "open"}
_MONTH = re.compile(r"(\d{4})-(\d{2})")


class Command(BaseCommand):
    help = "Close or reopen one month in a customer's Tryton. Items of that month then show it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=sorted(STATES))
        parser.add_argument("customer", help="its short name, such as harbor-coffee")
        parser.add_argument("month", nargs="?", help="YYYY-MM; this month if left out")

    def handle(self, *_args: Any, **options: Any) -> None:
        first = _first_of(options["month"])
        connection = customer_called(options["customer"])
        if connection.erp_kind != "tryton":
            raise CommandError(f"{connection.name}'s ERP is {connection.erp_name}, not Tryton.")
        try:
            _change(connection, first, options["action"])
        except NoCredential as missing:
            raise CommandError(str(missing)) from missing
        except ErpError as error:
            raise CommandError(f"{connection.name}'s Tryton refused: {error}") from error
        state = STATES[options["action"]]
        self.stdout.write(f"{first:%B %Y} is {state} in {connection.name}'s Tryton.")


def _change(connection: Connection, first: date, action: str) -> None:
    """Tryton refuses to close what is closed, so periods that are there already are left alone."""
    rpc = _rpc(connection)
    periods = rpc.read("account.period", [("start_date", "=", first)], ["state"])
    if not periods:
        raise CommandError(f"{connection.name}'s Tryton has no period {first:%B %Y}.")
    others = [one["id"] for one in periods if one["state"] != STATES[action]]
    if others:
        rpc.call(f"model.account.period.{action}", others, write=True)


def _first_of(month: str | None) -> date:
    if month is None:
        return timezone.now().date().replace(day=1)
    match = _MONTH.fullmatch(month)
    if not match or not 1 <= int(match[2]) <= 12:
        raise CommandError(f"{month} is not a month. Write it as 2026-11.")
    return date(int(match[1]), int(match[2]), 1)


def _rpc(connection: Connection) -> TrytonRpc:
    """Signed in as the integration's user, who may close periods in the demo's companies."""
    keys = secrets.credential(connection, Credential.Side.ERP)
    account = Account(keys["url"], keys["database"], keys["login"], keys["password"])
    return TrytonRpc(account, client_for(account.url, TIMEOUT, adapter="tryton"))
