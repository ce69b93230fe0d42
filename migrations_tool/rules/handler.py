"""The step of the rules: people write, the customer confirms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef
from django.db.models.functions import JSONObject, Now

from migrations_tool.models import ConnectionMigration, Evidence, Rule, Screenshot, ShareLink
from migrations_tool.proofs import newest
from migrations_tool.rules.confirming import CODE
from migrations_tool.rules.the_list import digest_of, listed
from migrations_tool.step_handler import Handler
from migrations_tool.steps import Step
from migrations_tool.wizard import Gate, Light, Status
from migrations_tool.work import Work


class Rules(Handler):
    step = Step.RULES

    def check(self, work: Work) -> None:
        """Say how the list stands. Ramp has no call that lists rules: people know them."""
        rules = listed(work.migration)
        unowned = sum(not rule.owner for rule in rules)
        many = f"{len(rules)} rule{'' if len(rules) == 1 else 's'} on the list"
        work.say(f"{many}, {unowned} without an owner." if unowned else f"{many}.")

    def gates(self, migration: ConnectionMigration, *, now: datetime) -> Sequence[Gate]:  # noqa: ARG002
        title = "The customer confirms that the list is complete"
        ask = "Send the customer their link, or record the e-mail in which they confirm it."
        seen = newest(migration, CODE)
        if seen is None:
            return [Gate(CODE, title, Light.RED, "Not confirmed yet.", ask, mended_here=True)]
        if not _is_confirmed(migration, seen):
            words = f"The list has changed since {seen.at:%-d %B %Y}, when it was confirmed."
            again = f"Have it confirmed again. {ask}"
            return [Gate(CODE, title, Light.RED, words, again, mended_here=True)]
        return [Gate(CODE, title, Light.GREEN, seen.text)]

    def waits_for(self, migration: ConnectionMigration) -> Status | None:
        """While the customer has a link that they did not use yet, it is their move."""
        links = ShareLink.objects.filter(
            migration=migration, purpose=ShareLink.Purpose.RULES, used_at=None, revoked_at=None
        )
        if not links.filter(expires_at__gt=Now()).exists() or _is_confirmed(migration):
            return None
        return Status.WAITING_FOR_CUSTOMER

    def panel(
        self, migration: ConnectionMigration, *, asked: Mapping[str, str], now: datetime
    ) -> dict[str, Any]:
        shots = Screenshot.objects.filter(rule=OuterRef("pk")).order_by("added_at", "pk")
        pictures = ArraySubquery(shots.values(shown=JSONObject(pk="pk", name="name")))
        written = Rule.objects.filter(migration=migration).annotate(pictures=pictures)
        rules = list(written.order_by("kind", "name", "pk"))
        links = ShareLink.objects.filter(migration=migration, purpose=ShareLink.Purpose.RULES)
        return {
            "rules": [(one, one.pictures) for one in rules if not one.dropped_because],
            "dropped": [one for one in rules if one.dropped_because],
            "kinds": Rule.Kind.choices,
            "editing": asked.get("rule", ""),
            "confirmed": newest(migration, CODE),
            "rules_link": links.filter(used_at=None, revoked_at=None, expires_at__gt=now).first(),
            "has_switched": migration.flipped_at is not None,
            "values": {},
            "errors": {},
        }


def _is_confirmed(migration: ConnectionMigration, seen: Evidence | None = None) -> bool:
    """Whether the customer stands for the list as it is now."""
    seen = seen or newest(migration, CODE)
    return seen is not None and seen.checksum == digest_of(listed(migration))
