"""Find evidence again, and make gates of it."""

from datetime import datetime

from migrations_tool.models import ConnectionMigration, Evidence, Waiver
from migrations_tool.steps import Act, Step
from migrations_tool.wizard import Gate, Light
from rampbridge.lib.together import together

_AHEAD = "_evidence_read_ahead"
NOT_CHECKED = "Not checked yet."


def read_ahead(migration: ConnectionMigration, step: Step) -> list[Waiver]:
    """Read all that a step's page asks `newest` for, for as long as this object of the migration
    lives, and what was asked to be waived, the newest first. One statement. For pages, which write
    no evidence."""
    codes = Evidence.objects.filter(migration=migration, code__startswith=f"{step}.")
    waivers = Waiver.objects.filter(migration=migration, step=step).order_by("-asked_at", "-pk")
    found, asked = together(codes.order_by("code", "-pk").distinct("code"), waivers[:50])
    vars(migration)[_AHEAD] = (f"{step}.", {one.code: one for one in found})
    return asked


def newest(migration: ConnectionMigration, code: str) -> Evidence | None:
    """The newest evidence of a code, good or not: written last, for workers' clocks differ."""
    start, ahead = vars(migration).get(_AHEAD, ("", None))
    if ahead is not None and code.startswith(start):
        known: Evidence | None = ahead.get(code)
        return known
    found = Evidence.objects.filter(migration=migration, code=code)
    return found.order_by("-pk").first()


def gate_of_evidence(
    evidence: Evidence | None,
    code: str,
    title: str,
    *,
    now: datetime,
    fix: str = "",
    may_be_waived: bool = False,
    is_only_warning: bool = False,
    mended_by: Act | None = None,
    mended_here: bool = False,
) -> Gate:
    """A gate that is green as long as the newest evidence of its code is good and fresh.

    :param mended_by: the step's act that does what `fix` says
    :param mended_here: the step's own part of the page has what `fix` says
    """
    if evidence is None:
        return Gate(code, title, Light.UNKNOWN, NOT_CHECKED, "Check now.", may_be_waived)
    bad = Light.WARNING if is_only_warning else Light.RED
    if evidence.stale_at is not None and evidence.stale_at <= now:
        words = f"Checked too long ago: {evidence.text}"
        return Gate(code, title, bad, words, "Check now.", may_be_waived)
    light = Light.GREEN if evidence.is_good else bad
    if evidence.is_good:
        return Gate(code, title, light, evidence.text, "", may_be_waived)
    return Gate(
        code,
        title,
        light,
        evidence.text,
        fix,
        may_be_waived,
        mended_by=mended_by,
        mended_here=mended_here,
    )
