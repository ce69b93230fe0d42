"""What the customer's page says: the date, their to-dos, and the exact clicks. Reads our rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import User

from migrations_tool.models import (
    BillInFlight,
    ConnectionMigration,
    DrainReading,
    Report,
    Rule,
    ShareLink,
    Signature,
)
from migrations_tool.old_chart import SheetRow, sheet_of
from migrations_tool.proofs import newest
from migrations_tool.rehearsal import signing
from migrations_tool.rollback import after_flip
from migrations_tool.rules.the_list import listed

WAY = ("Accounting", "Settings", "Danger Zone", "Switch Providers")
"""Where one switches, in Ramp's words (R-100)."""
OFFERED = "Everything is ready. You can switch now."
State = ConnectionMigration.State


@dataclass(frozen=True, slots=True)
class ToDo:
    """One thing that the customer does."""

    title: str
    words: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """All of it."""

    link: ShareLink
    migration: ConnectionMigration
    standing: str
    """Where it stands, in a sentence."""
    may_switch: bool
    """The label is offered in Ramp now."""
    is_clear: bool
    """Nothing else is left for the customer to do before the switch."""
    to_dos: Sequence[ToDo]
    sheet: Sequence[SheetRow]
    rules: Sequence[Rule]
    report: Report | None
    """To be signed."""
    way_back: Sequence[str]
    """How they reconnect their earlier provider, while the move is being taken back."""
    questions_to: str
    """A person's name, or the contact that every customer has; never a login."""

    @property
    def label(self) -> str:
        return self.migration.connection.ramp_provider_name

    @property
    def old(self) -> str:
        return self.migration.old_provider_name or "your present provider"

    @property
    def way(self) -> Sequence[str]:
        return WAY


def page_of(link: ShareLink) -> CustomerPage:
    """What the holder of a link sees now."""
    migration = link.migration
    is_open = migration.state == State.OPEN
    is_going_back = is_open and after_flip.is_under_way(migration)
    to_dos = _to_dos(link) if is_open and not is_going_back else []
    may_switch = is_open and migration.marked_ready_at is not None and migration.flipped_at is None
    is_clear = may_switch and all(one.is_done for one in to_dos[:-1])
    standing = _standing(migration)
    if may_switch and not is_clear and standing == OFFERED:
        standing = "You can switch now. Please do what is still open below first."
    return CustomerPage(
        link=link,
        migration=migration,
        standing=standing,
        may_switch=may_switch,
        is_clear=is_clear and standing == OFFERED,
        to_dos=to_dos,
        sheet=sheet_of(migration),
        rules=listed(migration) if link.purpose == ShareLink.Purpose.RULES else (),
        report=_report(migration) if link.purpose == ShareLink.Purpose.SIGN else None,
        way_back=after_flip.instructions(migration) if is_going_back else [],
        questions_to=_questions_to(migration),
    )


def _questions_to(migration: ConnectionMigration) -> str:
    person = User.objects.filter(username=migration.implementer).first()
    name = person.get_full_name() if person else ""
    if person and name and person.email:
        return f"{name}, {person.email}"
    return name or settings.SUPPORT_CONTACT


def _standing(migration: ConnectionMigration) -> str:
    match migration.state:
        case State.FINISHED:
            return "The move is finished. There is nothing left for you to do."
        case State.ABANDONED:
            return "The move was called off. Everything stays as it was; do not switch."
        case State.ROLLED_BACK:
            return "The move was taken back. Your earlier provider is in use again."
        case _:
            return _standing_of_open(migration)


def _standing_of_open(migration: ConnectionMigration) -> str:
    if newest(migration, "flip.stopped") is not None:
        return "The move is being taken back. Please reconnect your earlier provider in Ramp."
    if migration.flipped_at is not None:
        return "You have switched. We are checking that everything arrives as it should."
    if migration.marked_ready_at is not None:
        return OFFERED
    return "We are preparing the move. Please do not switch yet: it is not offered in Ramp so far."


def _to_dos(link: ShareLink) -> list[ToDo]:
    migration = link.migration
    found = [_rules(migration), *_drain(migration), *_bills(migration), _sign(link)]
    return [*found, _switch(migration)]


def _rules(migration: ConnectionMigration) -> ToDo:
    confirmed = newest(migration, "rules.confirmed")
    return ToDo(
        "Confirm the list of rules",
        "Accounting rules and automations do not survive the switch. Tell us if one is missing.",
        confirmed is not None and confirmed.is_good,
    )


def _drain(migration: ConnectionMigration) -> list[ToDo]:
    reading = DrainReading.objects.filter(migration=migration).order_by("-at", "-pk").first()
    if reading is None or migration.flipped_at is not None:
        return []
    left = f"Still left: {reading.total:,}." if reading.total else "Nothing is left."
    return [
        ToDo(
            "Sync what is ready",
            f"What is marked ready to sync is lost by the switch. {left}",
            reading.total == 0,
        )
    ]


def _bills(migration: ConnectionMigration) -> list[ToDo]:
    bills = BillInFlight.objects.filter(migration=migration, gone_at=None)
    total, open_ones = bills.count(), bills.filter(decision="").count()
    if not total:
        return []
    words = "Every one is decided."
    if open_ones:
        words = f"To decide: {open_ones:,} of {total:,}. Pay it, hold it, or enter it anew."
    return [ToDo("Decide about bills on their way", words, not open_ones)]


def _sign(link: ShareLink) -> ToDo:
    standing = signing.signed(link.migration)[Signature.Role.CUSTOMER]
    has_switched = link.migration.flipped_at is not None
    # One of an older report counts no more, and they are to sign again while there is time.
    signed = standing.is_good or (has_switched and standing.signature is not None)
    where = "We send you another link for it."
    if signed or link.purpose == ShareLink.Purpose.SIGN:
        where = "It is on this page." if link.purpose == ShareLink.Purpose.SIGN else "You have."
    words = f"It shows how your newest transactions and bills would be booked. {where}"
    return ToDo("Sign the rehearsal's report", words, signed)


def _switch(migration: ConnectionMigration) -> ToDo:
    when = f" on {migration.flip_on:%-d %B %Y}" if migration.flip_on else ""
    return ToDo(
        f"Switch{when}",
        "Takes about ten minutes. Only an admin of your Ramp account can do it.",
        migration.flipped_at is not None,
    )


def _report(migration: ConnectionMigration) -> Report | None:
    found = Report.objects.filter(migration=migration, kind=Report.Kind.REHEARSAL)
    return found.order_by("-made_at", "-pk").first()
