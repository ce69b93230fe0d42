"""Switch Ramp's sync button on or off for a customer, or say whether it would fit."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from connections import clients
from connections.management.customers import customer_called
from connections.ramp.errors import RampError
from connections.secrets import NoCredential
from connections.services import NotVerified
from syncing import button_switch
from syncing.button_switch import NotAdmitted
from syncing.classifier import classify_ramp

TYPES = ("transaction", "reimbursement")


class Command(BaseCommand):
    help = (
        "Switch Ramp's sync button for a customer (R-82, R-85). It is switched on only where a"
        " usual press is answered within Ramp's five minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="its short name, such as harbor-coffee")
        parser.add_argument("type", choices=TYPES)
        parser.add_argument("wish", choices=("on", "off", "would-it-fit"))

    def handle(self, *_args: Any, **options: Any) -> None:
        connection = customer_called(options["customer"])
        object_type, wish = options["type"], options["wish"]
        if wish == "would-it-fit":
            self.stdout.write(button_switch.may_enable_button(connection, object_type).words)
            return
        try:
            ramp = clients.ramp_client(connection)
            verdict = button_switch.set_sync_button(connection, ramp, object_type, on=wish == "on")
        except (NotAdmitted, NotVerified, NoCredential) as refusal:
            raise CommandError(str(refusal)) from refusal
        except RampError as error:
            raise CommandError(classify_ramp(error).title) from error
        said = f" {verdict.words}" if verdict else ""
        self.stdout.write(f"The sync button of {connection.name} is {wish}.{said}")
