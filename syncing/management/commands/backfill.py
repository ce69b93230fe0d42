"""Bring what is ready in Ramp from a window of days, or count it first."""

import json
import re
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from connections import clients
from connections.management.customers import customer_called
from connections.models import Connection
from connections.secrets import NoCredential
from syncing import backfill
from syncing.backfill import DATINGS, BadOrder, Order, Outcome, Position, Tally
from syncing.models import SyncItem

ACTOR = "command line"
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_OPTIONS: Mapping[str, str] = {
    "first": "--from",
    "last": "--to",
    "lists": "--types",
    "budget": "--budget",
    "start": "--start",
    "connection": "customer",
}
"""By the name of what is wrong, as `BadOrder` calls it."""


class Command(BaseCommand):
    help = (
        "Bring what is ready in Ramp from a window of days, however long ago (R-63)."
        " It is posted when nothing newer of the customer waits."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", help="its short name, such as harbor-coffee")
        parser.add_argument("--from", dest="first", required=True, help="first day, YYYY-MM-DD")
        parser.add_argument("--to", dest="last", required=True, help="last day, YYYY-MM-DD")
        parser.add_argument(
            "--types", default="", help=f"comma-separated, of {', '.join(DATINGS)}; else all"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="store nothing; count what would come"
        )
        parser.add_argument("--budget", help="stop after so many calls of Ramp")
        parser.add_argument("--start", help="where an earlier backfill stopped, as it said")
        parser.add_argument("--json", action="store_true", help="one object, for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        connection = customer_called(options["customer"])
        try:
            order = _order(connection, options)
            outcome = _run(connection, order)
        except BadOrder as error:
            raise CommandError(f"{_OPTIONS[error.about]}: {error}") from error
        go_on = _go_on(connection, order, outcome)
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(connection, order, outcome, go_on)))
        else:
            self.stdout.write("\n".join(_as_text(connection, order, outcome, go_on)))
        if outcome.problem:
            sys.exit(1)


def _run(connection: Connection, order: Order) -> Outcome:
    try:
        ramp = clients.ramp_client(connection)
    except NoCredential as missing:
        raise CommandError(str(missing)) from missing
    return backfill.run(connection, ramp, order, actor=ACTOR, sleep=time.sleep)


def _order(connection: Connection, options: Mapping[str, Any]) -> Order:
    return backfill.order(
        connection,
        first=_day("first", options["first"]),
        last=_day("last", options["last"]),
        today=timezone.now().date(),
        lists=[name.strip() for name in options["types"].split(",") if name.strip()],
        is_dry_run=options["dry_run"],
        budget=_calls(options["budget"]),
        start=_start(options["start"]),
    )


def _day(about: str, text: str) -> date:
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass  # a month or a day that there is not
    raise BadOrder(about, f"{text} is not a day. Write it as 2026-01-31.")


def _calls(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit():
        raise BadOrder("budget", f"{text} is not a number of calls. Write it as 100.")
    return int(text)


def _start(text: str | None) -> Position | None:
    if text is None:
        return None
    try:
        return Position.parse(text)
    except ValueError as error:
        what = f"{text} is no place to start from."
        raise BadOrder("start", f"{what} Copy it from what an earlier backfill said.") from error


def _go_on(connection: Connection, order: Order, outcome: Outcome) -> str:
    """The command line that does the rest, if there is any."""
    if outcome.goes_on_at is None:
        return ""
    words = [
        "manage.py", "backfill", connection.slug, "--from", str(order.first), "--to",
        str(order.last), "--types", ",".join(order.lists),
    ]  # fmt: skip
    if order.is_dry_run:
        words.append("--dry-run")
    if order.budget is not None:
        words += ["--budget", str(order.budget)]
    return shlex.join([*words, "--start", str(outcome.goes_on_at)])


def _as_json(
    connection: Connection, order: Order, outcome: Outcome, go_on: str
) -> dict[str, object]:
    return {
        "customer": connection.slug,
        "from": str(order.first),
        "to": str(order.last),
        "time_zone": connection.time_zone,
        "dry_run": order.is_dry_run,
        "types": {
            name: asdict(tally) | {"amounts": _amounts(tally)}
            for name, tally in outcome.tallies.items()
        },
        "outside": outcome.outside,
        "calls": outcome.calls,
        "complete": not go_on,
        "go_on": go_on or None,
        "problem": outcome.problem,
    }


def _amounts(tally: Tally) -> dict[str, str]:
    return {currency: str(money.decimal) for currency, money in sorted(tally.amounts.items())}


def _as_text(connection: Connection, order: Order, outcome: Outcome, go_on: str) -> Sequence[str]:
    calls = "one call" if outcome.calls == 1 else f"{outcome.calls:,} calls"
    doing = "counted only, nothing is stored" if order.is_dry_run else "stored and queued"
    lines = [
        f"{connection.name}, {order.first} to {order.last} ({connection.time_zone}): {doing}.",
        "",
        f"{'':<20}{'ready':>9}{'known':>9}{'new':>9}{'odd':>9}  new, in total",
        *(_row(name, tally) for name, tally in outcome.tallies.items()),
        "",
        f"Ramp was asked with {calls}." + (" To bring it takes as many." * order.is_dry_run),
        *(f"{SyncItem.ObjectType(name).label}: {DATINGS[name].words}" for name in order.lists),
    ]
    if outcome.outside:
        lines.append(f"{outcome.outside} that Ramp listed lie outside the window and were left.")
    if outcome.problem:
        lines += ["", f"It broke off: {outcome.problem}"]
    if go_on:
        lines += ["", "There is more. This goes on:", f"  {go_on}"]
    return lines


def _row(name: str, tally: Tally) -> str:
    total = ", ".join(f"{amount} {currency}" for currency, amount in _amounts(tally).items())
    label = SyncItem.ObjectType(name).label
    figures = (tally.objects, tally.known, tally.new, tally.odd)
    return f"{label:<20}" + "".join(f"{figure:>9,}" for figure in figures) + f"  {total or '-'}"
