"""Where processes are to be struck, and where they were, by the log that failpoints leave."""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from signal import Signals

from rampbridge.lib import failpoints

WEB_FAILPOINTS = frozenset(
    {"before_webhook_insert", "before_webhook_commit", "after_webhook_commit"}
)
WORKER_FAILPOINTS = failpoints.OF_SPEND - WEB_FAILPOINTS
FROZEN_AT = ("after_claim_commit", "after_erp_post", "after_report")
"""Where a worker may be frozen beyond its lease in place of killed (faults X10, X12)."""
_SELDOM = 8
"""Until a failpoint has struck so often, or half as often as others, it strikes more easily."""


class Strikes:
    """The log of one run, of which each line is read once."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._read_to = 0
        self._by_signal: dict[str, Counter[str]] = {}

    def kills(self) -> Counter[str]:
        """How often each failpoint has killed."""
        return self._by("SIGKILL")

    def freezes(self) -> Counter[str]:
        """How often each has frozen a process."""
        return self._by("SIGSTOP")

    def ended(self) -> int:
        """How many workers have ended by themselves, as they were asked to."""
        return self._by("SIGTERM").total()

    def note(self, name: str, signal: Signals) -> None:
        """Leave a line in the log, as failpoints do."""
        with self._log.open("a") as log:
            log.write(f"{name} {signal.name}\n")

    def both(self) -> Counter[str]:
        """How often each has struck."""
        return self.kills() + self.freezes()

    def _by(self, signal: str) -> Counter[str]:
        self._read_on()
        return self._by_signal.setdefault(signal, Counter())

    def _read_on(self) -> None:
        if not self._log.exists():
            return
        with self._log.open("rb") as log:
            log.seek(self._read_to)
            said = log.read()
        self._read_to += len(said)
        for line in said.decode().splitlines():  # each is written at once
            name, signal = line.split()
            self._by_signal.setdefault(signal, Counter())[name] += 1


def armament(kind: str, struck: Mapping[str, int]) -> str:
    """What a new process is armed with: where it has happened seldom, it happens more easily."""
    names = sorted(WEB_FAILPOINTS if kind == "web" else WORKER_FAILPOINTS)
    few = max(_SELDOM, 0.5 * sum(struck.values()) / len(failpoints.OF_SPEND))
    kills = [f"{name}={chance(name, struck.get(name, 0), few=few)}" for name in names]
    # A name stands once, so that at these places one process freezes and another dies.
    freezes = {name: f"{name}=0.1:stop" for name in FROZEN_AT if struck.get(name, 0) % 4 == 3}
    return ",".join(freezes.get(one.partition("=")[0], one) for one in kills)


def chance(name: str, struck: int, *, few: float) -> float:
    """That a process which passes this failpoint is struck."""
    if not struck:
        return 1.0  # else a run that gives up waiting for it could not say that nobody passes it
    if name.endswith("poll_page"):  # passed by every list of every poll
        return 0.1 if struck < few else 0.02
    return 0.3 if struck < few else 0.12
