"""After the encryption key was changed: wrap what was sealed before under the new one."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from connections.rotation import rotate


class Command(BaseCommand):
    help = (
        "Wrap every sealed secret anew under the first key of ENCRYPTION_KEYS. The secrets stay as"
        " they are. May run while everything works, and again at any time."
    )

    def handle(self, **_options: Any) -> None:
        unopened: list[str] = []
        for done in rotate():
            self.stdout.write(
                f"{done.name:<42} {done.rewrapped:>6} rewrapped {done.current:>6} current"
            )
            unopened += done.unopened
        if unopened:
            lines = "".join(f"\n  {line}" for line in unopened)
            raise CommandError(
                f"{len(unopened)} could not be opened and are as they were. Keep all keys, add the"
                f" ones that are missing, or enter these credentials anew:{lines}"
            )
        self.stdout.write(_conclusion(list(settings.ENCRYPTION_KEYS)))


def _conclusion(key_ids: list[str]) -> str:
    current, *others = key_ids
    if not others:
        return f"Everything is under {current}, the only key."
    return f"Everything is under {current}. No longer needed: {', '.join(others)}."
