"""What an ERP lets our login do, and whose login it is: asked for, never tried out by writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Rights:
    """What the ERP itself says of the login that we sign in with."""

    login: str
    may: Mapping[str, bool]
    """Each thing that posting takes, in words such as "post journal entries"."""
    person: str = ""
    """Whose login it is, if the ERP ties it to somebody who works there."""

    @property
    def refused(self) -> list[str]:
        """What it may not do, in words."""
        return [what for what, is_allowed in self.may.items() if not is_allowed]


@runtime_checkable
class TellsRights(Protocol):
    """An adapter whose ERP can be asked what our login may do. Reads only."""

    def rights(self) -> Rights:
        """:raises ErpError: if the ERP cannot be asked"""
        ...
