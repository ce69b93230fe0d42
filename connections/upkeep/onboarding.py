"""From credentials to the first synced object: which step a new customer is at. Pure.

No step is stored. Each follows from facts, so that a closed browser, a second person or a wish that
was carried out twice cannot get it wrong; and a step that comes undone shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    DONE = "done"
    WORKING = "working"
    """A worker is at it."""
    TO_DO = "to_do"
    """Somebody here has to act."""
    BLOCKED = "blocked"
    """It went wrong: the words say why and what to do."""
    LATER = "later"
    """An earlier step comes first."""


class Party(StrEnum):
    """Whose move it is."""

    US = "us"
    CUSTOMER = "customer"
    RAMP = "Ramp"
    NOBODY = ""


class Key(StrEnum):
    """The steps, in order. The templates have a part for each."""

    CREDENTIALS = "credentials"
    RAMP = "ramp"
    ERP = "erp"
    SEAT = "seat"
    ENTITIES = "entities"
    CHART = "chart"
    ACCOUNTS = "accounts"
    WEBHOOK = "webhook"
    LIVE = "live"
    FIRST = "first"


TITLES = {
    Key.CREDENTIALS: "Customer and credentials",
    Key.RAMP: "Ramp lets us in",
    Key.ERP: "The ERP lets us in",
    Key.SEAT: "Connected in Ramp",
    Key.ENTITIES: "Entities are companies of the ERP",
    Key.CHART: "Chart of accounts in Ramp",
    Key.ACCOUNTS: "Posting accounts",
    Key.WEBHOOK: "Ramp rings us",
    Key.LIVE: "Live",
    Key.FIRST: "First object synced",
}
FIXED = "Check both sides again once it is mended."


@dataclass(frozen=True, slots=True)
class Wish:
    """What came of something that was asked of a worker."""

    is_under_way: bool = False
    is_refused: bool = False
    title: str = ""
    fix: str = ""


NOTHING = Wish()


@dataclass(frozen=True, slots=True)
class Side:
    """How one side was when we looked."""

    is_known: bool = False
    is_ok: bool = False
    title: str = ""
    fix: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of the chart is where."""

    read: int = 0
    uploaded: int = 0
    refused: int = 0
    is_read: bool = False
    problem: str = ""
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the steps follow from."""

    erp_name: str
    label: str
    """What the customer sees in Ramp."""
    has_ramp_credentials: bool
    has_erp_credentials: bool
    ramp: Side = Side()
    erp: Side = Side()
    check: Wish = NOTHING
    seat: Wish = NOTHING
    webhook: Wish = NOTHING
    go_live: Wish = NOTHING
    new_ramp_credentials: Wish = NOTHING
    new_erp_credentials: Wish = NOTHING
    has_seat: bool = False
    is_being_prepared: bool = False
    """A migration prepares our connection, and another one is still active."""
    entities: int = 0
    entities_mapped: int = 0
    chart: Progress = Progress()
    has_posting_accounts: bool = False
    webhook_is_active: bool = False
    webhook_is_pending: bool = False
    is_live: bool = False
    synced: int = 0
    found: int = 0
    """Objects that Ramp has given us so far."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the page shows it."""

    key: Key
    status: Status
    words: str
    fix: str = ""
    party: Party = Party.NOBODY

    @property
    def title(self) -> str:
        return TITLES[self.key]

    @property
    def is_done(self) -> bool:
        return self.status is Status.DONE


def steps(facts: Facts) -> list[Step]:
    """All of them, in order. What needs an earlier one waits for it."""
    credentials = _credentials(facts)
    ramp = _side(Key.RAMP, facts.ramp, facts.check, facts.new_ramp_credentials, "Ramp")
    erp = _side(Key.ERP, facts.erp, facts.check, facts.new_erp_credentials, facts.erp_name)
    seat = _seat(facts)
    chain: list[tuple[Step, Sequence[Step]]] = [
        (credentials, ()),
        (ramp, (credentials,)),
        (erp, (credentials,)),
        (seat, (ramp, erp)),
    ]
    entities, chart, accounts, webhook = (
        _entities(facts), _chart(facts), _accounts(facts), _webhook(facts)
    )  # fmt: skip
    chain += [
        (entities, (seat,)),
        (chart, (seat,)),
        (accounts, (seat, chart)),
        (webhook, (seat,)),
    ]
    live = _live(facts)
    chain.append((live, (seat, entities, chart, accounts)))
    chain.append((_first(facts), (live,)))
    return [_in_turn(step, before) for step, before in chain]


def missing(facts: Facts) -> list[str]:
    """What still keeps a customer from going live, in words; nothing if it may."""
    needed = {Key.RAMP, Key.ERP, Key.SEAT, Key.ENTITIES, Key.CHART, Key.ACCOUNTS}
    return [step.title for step in steps(facts) if step.key in needed and not step.is_done]


def current(all_steps: Sequence[Step]) -> Step | None:
    """Where somebody, or a worker, has to act next; None once all is done."""
    open_ones = [step for step in all_steps if not step.is_done]
    return open_ones[0] if open_ones else None


def _in_turn(step: Step, before: Sequence[Step]) -> Step:
    if step.is_done or all(one.is_done for one in before):
        return step
    waits_for = next(one for one in before if not one.is_done)
    return Step(step.key, Status.LATER, f"After “{waits_for.title}”.")


def _credentials(facts: Facts) -> Step:
    if facts.has_ramp_credentials and facts.has_erp_credentials:
        return Step(Key.CREDENTIALS, Status.DONE, "Sealed, and never shown again.")
    side = "Ramp" if not facts.has_ramp_credentials else facts.erp_name
    return Step(
        Key.CREDENTIALS, Status.TO_DO, f"The credentials of {side} are missing.", party=Party.US
    )


def _side(key: Key, side: Side, check: Wish, renewed: Wish, name: str) -> Step:
    if renewed.is_under_way:
        return Step(key, Status.WORKING, "New credentials are being checked.")
    if check.is_under_way:
        words = check.title or f"{name} is being asked."
        return Step(key, Status.WORKING, words, check.fix)
    if renewed.is_refused and not side.is_ok:
        return Step(key, Status.BLOCKED, renewed.title, renewed.fix, Party.US)
    if not side.is_known:
        return Step(key, Status.TO_DO, f"{name} was not asked yet.", party=Party.US)
    if not side.is_ok:
        return Step(key, Status.BLOCKED, side.title, side.fix or FIXED, Party.CUSTOMER)
    return Step(key, Status.DONE, side.about)


def _seat(facts: Facts) -> Step:
    if facts.is_being_prepared:
        words = "A migration prepares the connection. The customer switches to it at its end."
        return Step(Key.SEAT, Status.WORKING, words, party=Party.CUSTOMER)
    if facts.has_seat:
        return Step(Key.SEAT, Status.DONE, f"As “{facts.label}”, read back as linked.")
    if facts.seat.is_under_way:
        words = facts.seat.title or "Ramp is being asked for the connection."
        return Step(Key.SEAT, Status.WORKING, words, facts.seat.fix)
    if facts.seat.is_refused:
        return Step(Key.SEAT, Status.BLOCKED, facts.seat.title, facts.seat.fix, Party.US)
    return Step(
        Key.SEAT,
        Status.TO_DO,
        f"The customer's people will see “{facts.label}” as their accounting provider.",
        party=Party.US,
    )


def _entities(facts: Facts) -> Step:
    if not facts.entities:
        return Step(Key.ENTITIES, Status.WORKING, "Ramp's entities are being read.")
    unmapped = facts.entities - facts.entities_mapped
    if not unmapped:
        return Step(Key.ENTITIES, Status.DONE, f"{facts.entities} mapped.")
    return Step(
        Key.ENTITIES,
        Status.TO_DO,
        f"{unmapped} of {facts.entities} {'is' if unmapped == 1 else 'are'} not mapped."
        " What belongs to them would be held.",
        party=Party.US,
    )


def _chart(facts: Facts) -> Step:
    chart = facts.chart
    if chart.problem:
        return Step(Key.CHART, Status.BLOCKED, chart.problem, chart.fix, Party.US)
    if not chart.read and not chart.is_read:
        return Step(Key.CHART, Status.WORKING, f"{facts.erp_name}'s chart is being read.")
    outstanding = chart.read - chart.uploaded - chart.refused
    refused = f" {chart.refused:,} refused." if chart.refused else ""
    if outstanding > 0 or not chart.is_read:
        words = f"{chart.uploaded:,} of {chart.read:,} records are in Ramp.{refused}"
        return Step(Key.CHART, Status.WORKING, words)
    if not chart.uploaded:
        return Step(
            Key.CHART, Status.BLOCKED, f"{facts.erp_name} has no accounts to offer.{refused}",
            "Set up its chart of accounts, then read it again.", Party.CUSTOMER,
        )  # fmt: skip
    return Step(Key.CHART, Status.DONE, f"{chart.uploaded:,} records.{refused}")


def _accounts(facts: Facts) -> Step:
    if facts.has_posting_accounts:
        return Step(Key.ACCOUNTS, Status.DONE, "Chosen.")
    return Step(
        Key.ACCOUNTS, Status.TO_DO,
        f"Say which accounts of {facts.erp_name} stand for what Ramp does not code.",
        party=Party.US,
    )  # fmt: skip


def _webhook(facts: Facts) -> Step:
    if facts.webhook_is_active:
        return Step(Key.WEBHOOK, Status.DONE, "Verified. Spend arrives within seconds.")
    if facts.webhook.is_under_way:
        words = facts.webhook.title or "Ramp is being asked for a webhook."
        return Step(Key.WEBHOOK, Status.WORKING, words, facts.webhook.fix)
    if facts.webhook.is_refused:
        return Step(Key.WEBHOOK, Status.BLOCKED, facts.webhook.title, facts.webhook.fix, Party.US)
    if facts.webhook_is_pending:
        return Step(Key.WEBHOOK, Status.WORKING, "Ramp is verifying it.", party=Party.RAMP)
    return Step(
        Key.WEBHOOK, Status.TO_DO, "Without it spend arrives with the next poll.", party=Party.US
    )


def _live(facts: Facts) -> Step:
    if facts.is_live:
        return Step(Key.LIVE, Status.DONE, "Ramp is read, and what is ready is booked.")
    if facts.go_live.is_under_way:
        return Step(Key.LIVE, Status.WORKING, "It begins within seconds.")
    if facts.go_live.is_refused:
        return Step(Key.LIVE, Status.BLOCKED, facts.go_live.title, facts.go_live.fix, Party.US)
    return Step(
        Key.LIVE, Status.TO_DO, "All that is ready in Ramp is booked from then on.", party=Party.US
    )


def _first(facts: Facts) -> Step:
    if facts.synced:
        return Step(Key.FIRST, Status.DONE, f"{facts.synced:,} synced so far.")
    if facts.found:
        return Step(Key.FIRST, Status.WORKING, f"{facts.found:,} on the way.")
    return Step(
        Key.FIRST, Status.WORKING, "Nothing is ready to sync in Ramp yet.", party=Party.CUSTOMER
    )
