"""What the customer answers by a link: once, by name, and only what the link was made for."""

from datetime import datetime

from django.db import transaction

from migrations_tool import rehearsal, rules
from migrations_tool.models import ConnectionMigration, ShareLink, Signature
from migrations_tool.wizard import Refused


class AlreadyAnswered(Refused):
    """The link has been used for what it was made for."""


@transaction.atomic
def confirm_rules(link: ShareLink, *, name: str, email: str, now: datetime) -> None:
    """The customer says that the list of rules is complete (R-89).

    :raises Refused: if the link is for something else, was used, or the migration has ended
    """
    _use(link, ShareLink.Purpose.RULES, now)
    rules.confirm(link.migration, name=name, email=email, now=now)


@transaction.atomic
def sign_report(link: ShareLink, *, name: str, email: str, report_hash: str, now: datetime) -> None:
    """The customer signs the rehearsal's report as it was shown to them.

    :param report_hash: of the report that the page showed
    :raises Refused: if it is another report by now, the link is for something else or was used
    """
    _use(link, ShareLink.Purpose.SIGN, now)
    rehearsal.sign(
        link.migration,
        role=Signature.Role.CUSTOMER,
        name=name,
        email=email,
        report_hash=report_hash,
        now=now,
    )


def _use(link: ShareLink, purpose: ShareLink.Purpose, now: datetime) -> None:
    if link.purpose != purpose:
        raise Refused("This link is for something else. Ask for another one.")
    if link.migration.state != ConnectionMigration.State.OPEN:
        raise Refused("The move has ended. There is nothing to answer any more.")
    unused = ShareLink.objects.filter(pk=link.pk, used_at=None, revoked_at=None)
    if not unused.filter(expires_at__gt=now).update(used_at=now):
        raise AlreadyAnswered("This was answered already, or the link has ended meanwhile.")
