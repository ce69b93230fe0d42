"""Why an object of Ramp has not come to us, in words. Pure.

The first of these that is true is the answer, for it hides what comes after it:

| What is true                                    | Whose move          |
|-------------------------------------------------|---------------------|
| Ramp does not let us read such objects          | customer            |
| Ramp did not answer, or in an unknown way       | nobody, us          |
| Ramp has no such object for this customer       | nobody              |
| the object is not as Ramp's contract says       | us                  |
| it is synced already, by somebody else          | nobody              |
| the bill is archived, or not meant to be synced | nobody              |
| its type is not switched on for this customer   | us                  |
| it is not ready, with what is missing           | customer            |
| Ramp says a word that we do not know            | us                  |
| nothing is read for this customer just now      | us                  |
| its entity is mapped to no company of the ERP   | us                  |
| it is ready, and comes with the next reading    | us                  |
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connections.ramp.errors import SchemaSurprise
from connections.ramp.schemas import Coded, LineItem, Transaction
from connections.ramp.spend import Bill, Reimbursement, Transfer
from syncing.decisions import decide, payment_action, transfer_action
from syncing.kinds import KINDS, Standing, list_of
from syncing.queries.words import Party, type_label

PAYMENT = "bill_payment"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the customer, as far as it matters for why something is not here."""

    customer: str
    erp_name: str
    stage: str
    paused_reason: str = ""
    types: frozenset[str] = frozenset()
    """The lists that are switched on, as `Connection.object_types` names them."""
    entities: Mapping[str, tuple[str, bool]] = field(default_factory=dict)
    """By Ramp's id: the entity's name, and whether it is mapped."""
    blocked: str = ""
    """Why nothing is read or posted at the moment, in words."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of asking Ramp for one object."""

    object_type: str
    body: Mapping[str, Any] | None = None
    """The object as Ramp gave it; None if it gave none."""
    is_there: bool | None = None
    is_listed: bool | None = None
    """Whether the list of what is ready has it; None where that was not asked."""
    problem: str = ""
    problem_code: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Why it is not here, whose move it is, and what to do."""

    code: str
    title: str
    fix: str
    party: Party
    missing: Sequence[str] = ()
    """What Ramp wants before it calls the object ready, as far as the object shows it."""
    can_read_now: bool = False
    """Reading Ramp's lists now would bring it."""


def why_not(reading: Reading, facts: Facts) -> Answer:
    """The answer to an inquiry that was carried out."""
    noun = type_label(reading.object_type).lower()
    if reading.problem:
        return _unread(reading, noun)
    if not reading.is_there or reading.body is None:
        return Answer(
            "gone",
            f"Ramp has no such {noun} for {facts.customer}.",
            "It was deleted, belongs to another customer, or the id is of another type of object."
            " Check the id, the customer and the type.",
            Party.NOBODY,
        )
    kind = KINDS[reading.object_type]
    try:
        one = kind.model.read(reading.body)
        standing = kind.standing(one)
    except SchemaSurprise as surprise:
        return Answer(
            "malformed",
            f"Ramp's {noun} is not as its contract says, so that it cannot be read.",
            f"Show this to a developer: {surprise.message}",
            Party.US,
        )
    return _of_object(one, standing, reading, facts, noun)


def _of_object(one: Any, standing: Standing, reading: Reading, facts: Facts, noun: str) -> Answer:
    if standing is Standing.SYNCED:
        return _synced_elsewhere(reading, facts, noun)
    if isinstance(one, Bill) and (out := _left_out(one)):
        return out
    if list_of(reading.object_type) not in facts.types:
        return Answer(
            "type_off",
            f"{type_label(list_of(reading.object_type))}s are not synced for {facts.customer}.",
            "Switch the type on in the customer's settings, if it is meant to be.",
            Party.US,
        )
    if standing is Standing.UNKNOWN:
        return Answer(
            "unknown_word",
            KINDS[reading.object_type].unknown_words(one)
            or "Ramp says a word that we do not know.",
            "Show this to a developer: until then nobody guesses what it means.",
            Party.US,
        )
    if standing is Standing.NOT_READY or reading.is_listed is False:
        return _not_ready(one, reading, noun)
    return _ready(one, facts, noun)


def _unread(reading: Reading, noun: str) -> Answer:
    if reading.problem_code == "ramp.scope_missing":
        fix = f"Grant it in Ramp; until then no {noun} of this customer can be read."
        return Answer("no_permission", reading.problem, fix, Party.CUSTOMER)
    if reading.problem_code == "ramp.unauthorised":
        fix = "Have the customer authorise rampbridge in Ramp again, in the customer's settings."
        return Answer("no_permission", reading.problem, fix, Party.CUSTOMER)
    if reading.problem_code in ("ramp.unavailable", "ramp.rate_limited"):
        return Answer("silent", reading.problem, "Ask again in a few minutes.", Party.RAMP)
    return Answer("unread", reading.problem, "Show this to a developer.", Party.US)


def _synced_elsewhere(reading: Reading, facts: Facts, noun: str) -> Answer:
    assert reading.body is not None
    number = str(reading.body.get("remote_id") or "")
    named = f" as {number}" if number and reading.object_type in ("bill", PAYMENT) else ""
    at = str(reading.body.get("synced_at") or "")[:10]
    when = f" on {at}" if at else ""
    return Answer(
        "synced_elsewhere",
        f"Ramp has this {noun} as synced{named}{when}, and it was not synced by rampbridge.",
        f"The Export button, another provider or another tool did it. Look for it in"
        f" {facts.erp_name}; if it is missing there, mark it as not synced in Ramp, then as ready.",
        Party.NOBODY,
    )


def _left_out(bill: Bill) -> Answer | None:
    if bill.archived_at is not None:
        fix = "Nothing is to be done, unless it was archived by mistake: then restore it in Ramp."
        return Answer("archived", "The bill is archived in Ramp.", fix, Party.NOBODY)
    if bill.enable_accounting_sync is False:
        return Answer(
            "not_meant",
            "The bill is marked in Ramp as one that is not to be synced.",
            "If it is, turn on its accounting sync in Ramp.",
            Party.CUSTOMER,
        )
    return None


def _not_ready(one: Any, reading: Reading, noun: str) -> Answer:
    if reading.object_type == PAYMENT:
        return _payment_not_due(one)
    missing = list(_missing(one))
    fix = {
        "transaction": "Complete it in Ramp and mark it ready to sync.",
        "reimbursement": "Complete it in Ramp and mark it ready to sync.",
        "bill": "Approve it in Ramp. It then comes by itself.",
    }.get(reading.object_type, "Nothing is to be done: it comes by itself once Ramp calls it so.")
    whose = Party.CUSTOMER if reading.object_type in _BY_PEOPLE else Party.RAMP
    title = f"The {noun} is not ready to sync in Ramp."
    return Answer("not_ready", title, fix, whose, missing=missing)


_BY_PEOPLE = ("transaction", "reimbursement", "bill")


def _payment_not_due(bill: Bill) -> Answer:
    due = decide(bill)
    if bill.status != "PAID":
        title = "The bill is not paid in Ramp yet, so there is no payment to post."
        return Answer("not_paid", title, "It comes by itself once it is paid.", Party.NOBODY)
    reason = due.reason or payment_action(bill)[1] or "Ramp does not call its payment ready yet."
    return Answer("not_ready", reason, "It comes by itself once Ramp calls it so.", Party.RAMP)


def _ready(one: Any, facts: Facts, noun: str) -> Answer:
    entity = str(getattr(one, "entity_id", None) or "")
    name, is_mapped = facts.entities.get(entity, ("", False))
    if facts.stage != "live":
        return _not_live(facts, noun)
    if facts.blocked:
        return Answer(
            "blocked", facts.blocked, f"Until then no {noun} of this customer is read.", Party.US
        )
    if entity and not is_mapped:
        called = f"Its entity {name}" if name else "The entity that it belongs to"
        return Answer(
            "entity_not_mapped",
            f"{called} is mapped to no company of {facts.erp_name}.",
            "Map the entity in the customer's settings. What waits for it then goes on.",
            Party.US,
        )
    return Answer(
        "on_its_way",
        f"The {noun} is ready in Ramp, and rampbridge has not read it yet.",
        "It comes with the next reading of Ramp's lists. Read them now, if somebody waits for it.",
        Party.US,
        can_read_now=True,
    )


def _not_live(facts: Facts, noun: str) -> Answer:
    match facts.stage:
        case "paused":
            why = f": {facts.paused_reason}" if facts.paused_reason else "."
            title = f"{facts.customer} is paused{why}"
            fix = "Resume the customer; what has become ready since then is read at once."
            return Answer("paused", title, fix, Party.US)
        case "setting_up":
            title = f"{facts.customer} is still being set up, so that no {noun} is read."
            return Answer("setting_up", title, "Finish the customer's onboarding.", Party.US)
        case _:
            title = f"{facts.customer} is disconnected: rampbridge reads nothing of it any more."
            return Answer(
                "closed", title, "Connect the customer again, if that is wrong.", Party.US
            )


def _missing(one: Any) -> Iterator[str]:
    """What an object lacks, as far as it shows that itself."""
    match one:
        case Transaction():
            yield from _of_transaction(one)
        case Reimbursement():
            if one.state and one.state not in ("APPROVED", "REIMBURSED", "COMPLETED"):
                yield f"It is {_spoken(one.state)} in Ramp."
            yield from _uncoded(one, one.line_items)
        case Bill():
            if one.approval_status and one.approval_status != "APPROVED":
                yield f"Its approval is {_spoken(one.approval_status)}."
            elif one.status_summary:
                yield f"It is {_spoken(one.status_summary)} in Ramp."
            yield from _uncoded(one, one.lines)
        case Transfer():
            _, reason = transfer_action(one)
            if reason:
                yield reason
        case _:
            return


def _of_transaction(one: Transaction) -> Iterator[str]:
    if one.state and one.state not in ("CLEARED", "COMPLETION", "SETTLED"):
        yield f"It is {_spoken(one.state)}: the merchant has not settled it."
    yield from _uncoded(one, one.line_items)
    if one.requires_accounting_vendor_creation_to_sync:
        yield "Its merchant has no accounting vendor yet."
    if one.accounting_date is None:
        yield "It has no accounting date."
    if not one.receipts:
        yield "It has no receipt, which the customer's policy may ask for."


def _uncoded(one: Coded, lines: Sequence[LineItem]) -> Iterator[str]:
    several = len(lines) > 1
    for number, line in enumerate(lines or (LineItem(),), start=1):
        types = {coding.type for coding in one.codings(line) if coding.is_for_erp}
        if "GL_ACCOUNT" not in types:
            yield f"Line {number} has no GL account." if several else "It has no GL account."


def _spoken(word: str) -> str:
    return word.replace("_", " ").lower()
