"""What we promise over 28 days, and what has come of it: from figures kept by the day."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor

from rampbridge.lib import measures
from rampbridge.lib.meters import SUM, Durations
from rampbridge.lib.statements import rows
from syncing.latency_bins import BOUNDS

DAYS = 28


@dataclass(frozen=True, slots=True)
class Promise:
    """So large a share of something takes no longer than so many seconds."""

    name: str
    share: float
    seconds: float
    of: int
    """How many there were in 28 days."""
    within: int
    """How many of them took no longer."""

    @property
    def kept(self) -> float | None:
        """The share that did; None if there were none."""
        return self.within / self.of if self.of else None

    @property
    def is_kept(self) -> bool:
        return self.kept is None or self.kept >= self.share

    @property
    def left(self) -> float | None:
        """How much of what may go wrong is left: 1 is all, below 0 is more than promised."""
        if self.kept is None:
            return None
        return 1 - (1 - self.kept) / (1 - self.share)

    @property
    def promised_text(self) -> str:
        return f"{percent(self.share)} within {self.seconds:g} s"

    @property
    def kept_text(self) -> str:
        return "" if self.kept is None else percent(self.kept)

    @property
    def left_text(self) -> str:
        return "" if self.left is None else "nothing" if self.left <= 0 else percent(self.left)


def percent(share: float) -> str:
    """Never more than is true: 99.96 % is not 100 %."""
    return f"{floor(share * 1000 + 1e-6) / 10:g} %"


def promises() -> Sequence[Promise]:
    """All of them. One statement, of a few hundred rows."""
    bins: Mapping[str, Counter[int]] = {name: Counter() for name in _NAMES}
    for name, number, items in rows(
        _READ,
        {
            "days": DAYS,
            "web": measures.WEB_SECONDS.name,
            "button": measures.BUTTON_SECONDS.name,
            "sum": SUM,
        },
    ):
        bins[name][number] += int(items)
    return [
        _promise("What a webhook told of is confirmed", 0.99, 60, bins["webhook"], BOUNDS),
        _promise("What a poll found is confirmed", 0.99, 900, bins["poll"], BOUNDS),
        _timed("Presses of the sync button are answered", 0.99, 120, bins["button"],
               measures.BUTTON_SECONDS),
        _timed("Webhooks are answered", 0.999, 1, bins["web webhook"], measures.WEB_SECONDS),
        _timed("Pages are answered", 0.95, 0.3, bins["web page"], measures.WEB_SECONDS),
    ]  # fmt: skip


def _timed(
    name: str, share: float, seconds: float, bins: Counter[int], meter: Durations
) -> Promise:
    return _promise(name, share, seconds, bins, meter.bounds)


def _promise(
    name: str, share: float, seconds: float, bins: Counter[int], bounds: Sequence[float]
) -> Promise:
    last = bounds.index(seconds)
    within = sum(items for number, items in bins.items() if number <= last)
    return Promise(name, share, seconds, bins.total(), within)


_NAMES = ("webhook", "poll", "button", "web webhook", "web page")
_READ = """
    SELECT CASE WHEN arrived_by = 'webhook' THEN 'webhook' ELSE 'poll' END, bin, sum(items)
    FROM (
        SELECT arrived_by, bin, items FROM syncing_latencybucket
        WHERE span = 'day' AND connection_id IS NULL
          AND at > statement_timestamp() - %(days)s * interval '1 day'
        UNION ALL
        SELECT arrived_by, bin, items FROM syncing_flowentry
        WHERE change = 'done' AND at > statement_timestamp() - %(days)s * interval '1 day'
    ) done WHERE arrived_by IN ('webhook', 'poll') GROUP BY 1, 2
    UNION ALL
    SELECT CASE WHEN name = %(button)s THEN 'button' ELSE 'web ' || (labels ->> 0) END,
        part::int, sum(value)
    FROM rampbridge_meterday
    WHERE day > (statement_timestamp() AT TIME ZONE 'UTC')::date - %(days)s AND part <> %(sum)s
      AND (name = %(button)s OR name = %(web)s AND labels ->> 0 IN ('webhook', 'page'))
    GROUP BY 1, 2
"""
