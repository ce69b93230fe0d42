"""Pictures of rules as they were. What a file is, its first bytes say, never its name."""

import hashlib
from datetime import datetime

from django.db import transaction

from migrations_tool.models import Rule, Screenshot
from migrations_tool.step_records import held, write_down
from migrations_tool.steps import Step
from migrations_tool.wizard import Refused

MOST_BYTES = 2 * 1024 * 1024
MOST_OF_A_RULE = 10


@transaction.atomic
def keep(rule: Rule, *, name: str, content: bytes, actor: str, now: datetime) -> Screenshot:
    """Keep a picture of a rule. The same once more changes nothing.

    :raises Refused: if it is no picture, too large, or the rule has ten already
    """
    held(rule.migration, Step.RULES)
    if not content:
        raise Refused("Choose a picture: PNG, JPEG or WebP, up to 2 MB.")
    media_type = media_type_of(content)
    if len(content) > MOST_BYTES:
        raise Refused("The picture is larger than 2 MB. Cut it, or save it as JPEG.")
    if not media_type:
        raise Refused("This is no PNG, JPEG or WebP picture. Take a screenshot and save it so.")
    digest = hashlib.sha256(content).hexdigest()
    of_rule = Screenshot.objects.filter(rule=rule)
    if known := of_rule.filter(digest=digest).first():
        return known
    if of_rule.count() >= MOST_OF_A_RULE:
        raise Refused(f"This rule has {MOST_OF_A_RULE} pictures already, which is the most.")
    kept = Screenshot.objects.create(
        rule=rule,
        name=name[:200],
        content_type=media_type,
        content=content,
        digest=digest,
        added_by=actor,
        added_at=now,
    )
    write_down(
        rule.migration,
        Step.RULES,
        "add_screenshot",
        f"Added a picture to {rule.name}.",
        actor=actor,
    )
    return kept


def media_type_of(content: bytes) -> str:
    """The type of a picture by its first bytes; empty if it is no PNG, JPEG or WebP."""
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return ""
