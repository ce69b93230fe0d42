"""Whether this process has been asked to end: finish the call at hand, begin nothing (fault I7).

Items that were claimed and not sent go back at once; what is under way is finished. A process that
is killed all the same loses nothing either: see `syncing.recovery`.
"""

import threading

_asked = threading.Event()


def ask() -> None:
    """From now on begin nothing more."""
    _asked.set()


def is_asked() -> bool:
    """Whether nothing more may be begun."""
    return _asked.is_set()


def forget() -> None:
    """Work on, as a process does that starts."""
    _asked.clear()
