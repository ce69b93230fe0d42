"""The customer says that the list is complete: by their link, or to somebody who writes it down."""

from datetime import datetime

from django.conf import settings
from django.db import transaction

from migrations_tool.models import ConnectionMigration, Evidence, ShareLink, StepRecord
from migrations_tool.rules.the_list import digest_of, listed
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

CODE = "rules.confirmed"


@transaction.atomic
def confirm(
    migration: ConnectionMigration,
    *,
    name: str,
    email: str,
    now: datetime,
    link: ShareLink | None = None,
) -> Evidence:
    """What the customer's link calls: they stand for the list as it is now.

    :param link: by which they came
    :raises Refused: if the migration has ended
    """
    who = f"{name} <{email}>" if email else name
    way = link.way if link else "by their own link"
    return _keep(migration, f"{who} confirmed, {way},", by=name, now=now, link=link)


@transaction.atomic
def record_confirmation(
    migration: ConnectionMigration,
    *,
    name: str,
    email: str,
    rests_on: str,
    version: int,
    actor: str,
    now: datetime,
) -> Evidence:
    """Write down what the customer has confirmed by e-mail.

    :param rests_on: which e-mail: its date and its words
    :raises StepNotCurrent: if the list has changed since the page was loaded
    :raises Refused: if the migration has ended, or it is not said what it rests on
    """
    held(migration, Step.RULES, version=version)
    if not rests_on.strip():
        raise Refused("Say which e-mail it rests on: its date, and what it says.")
    text = f"{actor} recorded that {name} <{email}> confirmed"
    return _keep(migration, text, by=actor, now=now, rests_on=rests_on.strip())


def _keep(
    migration: ConnectionMigration,
    who: str,
    *,
    by: str,
    now: datetime,
    rests_on: str = "",
    link: ShareLink | None = None,
) -> Evidence:
    record = held(migration, Step.RULES)
    rules = listed(migration)
    many = len(rules)
    what = f"a list of {many} rule{'' if many == 1 else 's'}" if many else "that there are no rules"
    text = f"{who} {what}{' to be complete' if many else ''}."
    evidence = Evidence.objects.create(
        migration=migration,
        step=Step.RULES,
        code=CODE,
        at=now,
        by=by[:150],
        is_good=True,
        text=text[:500],
        inputs=({"rests_on": rests_on} if rests_on else {})
        | ({"link": link.pk, "given_to": link.given_to, "made_by": link.made_by} if link else {}),
        result={"rules": [[rule.kind, rule.name, rule.what] for rule in rules]},
        counts={"rules": many},
        checksum=digest_of(rules),
        app_version=settings.RELEASE[:60],
    )
    changed(record, now=now)
    # The step's only gate is green by this, so that nothing is stale any more.
    StepRecord.objects.filter(pk=record.pk).update(stale_because="")
    write_down(migration, Step.RULES, "confirm_rules", text, actor=by)
    return evidence
