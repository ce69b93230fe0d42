"""What many runs must have reached, or their finding nothing says nothing."""

from collections.abc import Iterator

from tests.simulation.seeded import erp, network, shape
from tests.simulation.seeded.room import Tally

SEEDS = 300
"""Of so many, and of as many times more."""
_HITS, _FAULTS, _KILLS, _FREEZES = 5, 3, 100, 50
"""How often at least: each failpoint, each kind of fault, and all kills and freezes together."""


_UPLOADS, _UPLOAD_FAULTS = 30, 3
"""How often at least charts pass each of their failpoints, and how many of their calls fail."""
_STEPS = 10
"""How often at least failpoints of the wizard's steps."""
_ACTS = {
    "bill": 50,
    "pay_from_bank": 20,
    "pay_by_card": 10,
    "press": 30,
    "press_in_calm": 20,
    "add in the ERP": 5,
    "rename in the ERP": 5,
    "retire in the ERP": 2,
    "rename in Ramp": 5,
    "deactivate in Ramp": 4,
    "wish verify": 10,
    "switch": 1,
    "canary": 1,
    "sync by others": 2,
}
"""How often people must have done what."""
_ENDS = {
    "bill ACKED": 50,
    "bill_payment ACKED": 30,
    "settled by card": 10,
    "press answered": 40,
    "press late": 3,
    "drift told": 8,
    "refresh failed": 10,
    "upload done": 60,
    "complete cutover done": 1,
}
"""How often what must have come of it."""


def unreached(tally: Tally) -> list[str]:
    """What was not reached often enough, in words. Fewer seeds than `SEEDS` need reach nothing."""
    return list(_unreached(tally, tally.seeds // SEEDS))


def _unreached(tally: Tally, times: int) -> Iterator[str]:
    for point in shape.POINTS:
        if tally.passed[point] < _HITS * times:
            yield f"{point} was passed {tally.passed[point]} times"
    for point in shape.MOVE_POINTS:
        if tally.passed[point] < _STEPS * times:
            yield f"{point} was passed {tally.passed[point]} times"
    for point in shape.CHART_POINTS:
        if tally.passed[point] < _UPLOADS * times:
            yield f"{point} was passed {tally.passed[point]} times"
    uploads = sum(tally.faults[f"upload_{fault}"] for fault in network.UPLOAD_FAULTS)
    if uploads < _UPLOAD_FAULTS * times:
        yield f"{uploads} uploads of charts failed"
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
