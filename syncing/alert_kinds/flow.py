"""Kinds that are about one customer's backlog and about how it goes through."""

from rampbridge.lib.counting import counted
from syncing.alert_kinds.base import (
    Kind,
    Link,
    Reading,
    Setting,
    Subject,
    Thresholds,
    Unit,
    Words,
    levels,
    of_customer,
    span,
)
from syncing.alert_kinds.fleet import ERP, WORKER

_CUSTOMERS = Link("customers")
AGE, ITEMS, AMOUNT = "backlog_age", "backlog_items", "backlog_amount"
OUTBOX, UNCERTAIN, MISMATCH = "report_outbox", "uncertain", "mismatch"
DUPLICATES, OUTSIDE, BUTTON = "duplicates", "outside", "button_slow"
_COVERED = (WORKER, ERP)


def _age(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: the oldest item has waited for {span(reading.value * 60)}.",
        "It waits for us or for the ERP, not for the customer, whose books lack it meanwhile.",
        "Open the customer: its first sentence says what holds it up.",
        of_customer(reading),
    )


def _items(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {counted(round(reading.value), 'item')} are ready and not synced yet.",
        "More comes in than goes out, or the worker is stuck with this customer.",
        "Open the customer and see whether items go through. If none does, look at what it says"
        " stops it; if they do, its ERP is slower than its spend.",
        Link("items", query=f"customer={reading.slug}&state=queued"),
    )


def _amount(reading: Reading) -> Words:
    currency = reading.facts["currency"]
    return Words(
        f"{reading.name}: {currency} {reading.value:,.0f} are ready and not synced yet.",
        "So much spend is missing in the customer's books.",
        "Open the customer and see whether items go through, the largest first.",
        Link("items", query=f"customer={reading.slug}&state=queued"),
    )


def _is_currency(reading: Reading, thresholds: Thresholds) -> bool:
    return bool(reading.facts.get("currency") == thresholds.get("currency"))


def _outbox(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: a report to Ramp has not been taken for {span(reading.value * 60)}.",
        "What is in the ERP still shows as unsynced in Ramp, and somebody may export it by hand.",
        f"Open the customer's runs: the report says what Ramp answers."
        f" {reading.facts.get('problem', '')}".strip(),
        Link("customer_runs", {"slug": reading.slug}),
    )


def _uncertain(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {counted(int(reading.facts['items']), 'item')} uncertain for"
        f" {span(reading.value * 60)}.",
        "Nobody knows whether the ERP has them. They are neither sent again nor reported until a"
        " person decides.",
        "Open the uncertain items, have the ERP searched, and say what it is.",
        Link("uncertain", query=f"customer={reading.slug}"),
    )


def _mismatch(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {counted(round(reading.value), 'item')} where Ramp and the ERP disagree.",
        "The books do not say what was spent: the card account is out of balance.",
        "Open the items: each says what differs, and offers to settle it or to report it again.",
        Link("items", query=f"customer={reading.slug}&state=needs-a-person"),
    )


def _duplicates(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {counted(round(reading.value), 'item')} may stand in the books twice.",
        "A purchase that pays a bill was booked as an expense as well, so it is counted double.",
        "Open the customer's last comparison, look at both documents in the ERP, and reverse one.",
        Link("customer_runs", {"slug": reading.slug}),
    )


def _outside(reading: Reading) -> Words:
    return Words(
        f"{reading.name}: {counted(round(reading.value), 'item')} synced by somebody else within"
        " a day.",
        "Somebody pressed Export in Ramp, or another tool syncs: those items never reach the ERP"
        " through us.",
        "Ask the customer who pressed Export, and whether they booked those items by hand.",
        Link("items", query=f"customer={reading.slug}&state=handled-outside"),
    )


def _button(reading: Reading) -> Words:
    late = int(reading.facts.get("late", 0))
    return Words(
        f"{reading.name}: the sync button takes {span(reading.value)}"
        + (f", and {counted(late, 'press')[:-1]}es were late." if late > 1 else
           ", and one press was late." if late else "."),
        "Ramp calls unanswered what takes five minutes, and shows the customer an error.",
        "Switch the button off for this customer until the ERP is faster; spend syncs without it.",
        Link("customer_runs", {"slug": reading.slug}),
    )  # fmt: skip


FLOW_KINDS = (
    Kind(
        key=AGE,
        label="Oldest item is too old",
        about="How long the oldest item of a customer has waited that does not wait for the"
        " customer.",
        subject=Subject.CUSTOMER,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 240, 60, least=1, most=525_600),
        words=_age,
        calm=lambda name: f"The oldest items of {name} are through.",
        many="have items that have waited too long",
        listed_at=Link("customers", query="sort=oldest"),
        keep_from=30,
        covered_by=_COVERED,
    ),
    Kind(
        key=ITEMS,
        label="Backlog of a customer is too long",
        about="Items of a customer that are ready and neither synced nor waiting for somebody.",
        subject=Subject.CUSTOMER,
        unit=Unit.ITEMS,
        settings=levels(Unit.ITEMS, 1000, 200, most=10**9),
        words=_items,
        calm=lambda name: f"The backlog of {name} is short again.",
        many="have too long a backlog",
        listed_at=_CUSTOMERS,
        keep_from=50,
        covered_by=_COVERED,
    ),
    Kind(
        key=AMOUNT,
        label="Backlog of a customer is worth too much",
        about="What the ready items of a customer are worth that are not synced, in one currency.",
        subject=Subject.CUSTOMER,
        unit=Unit.MONEY,
        settings=(
            *levels(Unit.MONEY, 250_000, 50_000, most=10**15),
            Setting(
                "currency",
                "Currency",
                "USD",
                is_text=True,
                pattern="[A-Z]{3}",
                help="Three letters. Amounts of other currencies are not added up with it.",
            ),
        ),
        words=_amount,
        calm=lambda name: f"Most of what {name} has spent is through.",
        many="have too much unsynced",
        listed_at=Link("customers", query="sort=amount"),
        keep_from=1000,
        covered_by=_COVERED,
        fits=_is_currency,
    ),
    Kind(
        key=OUTBOX,
        label="Report to Ramp is stuck",
        about="How long the oldest report of a customer has not been taken.",
        subject=Subject.CUSTOMER,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 10, 2, least=0, most=525_600),
        words=_outbox,
        calm=lambda name: f"Ramp has taken the reports of {name}.",
        many="have reports that Ramp does not take",
        listed_at=Link("runs", query="show=reports"),
        keep_from=5,
        covered_by=(WORKER,),
    ),
    Kind(
        key=UNCERTAIN,
        label="Uncertain for too long",
        about="How long the oldest item has been parked that nobody is sure of.",
        subject=Subject.CUSTOMER,
        unit=Unit.MINUTES,
        settings=levels(Unit.MINUTES, 60, 0, least=0, most=525_600),
        words=_uncertain,
        calm=lambda name: f"Nothing of {name} is uncertain any more.",
        many="have uncertain items that nobody has settled",
        listed_at=Link("uncertain"),
        keep_from=15,
        covered_by=(WORKER,),
    ),
    Kind(
        key=MISMATCH,
        label="Ramp and the ERP disagree",
        about="Items of a customer whose two sides do not agree.",
        subject=Subject.CUSTOMER,
        unit=Unit.ITEMS,
        settings=levels(Unit.ITEMS, 1, 0, most=10**9),
        words=_mismatch,
        calm=lambda name: f"Ramp and the ERP of {name} agree again.",
        many="have items on which Ramp and the ERP disagree",
        listed_at=Link("items", query="state=needs-a-person"),
        keep_from=1,
    ),
    Kind(
        key=DUPLICATES,
        label="Booked twice",
        about="Items that the last nightly comparison found booked twice.",
        subject=Subject.CUSTOMER,
        unit=Unit.ITEMS,
        settings=levels(Unit.ITEMS, 1, 0, most=10**9),
        words=_duplicates,
        calm=lambda name: f"The last comparison of {name} has found nothing new that is double.",
        many="have items that may be booked twice",
        listed_at=Link("runs", query="show=comparisons"),
        keep_from=1,
    ),
    Kind(
        key=OUTSIDE,
        label="Synced by somebody else",
        about="Items of a customer that were synced outside within a day.",
        subject=Subject.CUSTOMER,
        unit=Unit.ITEMS,
        settings=levels(Unit.ITEMS, 1, 0, most=10**9),
        words=_outside,
        calm=lambda name: f"Nobody else has synced anything of {name} for a day.",
        many="have items that somebody else has synced",
        listed_at=Link("items", query="state=handled-outside"),
        keep_from=1,
    ),
    Kind(
        key=BUTTON,
        label="Sync button is slow",
        about="How long 99 of 100 presses of a customer's button take, over a day; one that Ramp"
        " gave up counts as five minutes.",
        subject=Subject.CUSTOMER,
        unit=Unit.SECONDS,
        settings=levels(Unit.SECONDS, 240, 200, least=1, most=3600),
        words=_button,
        calm=lambda name: f"The presses of {name} of the last day were answered in time.",
        many="have a sync button that is too slow",
        listed_at=Link("runs", query="show=presses"),
        keep_from=120,
    ),
)
