"""Have the access to a demo customer's ERP end soon, as if somebody had limited it: to try out."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connections.management.customers import customer_called
from connections.models import Credential


class Command(BaseCommand):
    help = (
        "Say that a customer's ERP credentials end in so many hours. The next look at the ERP,"
        " such as by Check now in the customer's settings, finds when they really end."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="its short name, such as harbor-coffee")
        parser.add_argument("--hours", type=float, default=30)

    def handle(self, *_args: Any, **options: Any) -> None:
        connection = customer_called(options["customer"])
        ends = timezone.now() + timedelta(hours=options["hours"])
        found = Credential.objects.filter(connection=connection, side=Credential.Side.ERP)
        if not found.update(expires_at=ends):
            raise CommandError(f"{connection.name} has no ERP credentials.")
        self.stdout.write(f"{connection.name}'s ERP credentials end {ends:%d %b %Y %H:%M} UTC.")
