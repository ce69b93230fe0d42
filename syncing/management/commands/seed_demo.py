"""Connect the demo's customers through the real code: the Ramp simulator here, Tryton there.

Each goes the way of a real customer: seat, entities, chart upload, posting profile, webhook.
Run again, it finds what is there and adds what is missing.
"""

import json
import os
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import httpx
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from connections import clients, services
from connections.erp.adapters.tryton.adapter import TrytonErp
from connections.mirror import refresh
from connections.models import AlertChannel, Connection, LedgerAccount, Switch
from connections.ramp.client import RampClient
from connections.upkeep import switches
from rampbridge.policy import Role
from syncing import backfill, poll_schedule
from syncing.models import AlertRule, Schedule

ERP_KIND = "tryton"
PROFILE_CODES = {
    "card_liability_account": "2150",
    "bank_account": "1010",
    "reimbursement_account": "2160",
    "cashback_account": "4900",
}
"""What Ramp does not code, by the codes of the demo's charts."""
OLD_ACCOUNT_CODE = "6999"
CREATES_VENDORS = "verde-clinics"
"""The customer whose merchants become vendors of the ERP by themselves."""
MIGRATING = "cedar-hotels"
"""The customer whose seat in Ramp another provider holds: the wizard moves it."""
CREDITS_IN = "USD"
"""The one currency that vendor credits of Ramp's are in."""
HISTORY_DAYS = 120
TIME_ZONES = {
    "harbor-coffee": "America/Los_Angeles",
    "northwind-robotics": "America/Chicago",
    "atelier-lumiere": "Europe/Paris",
    "sakura-foods": "Asia/Tokyo",
    "pennine-outdoor": "Europe/London",
    "blue-mesa-solar": "America/Denver",
    "verde-clinics": "America/New_York",
    "cedar-hotels": "America/New_York",
}


class Command(BaseCommand):
    help = (
        "Connect the demo's customers and create one user per role. Reads DEMO_ERP, a JSON object"
        " of adapter settings (url, database, login, password) per customer, and DEMO_PASSWORD."
    )

    def handle(self, **_options: Any) -> None:
        erps = json.loads(_required("DEMO_ERP"))
        _create_people(_required("DEMO_PASSWORD"))
        _have_alerts_told()
        businesses = {one["key"]: one for one in _businesses()}
        for number, (slug, erp_settings) in enumerate(erps.items(), start=1):
            if slug not in businesses:
                raise CommandError(f"The Ramp simulator has no business called {slug}.")
            enter = enter_customer if slug == MIGRATING else connect_customer
            connection = enter(businesses[slug], erp_settings)
            self.stdout.write(f"{number}/{len(erps)} {connection.name}")
            self.stdout.flush()


def enter_customer(business: Mapping[str, Any], erp_settings: dict[str, str]) -> Connection:
    """The credentials of both sides are kept. Nothing is changed in Ramp or the ERP."""
    connection = Connection.objects.filter(slug=business["key"]).first()
    if connection is None:
        return _create(business, erp_settings)
    # The demo's servers may be at other ports than last time.
    services.change_erp_credential(connection, erp_settings)
    return connection


def connect_customer(business: Mapping[str, Any], erp_settings: dict[str, str]) -> Connection:
    """One customer from nothing to live."""
    connection = enter_customer(business, erp_settings)
    ramp, erp = clients.ramp_client(connection), clients.erp_adapter(connection)
    services.check_erp(erp)
    services.take_seat(connection, ramp)
    for entity in services.mirror_entities(connection, ramp):
        if not entity.is_mapped:
            services.map_entity(entity)
    refresh.refresh_now(connection, erp, ramp, now=timezone.now(), actor="seed_demo")
    services.set_posting_profile(connection, **_posting_accounts(connection))
    Schedule.objects.get_or_create(connection=connection, defaults={"next_poll_at": timezone.now()})
    poll_schedule.fetch_soon(connection.pk)
    services.ensure_subscribed(connection, ramp)
    _set_switches(connection, ramp, currency=business.get("currency", ""))
    if isinstance(erp, TrytonErp):
        _close_old_account(erp)
    services.go_live(connection)
    _bring_old_credits(connection, ramp)
    return connection


def _set_switches(connection: Connection, ramp: RampClient, *, currency: str) -> None:
    """What is on already stays untouched: somebody may have turned it since, which is drift."""
    wanted = []
    if connection.slug == CREATES_VENDORS:
        wanted.append(Switch.Name.VENDOR_CREATION)
    if currency == CREDITS_IN:
        wanted.append(Switch.Name.VENDOR_CREDITS)
    known = connection.switches.filter(wanted=True).values_list("name", flat=True)
    for name in wanted:
        if name not in known:
            switches.set_switch(connection, ramp, name, on=True, actor="seed_demo")


def _bring_old_credits(connection: Connection, ramp: RampClient) -> None:
    """Nobody has entered the demo's vendor credits by hand, so those from before us come too."""
    today = timezone.now().date()
    first = today - timedelta(days=HISTORY_DAYS)
    order = backfill.order(
        connection, first=first, last=today, today=today, lists=["vendor_credit"]
    )
    backfill.run(connection, ramp, order, actor="seed_demo", sleep=time.sleep)


def _posting_accounts(connection: Connection) -> dict[str, str]:
    accounts = LedgerAccount.objects.filter(connection=connection, code__in=PROFILE_CODES.values())
    ids = dict(accounts.values_list("code", "erp_id"))
    return {purpose: ids[code] for purpose, code in PROFILE_CODES.items()}


def _close_old_account(erp: TrytonErp) -> None:
    """The customer's accountant closes an account that Ramp still offers: an error worth seeing."""
    rows = erp.rpc.read("account.account", [("code", "=", OLD_ACCOUNT_CODE)], ["closed"])
    still_open = [row["id"] for row in rows if not row["closed"]]
    if still_open:
        erp.rpc.call("model.account.account.write", still_open, {"closed": True}, write=True)


def _create(business: Mapping[str, Any], erp_settings: dict[str, str]) -> Connection:
    return services.create_connection(
        services.NewConnection(
            slug=business["key"],
            name=business["name"],
            time_zone=TIME_ZONES.get(business["key"], "UTC"),
            ramp_client_id=business["client_id"],
            ramp_client_secret=business["client_secret"],
            erp_kind=ERP_KIND,
            erp_name="Tryton",
            erp_settings=erp_settings,
        )
    )


def _businesses() -> list[dict[str, Any]]:
    answer = httpx.get(f"{settings.RAMP_API_URL}/_simulator/businesses", timeout=30)
    answer.raise_for_status()
    return list(answer.json()["businesses"])


def _create_people(password: str) -> None:
    """One user per role, named after it."""
    users = get_user_model().objects
    for role in Role:
        user, created = users.get_or_create(
            username=role.value, defaults={"first_name": role.value.capitalize()}
        )
        if created or not user.check_password(password):
            user.set_password(password)
            user.save()
        user.groups.set([Group.objects.get(name=role.value)])


def _have_alerts_told() -> None:
    """Messages about alerts become files, so that a visitor can read them."""
    channel, is_new = AlertChannel.objects.get_or_create(
        name="Operations", defaults={"kind": "email", "addresses": ["ops@integrator.example"]}
    )
    if is_new:
        channel.rules.set(AlertRule.objects.all())


def _required(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise CommandError(f"{name} is not set. ./run demo sets it; see the help of this command.")
    return value
