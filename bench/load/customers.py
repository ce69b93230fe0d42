"""The customers of a made-up fleet, the busiest first."""

import random
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.text import slugify

from bench.load.items import Payer
from bench.load.names import CURRENCIES, ERPS, ZONES, customer_name
from connections.models import Connection
from syncing.models import Schedule

OWNERS = ("", "", "hannah", "maya", "tom")


def add_customers(count: int, *, now: datetime, seed: int = 2) -> list[Payer]:
    """Rows of `count` customers, live with few exceptions, and what their items need of them."""
    chance = random.Random(seed)
    customers = [_customer(number, chance) for number in range(count)]
    Connection.objects.bulk_create(customers, batch_size=1000)
    Schedule.objects.bulk_create(
        [_schedule(customer, chance, now) for customer in customers], batch_size=1000
    )
    weights = [share for *_, share in CURRENCIES]
    drawn = chance.choices(CURRENCIES, weights=weights, k=count)
    return [
        Payer(str(customer.pk), currency, exponent)
        for customer, (currency, exponent, _) in zip(customers, drawn, strict=True)
    ]


def _customer(number: int, chance: random.Random) -> Connection:
    (erp,) = chance.choices(ERPS, weights=[share for *_, share in ERPS])
    name = customer_name(number)
    stage = Connection.Stage.LIVE if chance.random() < 0.97 else Connection.Stage.PAUSED
    return Connection(
        id=UUID(int=chance.getrandbits(128), version=4),
        slug=f"{slugify(name)}-{number}",
        name=name,
        stage=stage,
        paused_reason="" if stage == Connection.Stage.LIVE else "Asked for by the controller.",
        time_zone=chance.choice(ZONES),
        owner=chance.choice(OWNERS),
        ramp_business_id=UUID(int=chance.getrandbits(128), version=4),
        ramp_connection_id=UUID(int=chance.getrandbits(128), version=4),
        ramp_provider_name=f"{erp[1]} by rampbridge",
        erp_kind=erp[0],
        erp_name=erp[1],
    )


def _schedule(customer: Connection, chance: random.Random, now: datetime) -> Schedule:
    ago = timedelta(minutes=chance.random() * 60)
    is_silent = chance.random() < 0.01
    return Schedule(
        connection=customer,
        next_poll_at=now + timedelta(hours=1) - ago,
        last_poll_at=now - ago,
        last_posted_at=now - ago,
        last_acked_at=now - ago,
        erp_silent_since=now - timedelta(hours=2) if is_silent else None,
        resume_at=now + timedelta(minutes=9) if is_silent else None,
    )
