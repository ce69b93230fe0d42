"""How fast one ERP takes documents, learnt from its answers. Pure.

Additive increase, multiplicative decrease (fault X16): an ERP that asks for less gets half as many
calls at a time, and one more with each chunk that goes through well. It concerns one connection.
"""

from dataclasses import dataclass

_LONG_CHUNK = 50
"""Documents that weigh as much in the average of the speed as all that was seen before."""


@dataclass(slots=True)
class Pace:
    """What is known of one ERP; kept on the connection's schedule between two turns."""

    limit: float | None = None
    """Calls at a time that it bears. None: as many as its adapter says."""
    per_second: float | None = None
    """Documents booked while there was work; moving average. None: not measured yet."""

    def calls(self, concurrency: int) -> int:
        """How many calls may be under way, where the adapter says `concurrency`."""
        bears = concurrency if self.limit is None else min(concurrency, int(self.limit))
        return max(1, bears)

    def crowded(self, concurrency: int) -> None:
        """The ERP was asked too much at a time."""
        self.limit = max(1.0, self.calls(concurrency) / 2)

    def clean(self, concurrency: int) -> None:
        """A chunk went through without such a word."""
        if self.limit is not None:
            self.limit = self.limit + 1 if self.limit + 1 < concurrency else None

    def booked(self, documents: int, seconds: float) -> None:
        """So many documents were booked in so many seconds of work."""
        if not documents or seconds <= 0:
            return
        speed = documents / seconds
        weight = documents / (documents + _LONG_CHUNK)
        known = speed if self.per_second is None else self.per_second
        self.per_second = known + weight * (speed - known)
