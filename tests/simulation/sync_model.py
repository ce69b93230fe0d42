"""One item between two outside systems, as a model small enough to look at every interleaving.

Two workers, kills, leases that end while their holder lives, lost and late messages, an ERP that
refuses, people who press Export or take "ready" back, and a database that forgets commits, each
within a small budget. The item moves along `syncing.states.TRANSITIONS` and nowhere else: a move
that is not in that table is itself a finding.

A step of a worker is what it does between two commits or calls, as in `syncing.engine`,
`syncing.recovery` and `syncing.outbox`. That no request lives longer than the settle time is said
as "nothing is on its way".
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

from syncing.states import TRANSITIONS, ItemState

S = ItemState
KEY, LOOKUP, NOTHING = "enforces our key", "can be searched", "neither"
SAFE = "safe"
IDLE = ("idle", 0)
REST = frozenset({S.ACKED, S.EXTERNAL, S.WITHDRAWN, S.MISMATCH, S.REVIEW, S.FAILED})
"""Through, or visibly a person's: from everywhere one of these must be within reach."""


@dataclass(frozen=True)
class Design:
    """What the engine does to be safe; a test switches one off at a time."""

    erp: str
    intent: bool = True
    """POSTING is committed before the ERP is asked."""
    lookup: bool = True
    """What may be booked is looked up, or left to a person, before it is sent again."""
    settle: bool = True
    """Nobody looks while a request may be on its way."""
    deadline: bool = True
    """A worker whose lease is over starts no request."""
    token: bool = True
    """Every write says whose it is."""
    reread: bool = True
    """What Ramp refuses (7062) is read again."""
    suspect: bool = True
    """After commits were forgotten, READY counts as perhaps booked."""


class Budget(NamedTuple):
    """How often each kind of trouble may happen."""

    kills: int = 1
    expiries: int = 1
    losses: int = 1
    people: int = 1
    refusals: int = 1
    failovers: int = 0


class World(NamedTuple):
    """Everything there is."""

    state: ItemState
    token: int
    holder: int | None
    workers: tuple[tuple[str, int], ...]
    docs: int
    posts: int
    """On their way to the ERP."""
    reports: int
    """On their way to Ramp."""
    ramp: str
    """ready, ours, theirs (someone else synced it) or taken back"""
    doubtful: bool
    budget: Budget


START = World(S.READY, 0, None, (IDLE, IDLE), 0, 0, 0, "ready", False, Budget())
Step = tuple[str, World]


class OffTheTable(Exception):
    """A move that the table of transitions does not have."""


@dataclass
class Model:
    """The steps of one design, and which transitions they used."""

    design: Design

    def __post_init__(self) -> None:
        self.used: set[tuple[ItemState, ItemState]] = set()

    def steps(self, world: World) -> Iterator[Step]:
        """Every step that anybody can make now."""
        yield from self._outside(world)
        yield from self._people(world)
        for number, (doing, _) in enumerate(world.workers):
            if doing == "idle":
                yield from self._claim(world, number)
            else:
                if world.budget.kills:
                    yield f"worker {number} is killed", _spend(_idle(world, number), "kills")
                yield from _AT_WORK[doing](self, world, number)

    # -- the network, the clock, the database

    def _outside(self, world: World) -> Iterator[Step]:
        if world.posts:
            landed = world._replace(posts=world.posts - 1)
            kept = world.docs if self.design.erp == KEY and world.docs else world.docs + 1
            yield "the request lands", landed._replace(docs=kept)
            if world.budget.losses:
                yield "the request is lost", _spend(landed, "losses")
            if world.budget.refusals and not world.docs:
                for number, (doing, _) in enumerate(world.workers):
                    if doing == "asking":
                        refused = _now(landed, number, "refused")
                        yield "the ERP refuses", _spend(refused, "refusals")
        if world.reports:
            arrived = world._replace(reports=world.reports - 1)
            if world.budget.losses:
                yield "the report is lost", _spend(arrived, "losses")
            took = "ours" if world.ramp == "ready" else world.ramp
            yield "the report arrives", arrived._replace(ramp=took)
        if world.budget.expiries and world.holder is not None:
            yield "the lease ends", _spend(world._replace(holder=None), "expiries")
        if world.budget.failovers and world.state is not S.READY:
            forgotten = world._replace(state=S.READY, holder=None, token=-1, doubtful=True)
            yield "the database forgets", _spend(forgotten, "failovers")

    def _people(self, world: World) -> Iterator[Step]:
        if world.budget.people and world.ramp == "ready":
            yield "Export is pressed", _spend(world._replace(ramp="theirs"), "people")
            yield "ready is taken back", _spend(world._replace(ramp="back"), "people")
        if world.state is S.WITHDRAWN:
            yield "it is ready again", self._moved(world, S.READY)._replace(ramp="ready")
        if world.state is S.FAILED:
            yield "retry is pressed", self._moved(world, S.READY)
            if world.ramp == "theirs":
                yield "a pull finds it synced", self._moved(world, S.EXTERNAL)
            if world.ramp == "back":
                yield "a pull finds it gone", self._moved(world, S.WITHDRAWN)
        if world.state is S.REVIEW and not world.posts:
            found = S.POSTED if world.docs else S.READY
            yield "a person looks and decides", self._moved(world, found)

    # -- workers

    def _claim(self, world: World, number: int) -> Iterator[Step]:
        is_held = world.holder is not None and world.workers[world.holder] != IDLE
        if is_held or world.state not in (S.READY, S.POSTING, S.POSTED, S.ACKING):
            return
        token = _fresh(world)
        mine = world._replace(token=token, holder=number)
        match world.state:
            case S.READY if world.ramp in ("theirs", "ours"):
                yield "a pull finds it synced", self._moved(world, S.EXTERNAL)
            case S.READY if world.ramp == "back":
                yield "a pull finds it gone", self._moved(world, S.WITHDRAWN)
            case S.READY if world.doubtful and self.design.suspect:
                held = self._moved(mine, S.POSTING)._replace(doubtful=False)
                yield "what is doubtful is held", _now(held, number, "recovering")
            case S.READY:
                claimed = self._moved(mine, S.POSTING) if self.design.intent else mine
                yield f"worker {number} claims", _now(claimed, number, "sending")
            case S.POSTING:
                yield f"worker {number} takes over", _now(mine, number, "recovering")
            case S.POSTED:
                frozen = self._moved(mine, S.ACKING)
                yield f"worker {number} freezes a batch", _now(frozen, number, "reporting")
            case _:
                yield f"worker {number} takes the batch", _now(mine, number, "reporting")

    def _recovering(self, world: World, number: int) -> Iterator[Step]:
        if self.design.settle and world.posts:
            return
        if self.design.erp == KEY or not self.design.lookup:
            yield "send again", _now(world, number, "sending")
        elif self.design.erp == NOTHING:
            yield from self._write(world, number, S.REVIEW)
        elif world.docs:
            yield from self._write(world, number, S.POSTED)
        else:
            yield "absent, send again", _now(world, number, "sending")

    def _sending(self, world: World, number: int) -> Iterator[Step]:
        if self.design.deadline and not _owns(world, number):
            yield "too late to send", _idle(world, number)
        else:
            sent = world._replace(posts=world.posts + 1)
            yield f"worker {number} asks the ERP", _now(sent, number, "asking")

    def _asking(self, world: World, number: int) -> Iterator[Step]:
        if world.docs:
            yield "the ERP answers", _now(world, number, "booked")
            if world.budget.losses:
                yield "the answer is lost", _spend(self._let_go(world, number), "losses")
        if not world.posts or world.budget.losses:
            late = self._let_go(world, number)
            yield "no answer in time", _spend(late, "losses") if world.posts else late

    def _refused(self, world: World, number: int) -> Iterator[Step]:
        yield from self._write(world, number, S.FAILED)
        yield from self._write(world, number, S.READY)

    def _booked(self, world: World, number: int) -> Iterator[Step]:
        yield from self._write(world, number, S.POSTED)

    def _reporting(self, world: World, number: int) -> Iterator[Step]:
        sent = world._replace(reports=min(world.reports + 1, 2))  # more of the same say nothing new
        yield f"worker {number} reports", _now(sent, number, "telling")

    def _telling(self, world: World, number: int) -> Iterator[Step]:
        if world.ramp == "ours":
            yield "Ramp accepts", _now(world, number, "accepted")
        elif world.ramp in ("theirs", "back") and not self.design.reread:
            yield "7062: try again", _now(world, number, "reporting")
        elif world.ramp == "theirs":
            yield "7062, read again: synced", _now(world, number, "accepted")
        elif world.ramp == "back":
            yield from self._write(world, number, S.MISMATCH)
        elif not world.reports:
            yield "no answer in time", self._let_go(world, number)
            yield from self._write(world, number, S.POSTED)  # 7005, and still ready: a new batch

    def _accepted(self, world: World, number: int) -> Iterator[Step]:
        yield from self._write(world, number, S.ACKED)

    # -- writes

    def _write(self, world: World, number: int, state: ItemState) -> Iterator[Step]:
        """Write what came of it, if the row is still ours, and end the lease."""
        if self.design.token and world.token != world.workers[number][1]:
            yield f"worker {number} writes in vain", _idle(world, number)
            return
        written = self._moved(world, state)._replace(holder=None)
        yield f"worker {number} writes {state}", _idle(written, number)

    def _let_go(self, world: World, number: int) -> World:
        mine = world.token == world.workers[number][1] or not self.design.token
        return _idle(world._replace(holder=None) if mine else world, number)

    def _moved(self, world: World, state: ItemState) -> World:
        is_move = state is not world.state
        if is_move and self.design.intent and state not in TRANSITIONS[world.state]:
            raise OffTheTable(f"{world.state} falls back to {state}")
        if is_move:
            self.used.add((world.state, state))
        return world._replace(state=state)


_AT_WORK = {
    "recovering": Model._recovering,
    "sending": Model._sending,
    "asking": Model._asking,
    "refused": Model._refused,
    "booked": Model._booked,
    "reporting": Model._reporting,
    "telling": Model._telling,
    "accepted": Model._accepted,
}


def _now(world: World, number: int, doing: str) -> World:
    token = world.token if doing in ("sending", "recovering", "reporting") else None
    _, before = world.workers[number]
    mine = before or token or world.token
    workers = (*world.workers[:number], (doing, mine), *world.workers[number + 1 :])
    return world._replace(workers=workers)


def _idle(world: World, number: int) -> World:
    return world._replace(workers=(*world.workers[:number], IDLE, *world.workers[number + 1 :]))


def _owns(world: World, number: int) -> bool:
    return world.holder == number and world.token == world.workers[number][1]


def _fresh(world: World) -> int:
    """A token that nobody holds: they are random, so that no two ever are the same."""
    held = {token for _, token in world.workers} | {world.token}
    return next(token for token in range(1, 9) if token not in held)


def _spend(world: World, kind: str) -> World:
    left = getattr(world.budget, kind) - 1
    return world._replace(budget=world.budget._replace(**{kind: left}))


def wrong_with(world: World) -> str:
    """What is broken in a state of the world; empty if nothing is."""
    if world.docs > 1:
        return "doubled"
    if not world.docs and (world.ramp == "ours" or (world.state, world.ramp) == (S.ACKED, "ready")):
        return "lost"
    return ""


@dataclass(frozen=True)
class Verdict:
    """What came of looking at every interleaving."""

    what: str
    states: int
    used: frozenset[tuple[ItemState, ItemState]]
    trace: tuple[str, ...] = ()
    """The shortest way to what is wrong."""


@cache
def check(design: Design, budget: Budget) -> Verdict:
    """Look at every state of the world within the budget, breadth first."""
    model, start = Model(design), START._replace(budget=budget)
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    before: dict[World, list[World]] = {}
    queue = deque([start])
    while queue:
        world = queue.popleft()
        wrong = wrong_with(world)
        if wrong:
            return _verdict(wrong, model, came_from, world)
        try:
            following = list(model.steps(world))
        except OffTheTable as move:
            return _verdict(str(move), model, came_from, world)
        for name, after in following:
            before.setdefault(after, []).append(world)
            if after not in came_from:
                came_from[after] = (world, name)
                queue.append(after)
    stuck = came_from.keys() - _can_rest(came_from, before)
    if stuck:
        first = next(world for world in came_from if world in stuck)
        return _verdict("never ends", model, came_from, first)
    return Verdict(SAFE, len(came_from), frozenset(model.used))


def _can_rest(
    all_worlds: Mapping[World, object], before: Mapping[World, list[World]]
) -> set[World]:
    found = {world for world in all_worlds if world.state in REST}
    queue = deque(found)
    while queue:
        for earlier in before.get(queue.popleft(), ()):
            if earlier not in found:
                found.add(earlier)
                queue.append(earlier)
    return found


def _verdict(
    what: str, model: Model, came_from: Mapping[World, tuple[World, str] | None], world: World
) -> Verdict:
    trace: list[str] = []
    step = came_from[world]
    while step is not None:
        trace.append(step[1])
        step = came_from[step[0]]
    return Verdict(what, len(came_from), frozenset(model.used), tuple(reversed(trace)))


def without(design: Design, *safeguards: str) -> Design:
    """A design with some of its safeguards switched off."""
    off: dict[str, Any] = dict.fromkeys(safeguards, False)
    return replace(design, **off)
