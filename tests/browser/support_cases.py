"""Twenty questions that reach a support desk, each with the world behind it and its answer.

A question is answered when the words that answer it stand on screen, at most three clicks from the
start page. Typing into the search and pressing Enter is no click; following a link is one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from connections.models import Connection
from syncing.fleet.keeping import keep_up
from syncing.models import ErrorGroup, Inquiry, SyncItem
from tests.browser.conftest import Visitor
from tests.browser.stories import make_item
from tests.factories import (
    AttachmentFactory,
    ConnectionFactory,
    EntityFactory,
    PauseFactory,
    ScheduleFactory,
    SyncItemFactory,
    SyncRequestFactory,
    now,
    transaction_json,
)

NOT_READY_ID = UUID("0f4e2f0a-51a7-4a53-9f0e-5d0f3c2c7a01")


@dataclass
class Trail:
    """A walk from the start page, counting clicks."""

    visitor: Visitor
    clicks: int = 0

    def begin(self) -> None:
        self.clicks = 0
        self.visitor.go("/")

    def search(self, text: str) -> None:
        """Type into the search at the top, as the key / offers, and press Enter."""
        box = self.visitor.page.locator("#search")
        box.fill(text)
        with self.visitor.page.expect_navigation():
            box.press("Enter")

    def choose(self, what: str) -> None:
        """Choose in a list, as `selector=value`."""
        self.clicks += 1
        selector, _, value = what.partition("=")
        self.visitor.page.locator(selector).select_option(value)

    def click(self, selector: str) -> None:
        self.clicks += 1
        with self.visitor.page.expect_navigation():
            self.visitor.page.locator(selector).first.click()


@dataclass(frozen=True)
class Case:
    """One question. `steps` leads to the page where all of `answer` stands."""

    question: str
    steps: Sequence[tuple[str, str]]
    answer: Sequence[str]


def _customer(slug: str, name: str, **values: object) -> Connection:
    connection = ConnectionFactory.create(slug=slug, name=name, **values)
    ScheduleFactory.create(connection=connection)
    EntityFactory.create(connection=connection, name=f"{name} HQ")
    return connection


def _bill(connection: Connection, story: str, number: str, **values: object) -> SyncItem:
    shape = {"object_type": "bill", "invoice_number": number, "label": "Cafe Imports", **values}
    return make_item(connection, story, shape)


class World:
    """Six customers, and what each question needs of them."""

    def __init__(self) -> None:
        self.harbor = _customer("harbor-coffee", "Harbor Coffee Roasters")
        self.northwind = _customer("northwind-robotics", "Northwind Robotics")
        self.paused = _customer(
            "blue-mesa-solar",
            "Blue Mesa Solar",
            stage=Connection.Stage.PAUSED,
            paused_reason="Year-end audit until Monday, asked for by the controller.",
        )
        self.setting_up = _customer(
            "verde-clinics", "Verde Clinics", stage=Connection.Stage.SETTING_UP
        )
        self.blocked = _customer("atelier-lumiere", "Atelier Lumière")
        schedule = self.blocked.schedule
        schedule.blocked_at = now() - timedelta(hours=5)
        schedule.blocked_side, schedule.blocked_code = "erp", "erp.auth_expired"
        schedule.blocked_title = "Tryton no longer accepts the sign-in of this customer."
        schedule.blocked_fix = "Connect Tryton again. Everything waiting then goes through."
        schedule.save()
        self.silent = _customer("pennine-outdoor", "Pennine Outdoor Ltd")
        schedule = self.silent.schedule
        schedule.resume_at = now() + timedelta(minutes=3)
        schedule.erp_failures = 4
        schedule.save()

    def fill(self) -> None:
        """What each question is about."""
        _bill(self.harbor, "failed", "INV-204")
        _bill(self.harbor, "done", "INV-205", erp_number="BILL-10205")
        waiting = _bill(self.harbor, "failed", "INV-206")
        make_item(
            self.harbor,
            "queued",
            {
                "object_type": "bill_payment",
                "phase": 1,
                "ramp_id": waiting.ramp_id,
                "label": "Cafe Imports payment",
                "due_at": None,
                "blocked_by": "bill:not booked",
                "error_title": "Waits for its bill, which is not in Tryton yet.",
            },
        )
        shape = {
            "error_code": "mapping.gl_account",
            "error_title": "Tryton has no GL account called QB-7100.",
            "error_fix": "Choose another GL account in Ramp, or ask us to map this one.",
            "blocked_by": "mapping.GL account:QB-7100",
            "label": "Figma",
            "amount_minor": 41_250,
        }
        for _ in range(4):
            make_item(self.northwind, "failed", shape)
        make_item(self.northwind, "retrying", {"label": "Digi-Key"})
        make_item(self.northwind, "review", {"label": "McMaster-Carr"})
        make_item(self.northwind, "external", {"label": "Amazon Web Services"})
        make_item(self.northwind, "withdrawn", {"label": "GitHub Copilot"})
        make_item(self.northwind, "mismatch", {"label": "Lufthansa"})
        make_item(self.northwind, "broken", {"label": "Hetzner"})
        late = make_item(self.northwind, "done", {"label": "Uber Eats"})
        AttachmentFactory.create(
            item=late,
            connection=self.northwind,
            state="failed",
            name="receipt-1.heic",
            error_title="Tryton does not take files of 40 MB.",
            error_fix="Attach it in Tryton by hand, or put a smaller one in its place in Ramp.",
        )
        make_item(self.paused, "queued", {"label": "Home Depot"})
        make_item(self.blocked, "queued", {"label": "SNCF Connect"})
        make_item(self.silent, "retrying", {"label": "Royal Mail"})
        PauseFactory.create(connection=self.harbor, object_type="transfer", automatic=True)
        make_item(self.harbor, "queued", {"object_type": "transfer", "label": "Card payment Nov"})
        press = SyncRequestFactory.create(connection=self.harbor, partial=True)
        SyncItemFactory.create(connection=self.harbor, sync_request=press, label="Ecolab")
        unknown = SyncItemFactory.build(connection=self.harbor, ramp_id=NOT_READY_ID, label="Uline")
        Inquiry.objects.create(
            connection=self.harbor,
            object_type="transaction",
            ramp_id=NOT_READY_ID,
            asked_by="maya",
            asked_at=now(),
            answered_at=now(),
            is_there=True,
            body=transaction_json(unknown) | {"sync_status": "NOT_SYNC_READY"},
        )
        group = ErrorGroup.objects.get(code="erp.period_closed")
        group.owner, group.owned_since = "hannah", now()
        group.save()
        keep_up(now=now())


SEARCH, CLICK, CHOOSE = "search", "click", "choose"

CASES = (
    Case(
        "Why is bill INV-204 of Harbor Coffee not in the ERP?",
        [(SEARCH, "INV-204")],
        ["The period October 2026 is closed in Tryton.", "Waiting for customer"],
    ),
    Case(
        "Harbor says bill INV-205 never arrived. Did it?",
        [(SEARCH, "INV-205")],
        ["Done", "BILL-10205"],
    ),
    Case(
        "The supplier of INV-206 waits for money. Why is the payment not in the ERP?",
        [(SEARCH, "cafe imports payment"), (CLICK, "a.row-link")],
        ["Waits for its bill, which is not in Tryton yet."],
    ),
    Case(
        "A Figma charge of 412.50 is missing. Whose move is it?",
        [(SEARCH, "figma 412.50"), (CLICK, "a.row-link")],
        ["Tryton has no GL account called QB-7100.", "Customer's move"],
    ),
    Case(
        "How many items does that missing account hold up, and at whom?",
        [(CLICK, 'a[data-go="e"]'), (CLICK, "a.row-link:has-text('no GL account called')")],
        ["Northwind Robotics", "4"],
    ),
    Case(
        "Digi-Key has been retried. When is the next try?",
        [(SEARCH, "digi-key"), (CLICK, "a.row-link")],
        ["Retrying", "Next try"],
    ),
    Case(
        "Is the McMaster-Carr charge in the ERP or not?",
        [(SEARCH, "mcmaster"), (CLICK, "a.row-link")],
        ["Uncertain", "No answer, and nothing to ask."],
    ),
    Case(
        "Why did we not post Amazon Web Services?",
        [(SEARCH, "amazon web"), (CLICK, "a.row-link")],
        ["Handled outside"],
    ),
    Case(
        "Where did the GitHub Copilot charge go?",
        [(SEARCH, "github copilot"), (CLICK, "a.row-link")],
        ["Withdrawn"],
    ),
    Case(
        "Lufthansa is booked, but Ramp shows it as open. Why?",
        [(SEARCH, "lufthansa"), (CLICK, "a.row-link")],
        ["Needs a person", "Ramp does not accept the report of a booked item."],
    ),
    Case(
        "The customer was told to contact us about Hetzner. What is wrong?",
        [(SEARCH, "hetzner"), (CLICK, "a.row-link")],
        ["We could not post this card transaction.", "Our move"],
    ),
    Case(
        "Why is there no receipt on the Uber Eats entry?",
        [(SEARCH, "uber eats"), (CLICK, "a.row-link")],
        ["receipt-1.heic", "Tryton does not take files of 40 MB."],
    ),
    Case(
        "Nothing of Blue Mesa Solar arrives. Since when, and why?",
        [(SEARCH, "blue mesa"), (CLICK, "a.row-link")],
        ["Paused", "Year-end audit until Monday"],
    ),
    Case(
        "Nothing of Atelier Lumière arrives. What must be done?",
        [(SEARCH, "atelier"), (CLICK, "a.row-link")],
        ["Tryton no longer accepts the sign-in of this customer."],
    ),
    Case(
        "Is Pennine's ERP down?",
        [(CLICK, 'a[data-go="c"]'), (CLICK, "a.row-link:has-text('Pennine')")],
        ["does not answer"],
    ),
    Case(
        "Is Verde Clinics live yet?",
        [(SEARCH, "verde"), (CLICK, "a.row-link")],
        ["Setting up"],
    ),
    Case(
        "Harbor's transfers stopped. Who stopped them?",
        [(SEARCH, "card payment nov"), (CLICK, "a.row-link")],
        ["Posting is paused", "in a row were refused for the same reason"],
    ),
    Case(
        "Harbor pressed Sync All and not all of it came. What happened to the press?",
        [(SEARCH, "harbor"), (CLICK, "a.row-link"), (CLICK, "a[href*='sync-requests']")],
        ["told as not done in time"],
    ),
    Case(
        "Ramp has a Uline charge that we do not know. Why?",
        [
            (SEARCH, f"https://app.ramp.com/transactions/{NOT_READY_ID}"),
            (CLICK, "a:has-text('Ask Ramp why')"),
            (CHOOSE, "#why-customer=harbor-coffee"),
            (CLICK, "#why-ask"),
        ],
        ["The card transaction is not ready to sync in Ramp."],
    ),
    Case(
        "Who looks after the closed period?",
        [(CLICK, 'a[data-go="e"]'), (CLICK, "a.row-link:has-text('closed in Tryton')")],
        ["hannah", "Reopen the period in Tryton"],
    ),
)
