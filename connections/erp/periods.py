"""When an ERP's accounting periods begin: a switch belongs between two of them (F-27)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol, runtime_checkable


@runtime_checkable
class TellsPeriods(Protocol):
    """An adapter whose ERP has periods that can be read."""

    def period_starts(self) -> Sequence[date]:
        """The first day of every period, in order.

        :raises ErpError: if the ERP cannot be asked
        """
        ...
