"""After the switch each rule is made anew in Ramp by a person, who says so."""

from datetime import datetime

from django.db import transaction

from migrations_tool.models import Rule
from migrations_tool.step_records import write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused


@transaction.atomic
def tick(rule: Rule, actor: str, now: datetime) -> None:
    """Note that a rule stands in Ramp again.

    :raises Refused: before the switch, or if it was dropped or ticked by somebody already
    """
    if rule.migration.flipped_at is None:
        raise Refused("The customer has not switched yet. A rule made now would not survive it.")
    open_ones = Rule.objects.filter(pk=rule.pk, recreated_at=None, dropped_because="")
    if not open_ones.update(recreated_by=actor, recreated_at=now):
        raise Refused("Somebody has ticked or dropped this rule already.")
    _write_down(rule, f"Ticked as made anew: {rule.name}.", actor)


@transaction.atomic
def untick(rule: Rule, actor: str) -> None:
    """Take a tick back, for the rule is not there after all.

    :raises Refused: if it is not ticked
    """
    ticked = Rule.objects.filter(pk=rule.pk).exclude(recreated_at=None)
    if not ticked.update(recreated_by="", recreated_at=None):
        raise Refused("This rule is not ticked.")
    _write_down(rule, f"Took back the tick of {rule.name}.", actor)


def _write_down(rule: Rule, text: str, actor: str) -> None:
    write_down(rule.migration, Step.CUTOVER, "tick_rule", text, actor=actor)
