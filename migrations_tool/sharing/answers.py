"""What the customer answers by a link: once, by name, and only what the link was made for."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from migrations_tool import rehearsal, rules
from migrations_tool.models import ConnectionMigration, ShareLink, Signature
from migrations_tool.wizard import Refused


class AlreadyAnswered(Refused):
    """The link has been used for what it was made for."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Who answers, as they say, and what is known of where from. No address of a machine is."""

    name: str
    email: str
    signed_in_as: str = ""
    """Who of us is signed in there; empty if nobody is."""
    browser: str = ""
    """Hash of the mark of a browser in which links were made."""


@transaction.atomic
def confirm_rules(link: ShareLink, who: Answering, *, now: datetime) -> None:
    """The customer says that the list of rules is complete (R-89).

    :raises Refused: if the link is for something else, was used, or the migration has ended; or if
        one of us answers
    """
    _check_not_ours(link, who)
    _use(link, ShareLink.Purpose.RULES, now)
    rules.confirm(link.migration, name=who.name, email=who.email, link=link, now=now)


@transaction.atomic
def sign_report(link: ShareLink, who: Answering, *, report_hash: str, now: datetime) -> None:
    """The customer signs the rehearsal's report as it was shown to them.

    :param report_hash: of the report that the page showed
    :raises Refused: if it is another report by now, the link is for something else or was used; or
        if one of us answers
    """
    _check_not_ours(link, who)
    _use(link, ShareLink.Purpose.SIGN, now)
    rehearsal.sign(
        link.migration,
        role=Signature.Role.CUSTOMER,
        name=who.name,
        email=who.email,
        report_hash=report_hash,
        link=link,
        now=now,
    )


def _check_not_ours(link: ShareLink, who: Answering) -> None:
    """The customer answers for itself: whoever made a link of this migration does not."""
    if who.signed_in_as:
        raise Refused(
            f"You are signed in here as {who.signed_in_as}. The customer answers for itself: give"
            f" {link.given_to or 'them'} the link, and have them open it where they are."
        )
    if who.browser and link.migration.links.filter(made_in=who.browser).exists():
        raise Refused(
            "Links of this migration were made in this browser, so the customer does not answer in"
            f" it. Give {link.given_to or 'them'} the link, and have them open it where they are."
        )


def _use(link: ShareLink, purpose: ShareLink.Purpose, now: datetime) -> None:
    if link.purpose != purpose:
        raise Refused("This link is for something else. Ask for another one.")
    if link.migration.state != ConnectionMigration.State.OPEN:
        raise Refused("The move has ended. There is nothing to answer any more.")
    unused = ShareLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None)
    if not unused.filter(expires_at__gt=now).update(used_at=now):
        raise AlreadyAnswered("This was answered already, or the link has ended meanwhile.")
