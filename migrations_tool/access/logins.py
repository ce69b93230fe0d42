"""Whether a login is a person's, as far as its name tells: people leave, programs do not. Pure."""

import re

_OF_PROGRAMS = frozenset(
    {"api", "bot", "connector", "integration", "integrations", "interface", "rampbridge"}
    | {"robot", "service", "svc", "sync"}
)
_FIRST_AND_LAST = re.compile(r"[^\W\d_]+[._-][^\W\d_]+")


def is_persons(login: str) -> bool | None:
    """True for `maya.okafor` and `maya@shop.example`, False for `svc-ramp`; None if open."""
    name, at, _ = login.strip().casefold().partition("@")
    if _OF_PROGRAMS & set(re.split(r"[\W_]+", name)):
        return False
    if at or _FIRST_AND_LAST.fullmatch(name):
        return True
    return None
