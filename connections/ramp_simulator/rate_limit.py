"""200 calls in any ten seconds from one address."""

from collections import defaultdict, deque
from datetime import datetime, timedelta

LIMIT = 200
WINDOW = timedelta(seconds=10)


class RollingWindow:
    """Counts what it let through; a refused call does not count."""

    def __init__(self) -> None:
        self._passed: defaultdict[str, deque[datetime]] = defaultdict(deque)

    def admit(self, address: str, now: datetime) -> bool:
        passed = self._passed[address]
        while passed and passed[0] <= now - WINDOW:
            passed.popleft()
        if len(passed) >= LIMIT:
            return False
        passed.append(now)
        return True
