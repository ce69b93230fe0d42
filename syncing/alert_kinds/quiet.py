"""Hours in which nobody wants a message that can wait. Pure."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From one time of day to another, perhaps over midnight, in a time zone."""

    begins: time
    ends: time
    time_zone: str = "UTC"

    def until(self, now: datetime) -> datetime | None:
        """When the quiet that reigns now ends; None if it does not reign."""
        zone = ZoneInfo(self.time_zone)
        local = now.astimezone(zone)
        clock = local.time()
        if self.begins < self.ends:
            is_quiet, ends_tomorrow = self.begins <= clock < self.ends, False
        else:
            is_quiet, ends_tomorrow = (
                clock >= self.begins or clock < self.ends,
                clock >= self.begins,
            )
        if not is_quiet or self.begins == self.ends:
            return None
        day = local.date() + timedelta(days=1 if ends_tomorrow else 0)
        return datetime.combine(day, self.ends, zone).astimezone(now.tzinfo)
