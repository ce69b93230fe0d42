"""What the terminal shows while things start: a line per finished step, a bar for a slow one.

Only the standard library: the set-up of the virtual environment uses it too.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

LONG = 2.0  # seconds after which a step is worth a bar
WIDTH = 24


@dataclass(slots=True)
class Activity:
    """A step under way, as people see it. `expected` is how long it usually takes, in seconds."""

    title: str
    expected: float
    began_at: float = field(default_factory=time.monotonic)
    announced: bool = False

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.began_at


class Screen:
    """Writes to a terminal with bars that move, and to anything else in plain lines."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._moves = stream.isatty()
        self._drawn = 0

    def say(self, text: str = "") -> None:
        """A line, or several, that stay."""
        self._clear()
        print(text, file=self._stream, flush=True)

    def finished(self, activity: Activity) -> None:
        """A step is done."""
        self.say(f"{activity.seconds:7.1f} s  {activity.title}")

    def show(self, activities: Sequence[Activity]) -> None:
        """The steps now under way. Call it often; it draws when there is something to say."""
        long = [activity for activity in activities if activity.seconds > LONG]
        if not self._moves:
            self._announce(long)
            return
        self._clear()
        for activity in long:
            print(_line(activity), file=self._stream)
        self._stream.flush()
        self._drawn = len(long)

    def _announce(self, activities: Sequence[Activity]) -> None:
        for activity in activities:
            if not activity.announced:
                activity.announced = True
                self.say(f"      ...  {activity.title} (takes about {activity.expected:.0f} s)")

    def _clear(self) -> None:
        if self._drawn:
            print(f"\x1b[{self._drawn}A\x1b[J", end="", file=self._stream)
            self._drawn = 0


def _line(activity: Activity) -> str:
    # Nobody knows how long it will take this time, so the bar stays short of full until it is done.
    share = min(activity.seconds / max(activity.expected, LONG), 0.97)
    full = int(share * WIDTH)
    bar = "█" * full + "░" * (WIDTH - full)
    return f"{activity.seconds:7.1f} s  {bar}  {activity.title}"
