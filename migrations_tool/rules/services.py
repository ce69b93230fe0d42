"""Write the list of rules: add, change, drop with a reason, take back."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction

from migrations_tool.models import ConnectionMigration, Rule
from migrations_tool.step_records import changed, held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused


@dataclass(frozen=True, slots=True)
class Written:
    """A rule as somebody has entered it."""

    kind: str
    name: str
    what: str = ""
    owner: str = ""


@transaction.atomic
def add(migration: ConnectionMigration, rule: Written, *, actor: str, now: datetime) -> Rule:
    """Put a rule on the list.

    :raises Refused: if one of that kind and name is on it, dropped ones included
    """
    record = held(migration, Step.RULES)
    try:
        with transaction.atomic():
            made = Rule.objects.create(
                migration=migration,
                kind=rule.kind,
                name=rule.name,
                what=rule.what,
                owner=rule.owner,
                entered_by=actor,
                entered_at=now,
            )
    except IntegrityError as again:
        raise Refused(_again(rule)) from again
    changed(record, now=now)
    write_down(migration, Step.RULES, "add_rule", f"Wrote down {made.name}.", actor=actor)
    return made


@transaction.atomic
def edit(rule: Rule, written: Written, *, actor: str, now: datetime) -> bool:
    """Change what is written about a rule.

    :returns: whether anything is other than before
    :raises Refused: if another rule has that kind and name
    """
    record = held(rule.migration, Step.RULES)
    before = Written(rule.kind, rule.name, rule.what, rule.owner)
    if written == before:
        return False
    rule.kind, rule.name, rule.what = written.kind, written.name, written.what
    rule.owner = written.owner
    try:
        with transaction.atomic():
            rule.save(update_fields=["kind", "name", "what", "owner"])
    except IntegrityError as again:
        raise Refused(_again(written)) from again
    changed(record, now=now)
    write_down(rule.migration, Step.RULES, "edit_rule", f"Changed {rule.name}.", actor=actor)
    return True


@transaction.atomic
def drop(rule: Rule, *, because: str, actor: str, now: datetime) -> None:
    """Take a rule off the list; it stays in sight with the reason.

    :raises Refused: without a reason
    """
    record = held(rule.migration, Step.RULES)
    if not because.strip():
        raise Refused("Say why this rule is not made anew: the customer may ask.")
    Rule.objects.filter(pk=rule.pk).update(dropped_because=because.strip()[:300])
    changed(record, now=now)
    text = f"Dropped {rule.name}: {because.strip()}"
    write_down(rule.migration, Step.RULES, "drop_rule", text, actor=actor)


@transaction.atomic
def take_back(rule: Rule, *, actor: str, now: datetime) -> None:
    """Put a rule that was dropped on the list again."""
    record = held(rule.migration, Step.RULES)
    Rule.objects.filter(pk=rule.pk).update(dropped_because="")
    changed(record, now=now)
    text = f"Put {rule.name} on the list again."
    write_down(rule.migration, Step.RULES, "take_back_rule", text, actor=actor)


def _again(rule: Written) -> str:
    return f"A rule called {rule.name} is on the list already, or was dropped from it. Change that."
