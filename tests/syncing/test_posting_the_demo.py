"""Everything that is ready in the demo becomes a document of its very amount, or says why not."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from connections.clients import SCOPES
from connections.erp.records import DocKind, Document
from connections.mappings import EntityTarget, MappingSet, MissingMapping, Target
from connections.ramp.auth import ClientCredentials, MemoryTokenStore
from connections.ramp.client import RampClient
from connections.ramp.pages import Page
from connections.ramp_simulator.app import Simulator
from syncing.cannot_post import CannotPost
from syncing.decisions import Action, decide, owed
from syncing.posting import document_for
from tests.syncing.posting_world import PROFILE, TENANT

BASE_URL = "http://ramp.test"
ACCOUNTS = ("6100", "6200", "6300", "6400", "6500", "6600", "6999")
VENDORS = (
    "Amazon Web Services",
    "Bergmann Werkzeuge GmbH",
    "Delta Air Lines",
    "Figma",
    "Staples",
    "WeWork",
)
SAID = {"no_coding", "transfer_not_due", "payment_not_due", "vendor"}
"""What the demo gets wrong on purpose, and vendors that nobody has uploaded."""


@pytest.fixture(params=["harbor-coffee", "sakura-foods", "atelier-lumiere"])
def ramp(request: pytest.FixtureRequest) -> Iterator[RampClient]:
    """A business in dollars, in yen and in euros, with a chart."""
    sim = Simulator.with_scenario("demo", rate_limit=False)
    business = sim.business(request.param)
    business.upload_chart(
        accounts=[
            {"id": code, "name": code, "code": code, "classification": "EXPENSE"}
            for code in ACCOUNTS
        ],
        departments=[{"id": code, "name": code, "code": code} for code in ("ENG", "SAL", "OPS")],
        vendors=[{"id": name, "name": name} for name in VENDORS],
    )
    credentials = ClientCredentials(
        base_url=BASE_URL,
        client_id=business.client_id,
        client_secret=business.client_secret,
        scopes=SCOPES,
        store=MemoryTokenStore(),
        clock=lambda: datetime.now(UTC),
    )
    with httpx.Client(transport=httpx.WSGITransport(app=sim.wsgi)) as http:
        yield RampClient(base_url=BASE_URL, auth=credentials, http=http)
    sim.close()


def mappings_of(ramp: RampClient) -> MappingSet:
    """Every record of the chart is itself."""
    vendors = {one.id: Target(one.id, one.name) for one in ramp.vendors()}
    return MappingSet(
        accounts={one.id: Target(one.id, one.name) for one in ramp.gl_accounts()},
        vendors=vendors,
        vendor_names={target.name.casefold(): target for target in vendors.values()},
        options={
            (field.id, option.id): Target(option.id, option.value)
            for field in ramp.fields()
            for option in ramp.field_options(field.ramp_id)
        },
        entities={
            str(one.id): EntityTarget(one.name, "", True, one.currency) for one in ramp.entities()
        },
        profiles={"": PROFILE},
    )


def ready(ramp: RampClient) -> Iterator[tuple[str, Any]]:
    """Type and object; a bill once for itself, and once for its payment if that is due."""
    lists: list[tuple[str, Iterator[Page[Any]]]] = [
        ("reimbursement", ramp.reimbursements(sync_status="SYNC_READY")),
        (
            "reimbursement",
            ramp.reimbursements(sync_status="SYNC_READY", direction="USER_TO_BUSINESS"),
        ),
        ("transfer", ramp.transfers(sync_status="SYNC_READY")),
        ("cashback", ramp.cashbacks(sync_status="SYNC_READY")),
        ("vendor_credit", ramp.vendor_credits(include_fully_used=True)),
        ("bill", ramp.bills(sync_ready=True)),
    ]
    for object_type, pages in lists:
        for page in pages:
            assert not page.malformed
            yield from ((object_type, one) for one in page.items)
    for page in ramp.bills(sync_ready=True):
        yield from (
            ("bill_payment", one) for one in page.items if decide(one).payment is Action.POST
        )


def booked(doc: Document) -> Decimal:
    """What a document moves, whichever way."""
    if doc.kind is not DocKind.JOURNAL:
        return doc.gross
    assert doc.total == 0
    return abs(doc.lines[-1].amount)


def test_every_object_becomes_its_amount_or_says_why_not(ramp: RampClient) -> None:
    mappings = mappings_of(ramp)
    made, refused = Counter[str](), Counter[str]()
    for object_type, one in ready(ramp):
        read = "bill" if object_type == "bill_payment" else object_type
        body = getattr(ramp, f"{read}_body")(one.id).decode()
        try:
            doc = document_for(object_type, body, mappings=mappings, tenant=TENANT)
        except (CannotPost, MissingMapping) as error:
            refused[getattr(error, "code", "") or getattr(error, "kind", "")] += 1
            continue
        due = owed(one) if object_type == "bill_payment" else one.money
        assert (booked(doc), doc.currency) == (abs(due.decimal), due.currency)
        made[object_type] += 1

    assert set(refused) <= SAID
    assert set(made) >= {"reimbursement", "transfer", "cashback", "bill", "bill_payment"}
    assert sum(refused.values()) < sum(made.values()) / 2
