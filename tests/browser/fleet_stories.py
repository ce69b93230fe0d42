"""The fleet in every state: hundreds of customers, each health, stories of one of them."""

import random
from datetime import datetime, timedelta

from connections import audit
from connections.models import Connection, Credential, Mirror
from syncing.fleet.keeping import keep_up
from syncing.models import Comment, CustomerStanding
from tests.browser.stories import make_item, ordinary_day
from tests.factories import (
    LONG_NAME,
    AckBatchFactory,
    ConnectionFactory,
    PauseFactory,
    ScheduleFactory,
    SyncRunFactory,
    now,
)

TOWNS = ("Aspen", "Birch", "Cedar", "Dover", "Elm", "Fargo", "Golden", "Hazel", "Iron", "Juniper")
TRADES = ("Bakery", "Clinics", "Dental", "Freight", "Hotels", "Labs", "Media", "Robotics", "Solar")
ERPS = ("Tryton", "NetSuite", "Sage Intacct", "Acumatica")


def two_hundred() -> None:
    """A fleet of over two hundred, most of them well, among them the longest name."""
    ordinary_day()
    dice = random.Random(5)
    for number in range(205):
        name = f"{dice.choice(TOWNS)} {dice.choice(TRADES)} {number}"
        connection = ConnectionFactory.create(
            slug=f"fleet-{number}",
            name=LONG_NAME if number == 7 else name,
            erp_name=dice.choice(ERPS),
            owner=dice.choice(("", "hannah", "kenji", "maya.okafor")),
            tags=dice.sample(("vip", "month-end", "pilot", "retail"), dice.randint(0, 2)),
        )
        ScheduleFactory.create(connection=connection, last_posted_at=_ago(dice.randint(1, 900)))
        if dice.random() < 0.12:
            make_item(connection, dice.choice(("failed", "broken", "uncertain", "retrying")),
                      ready_at=_ago(dice.randint(5, 2000)))  # fmt: skip
    keep_up(now=now())
    for line in CustomerStanding.objects.all():
        line.days = [[dice.randint(0, 80), dice.choice((0, 0, 0, 1, 4))] for _ in range(14)]
        line.drifting = dice.choice((0, 0, 0, 0, 3, 12))
        line.save(update_fields=["days", "drifting"])
    Credential.objects.create(
        connection=Connection.objects.get(slug="fleet-7"), side="erp", expires_at=_ago(-60 * 24 * 9)
    )
    Credential.objects.create(
        connection=Connection.objects.get(slug="sakura-foods"), side="erp", expires_at=_ago(600)
    )


def every_health() -> None:
    """One customer of each health, with much of what can stand on its page."""
    moment = now()
    stages = {"setting-up": "setting_up", "stage-paused": "paused", "not-connected": "live"}
    for slug, stage in stages.items():
        ConnectionFactory.create(slug=slug, name=slug.capitalize(), stage=stage)
    troubles: dict[str, dict[str, object]] = {
        "working": {},
        "slow": {},
        "partly-paused": {},
        "erp-silent": {"resume_at": moment + timedelta(minutes=4)},
        "ramp-silent": {"poll_failures": 4},
        "blocked": {
            "blocked_at": moment - timedelta(hours=3),
            "blocked_side": "erp",
            "blocked_code": "erp.auth_expired",
            "blocked_title": "Tryton no longer accepts the sign-in of this customer.",
            "blocked_fix": "Ask the customer to connect Tryton again.",
        },
    }
    for slug, trouble in troubles.items():
        name = slug.replace("-", " ").capitalize()
        connection = ConnectionFactory.create(
            slug=slug, name=name, owner="hannah", tags=["vip"], time_zone="Asia/Tokyo"
        )
        ScheduleFactory.create(connection=connection, **trouble)
        Mirror.objects.create(connection=connection, last_read_at=moment, last_push_at=moment)
        for story in ("done", "failed", "failed", "broken", "uncertain", "retrying", "queued"):
            make_item(connection, story, ready_at=moment - timedelta(minutes=90))
        SyncRunFactory.create(connection=connection, new=12, changed=2)
        AckBatchFactory.create(connection=connection, size=41)
        AckBatchFactory.create(connection=connection, outcome="failure", size=2)
        audit.record("hannah", "customers.assign", "Assigned it to hannah.",
                     connection_id=connection.pk)  # fmt: skip
        Comment.objects.create(
            connection=connection, at=moment, author="maya.okafor",
            text="The controller is away until Monday.\nCall Ana instead.",
        )  # fmt: skip
    PauseFactory.create(
        connection=Connection.objects.get(slug="partly-paused"), object_type="bill", automatic=True
    )
    keep_up(now=now())


def _ago(minutes: float) -> datetime:
    return now() - timedelta(minutes=minutes)
