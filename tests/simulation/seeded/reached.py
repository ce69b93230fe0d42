"""What many runs must have reached, or their finding nothing says nothing."""

from collections.abc import Iterator

from tests.simulation.seeded import erp, network, shape
from tests.simulation.seeded.room import Tally

SEEDS = 300
"""Of so many, and of as many times more."""
_HITS, _FAULTS, _KILLS, _FREEZES = 5, 3, 100, 50
"""How often at least: each failpoint, each kind of fault, and all kills and freezes together."""


_ACTS = {"bill": 50, "pay_from_bank": 20, "pay_by_card": 10, "press": 30, "press_in_calm": 20}
"""How often people must have done what."""
_ENDS = {
    "bill ACKED": 50,
    "bill_payment ACKED": 30,
    "settled by card": 10,
    "press answered": 40,
    "press late": 3,
}
"""How often what must have come of it."""


def unreached(tally: Tally) -> list[str]:
    """What was not reached often enough, in words. Fewer seeds than `SEEDS` need reach nothing."""
    return list(_unreached(tally, tally.seeds // SEEDS))


def _unreached(tally: Tally, times: int) -> Iterator[str]:
    for point in shape.POINTS:
        if tally.passed[point] < _HITS * times:
            yield f"{point} was passed {tally.passed[point]} times"
    for fault in (*network.FAULTS, *erp.FAULTS, "amnesia"):
        if tally.faults[fault] < _FAULTS * times:
            yield f"{fault} struck {tally.faults[fault]} times"
    for act, least in _ACTS.items():
        if tally.acts[act] < least * times:
            yield f"{act} was done {tally.acts[act]} times"
    for end, least in _ENDS.items():
        if tally.ends[end] < least * times:
            yield f"{end} came to be {tally.ends[end]} times"
    if tally.kills.total() < _KILLS * times:
        yield f"{tally.kills.total()} were killed"
    if tally.freezes.total() < _FREEZES * times:
        yield f"{tally.freezes.total()} were frozen"
