"""The list of rules as it stands, and what tells one state of it from another."""

import hashlib
import json
from collections.abc import Sequence

from migrations_tool.models import ConnectionMigration, Rule


def listed(migration: ConnectionMigration) -> Sequence[Rule]:
    """What is to be made anew, in the order of the page."""
    rules = Rule.objects.filter(migration=migration, dropped_because="")
    return list(rules.order_by("kind", "name", "pk"))


def digest_of(rules: Sequence[Rule]) -> str:
    """SHA-256 of what a customer confirms: what each rule is and does.

    Who makes it anew, pictures and ticks may change without asking the customer again.
    """
    what = sorted((rule.kind, rule.name, rule.what) for rule in rules)
    return hashlib.sha256(json.dumps(what, ensure_ascii=False).encode()).hexdigest()
